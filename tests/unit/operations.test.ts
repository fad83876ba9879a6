import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lineageOf } from '../../src/main/operations/lineage.ts';
import { LiveJob } from '../../src/main/operations/live-job.ts';
import { placed } from '../../src/main/operations/place.ts';
import {
  defaultTrainingSettings,
  type TrainingRun,
  type WeightsJob,
  type WeightsOperation,
} from '../../src/shared/contract/index.ts';

const quantize = (from: string, out: string): WeightsOperation => ({
  ...{ kind: 'quantize', from, out, type: 'Q4_K_M', requantize: false },
  ...{ importance: null, importanceText: null },
});

function job(operation: WeightsOperation, patch: Partial<WeightsJob> = {}): WeightsJob {
  return {
    ...{ id: 1, operation, state: 'waiting', progress: null, secondsLeft: null, changes: [], notes: [] },
    ...{ result: null, modelId: null, speaking: false, firstWords: null, error: null },
    ...{ createdAt: 0, startedAt: null, endedAt: null },
    ...patch,
  };
}

function done(operation: WeightsOperation): WeightsJob {
  const proof = { kind: 'none', text: '' } as const;
  const result = { out: operation.out, bytes: 1, seconds: 1, proof, changes: [], notes: [] };
  return job(operation, { state: 'done', endedAt: 7, result: { ...result, peakMemoryBytes: 1 } });
}

describe('a family tree', () => {
  test('goes through operations and training, back to what was made elsewhere', () => {
    const merge: WeightsOperation = {
      ...{ kind: 'adapter-merge', base: '/base.gguf', adapters: [{ path: '/taught.gguf', scale: 1 }] },
      ...{ out: '/merged.gguf', type: null, anyBase: false },
    };
    const run: TrainingRun = {
      ...{ id: 1, name: '', state: 'done', modelId: null, modelName: 'base', modelPath: '/base.gguf' },
      ...{ data: ['/chats.json', `/snapshots/${'ab'.repeat(8)}.jsonl`], validationData: [] },
      datasets: [{ id: 1, name: 'Letters', fingerprint: 'ab'.repeat(32) }],
      ...{ conversationId: null, samples: [], pairs: [], pairsComing: 0 },
      ...{ settings: defaultTrainingSettings, progress: null, plan: null, step: null },
      ...{ losses: [], validations: [], notes: [], error: null, adapterPath: '/taught.gguf', adapterId: 3 },
      ...{ hasCheckpoint: false, createdAt: 1, startedAt: 1, endedAt: 5, secondsLeft: null },
    };
    const jobs = [done(quantize('/merged.gguf', '/small.gguf')), done(merge)];
    expect(lineageOf('/small.gguf', { jobs, runs: [run], models: [] })).toMatchObject({
      ...{ name: 'small', role: null, how: 'quantize', madeAt: 7 },
      from: [
        {
          ...{ name: 'merged', role: 'model', how: 'adapter-merge' },
          from: [
            { name: 'base', role: 'base', how: null },
            {
              ...{ name: 'taught', role: 'adapter', how: 'training', madeAt: 5 },
              from: [
                { role: 'base', path: '/base.gguf' },
                { role: 'examples', path: '/chats.json', name: 'chats.json' },
                { role: 'examples', path: `/snapshots/${'ab'.repeat(8)}.jsonl`, name: 'Letters' },
              ],
            },
          ],
        },
      ],
    });
  });

  test('ends where a file was made from what later lay in its own place', () => {
    const jobs = [done(quantize('/b.gguf', '/a.gguf')), done(quantize('/a.gguf', '/b.gguf'))];
    const tree = lineageOf('/a.gguf', { jobs, runs: [], models: [] });
    expect(tree.from[0]?.from[0]).toMatchObject({ path: '/a.gguf', how: null, from: [] });
  });
});

describe('the place of a result', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'puna-place-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const folders = () => ({ models: folder, adapters: join(folder, 'adapters') });
  const nameFor = async (operation: WeightsOperation, taken: string[] = []) =>
    (await placed(operation, folders(), taken)).out.slice(folder.length + 1);

  test('is in the folder of its kind, under a name that stays in it', async () => {
    expect(await nameFor(quantize('/x', '../../small.gguf'))).toBe('small.gguf');
    const convert: WeightsOperation = { kind: 'adapter-convert', adapter: '/a', base: null, out: 'a.gguf' };
    expect(await nameFor(convert)).toBe(join('adapters', 'a.gguf'));
  });

  test('has a number where something is there, or will be', async () => {
    await writeFile(join(folder, 'm-1.5'), '');
    await writeFile(join(folder, 'm.gguf'), '');
    expect(await nameFor({ kind: 'convert', from: '/x', out: 'm-1.5', type: null })).toBe('m-1.5 (2)');
    expect(await nameFor(quantize('/x', 'm.gguf'), [join(folder, 'm (2).gguf')])).toBe('m (3).gguf');
  });

  test('that is a whole path is never one where something is', async () => {
    await writeFile(join(folder, 'm.gguf'), '');
    const out = join(folder, 'm.gguf');
    await expect(placed(quantize('/x', out), folders(), [])).rejects.toThrow('There is something at');
    const free = join(folder, 'free.gguf');
    expect((await placed(quantize('/x', free), folders(), [])).out).toBe(free);
    await expect(placed(quantize('/x', free), folders(), [free])).rejects.toThrow('There is something at');
  });
});

describe('an operation at work', () => {
  let now = 0;
  const live = () => {
    now = 0;
    return new LiveJob(job(quantize('/x', '/y')), { save: () => {}, tell: () => {}, now: () => now });
  };
  const progress = (of: LiveJob, phase: 'writing' | 'checking', done: number, at: number) => {
    now = at;
    of.apply({ type: 'progress', phase, done, total: 1000 });
    return of.value.secondsLeft;
  };

  test('estimates what is left by the speed of the phase that it is in', () => {
    const one = live();
    expect(progress(one, 'writing', 0, 1000)).toBeNull();
    // Too soon to be measured.
    expect(progress(one, 'writing', 50, 1100)).toBeNull();
    expect(progress(one, 'writing', 100, 2000)).toBeCloseTo(9);
    expect(progress(one, 'writing', 200, 3000)).toBeCloseTo(8);
    one.end('stopped');
    expect(one.value).toMatchObject({ state: 'stopped', secondsLeft: null, progress: null });
  });

  test('gathers changes by layer, what lies outside of layers last', () => {
    const one = live();
    for (const [layer, change] of [
      [null, 3],
      [1, 1],
      [0, 2],
      [1, 4],
    ] as const) {
      one.apply({ type: 'change', layer, change });
    }
    expect(one.value.changes).toEqual([
      { layer: 0, change: 2 },
      { layer: 1, change: 4 },
      { layer: null, change: 3 },
    ]);
    one.end('stopped');
  });
});
