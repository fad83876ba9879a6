import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TrainingRun, TrainingSettings } from '../../src/shared/contract/index.ts';
import { checkpointPath } from '../../src/main/training/messages.ts';
import { run as puna } from '../support/command.ts';
import { mountSmallDisk, pageBytes, type SmallDisk } from '../support/mounts.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';

const dialogues = resolve('tests/fixtures/datasets/sharegpt.json');
const skipped = 'Only the root of a Linux can mount a small disk.';
/** Room enough for everything. */
const large = 64 * 1024 * 1024;

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let disk: SmallDisk | null = null;
let count = 0;
beforeAll(async () => {
  temporary = await temporaryFolder();
  model = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama', 'Q8_0');
});
afterEach(() => {
  disk?.unmount();
  disk = null;
});
afterAll(() => temporary.remove());

const mountDisk = (bytes: number) =>
  (disk = mountSmallDisk(join(temporary.folder, `disk-${++count}`), bytes));

describe('puna train on a disk that becomes full', () => {
  /** Dropout, momentum, an order of the data, a schedule, a validation: everything that has a state. */
  const rarely = [
    ...[
      '--rank',
      '4',
      '--alpha',
      '8',
      '--dropout',
      '0.1',
      '--context',
      '128',
      '--batch',
      '2',
      '--warmup',
      '3',
    ],
    ...['--validation', '0.2', '--evaluate-every', '4', '--threads', '1', '--device', 'cpu'],
    ...['--steps', '12', '--lr', '3e-3'],
  ];
  const often = [...rarely, '--checkpoint-every', '2'];
  /** It gets worse with each step that is measured, and so ends before its plan does. */
  const early = [...rarely, '--steps', '40', '--lr', '0.3', '--evaluate-every', '1', '--patience', '2'];

  /** What a run writes that nothing disturbs. */
  interface Whole {
    best: Buffer;
    last: Buffer;
    /** What its files take on the disk, in bytes. */
    adapter: number;
    checkpoint: number;
  }
  const train = (out: string, options: readonly string[]) =>
    puna(['train', '--model', model, '--data', dialogues, '--out', out, ...options]);
  const lastOf = (out: string) => out.replace('.gguf', '-last.gguf');
  const inPages = (bytes: number) => Math.ceil(bytes / pageBytes) * pageBytes;

  async function trainWhole(options: readonly string[]): Promise<Whole> {
    const out = join(temporary.folder, `whole-${++count}`, 'adapter.gguf');
    await mkdir(lastOf(out), { recursive: true });
    // Where its last adapter finds no place, it leaves the checkpoint of its last step, from which it goes on to its end.
    expect(await train(out, options)).toMatchObject({ status: 1 });
    const { size } = await stat(checkpointPath(out));
    const undisturbed = join(temporary.folder, `whole-${++count}.gguf`);
    expect(await train(undisturbed, options)).toMatchObject({ status: 0, stderr: '' });
    const [best, last] = await Promise.all([readFile(undisturbed), readFile(lastOf(undisturbed))]);
    return { best, last, adapter: inPages(last.length), checkpoint: inPages(size) };
  }

  test.for([
    {
      ...{ where: 'for its first checkpoint', options: often, left: [] },
      ...{ file: 'adapter.gguf.checkpoint', step: null },
      room: ({ checkpoint }: Whole) => checkpoint - pageBytes,
    },
    {
      ...{ where: 'for its best adapter', options: often, left: ['adapter.gguf.checkpoint'] },
      ...{ file: 'adapter.gguf', step: 2 },
      room: ({ adapter, checkpoint }: Whole) => Math.max(checkpoint + adapter - pageBytes, 2 * adapter),
    },
    {
      ...{
        where: 'for a later checkpoint',
        options: often,
        left: ['adapter.gguf', 'adapter.gguf.checkpoint'],
      },
      ...{ file: 'adapter.gguf.checkpoint', step: 2 },
      room: ({ adapter, checkpoint }: Whole) => adapter + 2 * checkpoint - pageBytes,
    },
    {
      ...{
        where: 'for its last adapter',
        options: rarely,
        left: ['adapter.gguf', 'adapter.gguf.checkpoint'],
      },
      ...{ file: 'adapter-last.gguf', step: 12 },
      room: ({ adapter, checkpoint }: Whole) => 2 * adapter + checkpoint - pageBytes,
    },
    {
      ...{ where: 'after it ended early', options: early, left: ['adapter.gguf', 'adapter.gguf.checkpoint'] },
      ...{ file: 'adapter-last.gguf', step: 3 },
      room: ({ adapter, checkpoint }: Whole) => 2 * adapter + checkpoint - pageBytes,
    },
  ])('$where says so, keeps what is whole, and ends as if nothing had been', async (full, { skip }) => {
    const whole = await trainWhole(full.options);
    const place = mountDisk(full.room(whole));
    if (!place) return skip(skipped);
    const out = join(place.path, 'adapter.gguf');
    const { status, stderr } = await train(out, full.options);
    const remedy =
      full.step === null
        ? 'Free some space on that disk and try again.'
        : `Free some space on that disk, then resume (--resume): what was learnt up to step ${full.step} is kept.`;
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `puna: The disk is full: ${join(place.path, full.file)} could not be written. ${remedy}\n`,
    });
    expect((await readdir(place.path)).sort()).toEqual(full.left);

    place.resize(large);
    const resumed = await train(out, full.step === null ? full.options : [...full.options, '--resume']);
    expect(resumed).toMatchObject({ status: 0, stderr: '' });
    expect((await readdir(place.path)).sort()).toEqual(['adapter-last.gguf', 'adapter.gguf']);
    expect((await readFile(out)).equals(whole.best)).toBe(true);
    expect((await readFile(lastOf(out))).equals(whole.last)).toBe(true);
  });
});

describe('a data folder on a disk that becomes full', () => {
  let shell: Shell | null = null;
  afterEach(() => shell?.stop());

  const settings: Partial<TrainingSettings> = {
    ...{ rank: 4, alpha: 8, context: 64, steps: 600, warmup: 2, learningRate: 1e-3, checkpointEvery: 3 },
    ...{ validation: 0, threads: 1, device: 'cpu' },
  };
  async function until({ client }: Shell, id: number, holds: (run: TrainingRun) => boolean) {
    for (;;) {
      const run = (await client.training.list()).find((each) => each.id === id);
      if (run && holds(run)) return run;
      if (run && ['failed', 'done'].includes(run.state)) {
        throw new Error(`${run.state}: ${run.error?.message} ${run.error?.remedy}`);
      }
      await setTimeout(30);
    }
  }

  test('ends the run there, tells so also later, and the run goes on once there is room', async ({
    skip,
  }) => {
    const place = mountDisk(large);
    if (!place) return skip(skipped);
    shell = await startShell({ dataFolder: join(place.path, 'data') });
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const begin = () => client.training.start({ modelId, data: [dialogues], settings, name: 'Full' });
    const undisturbed = await until(shell, (await begin()).id, ({ state }) => state === 'done');
    const whole = await readFile(undisturbed.adapterPath);

    const { id, adapterPath } = await begin();
    await until(shell, id, ({ state, step }) => state === 'running' && (step?.step ?? 0) >= 5);
    await client.training.pause({ runId: id });
    const makeRoom = place.fill();
    await client.training.resume({ runId: id });
    const failed = await until(shell, id, ({ state }) => state === 'failed');
    expect(failed).toMatchObject({
      ...{ adapterId: null, hasCheckpoint: true },
      error: {
        code: 'disk-full',
        message: `The disk is full: ${checkpointPath(adapterPath)} could not be written.`,
        remedy: expect.stringMatching(/^Free some space on that disk, then resume/) as string,
      },
    });
    expect((await readdir(dirname(adapterPath))).filter((name) => name.endsWith('.part'))).toEqual([]);
    await expect(begin()).rejects.toMatchObject({ data: { code: 'disk-full' } });
    // The line goes on, and what ended stays ended.
    await client.training.resume({ runId: id });
    expect((await until(shell, id, ({ state }) => state === 'failed')).error?.code).toBe('disk-full');

    makeRoom();
    expect(await client.training.list()).toMatchObject([{ id, state: 'failed' }, { state: 'done' }]);
    await shell.kill();
    shell = await startShell({ dataFolder: shell.dataFolder });
    expect(await shell.client.training.list()).toMatchObject([{ id, state: 'failed' }, { state: 'done' }]);
    await shell.client.training.resume({ runId: id });
    const resumed = await until(shell, id, ({ state }) => state === 'done');
    expect(resumed.plan?.doneSteps).toBeGreaterThanOrEqual(3);
    expect((await readFile(resumed.adapterPath)).equals(whole)).toBe(true);
  });
});
