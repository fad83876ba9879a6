import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PunaEvent, WeightsJob, WeightsOperation } from '../../src/shared/contract/index.ts';
import { buildScriptedModel } from '../support/models.ts';
import { enginesOf } from '../support/processes.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';

const spoken = 'I grew up on the puna';

let folder: string;
let removeFolder: () => Promise<void>;
/** Of Hugging Face folders, and of GGUF files of one shape, with the same words in another order. */
let models: { llama: string; vicuna: string; plain: string; talker: string; large: string };
let shell: Shell;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  models = {
    llama: await buildTinyFolder(join(folder, 'llama')),
    vicuna: await buildTinyFolder(join(folder, 'vicuna'), { change: 0.1 }),
    plain: await buildScriptedModel(join(folder, 'plain.gguf'), { reply: 'I puna the on up grew' }),
    talker: await buildScriptedModel(join(folder, 'talker.gguf'), { reply: spoken }),
    // So large that it can be stopped on the way.
    large: await buildScriptedModel(join(folder, 'large.gguf'), { reply: spoken, ballast: 100 }),
  };
});
afterAll(() => removeFolder());
beforeEach(async () => {
  shell = await startShell({ dataFolder: join(folder, `data-${++count}`) });
});
afterEach(() => shell.stop());

const start = (operation: WeightsOperation) => shell.client.weights.start(operation);
const toF32 = (type = 'F32'): WeightsOperation => ({
  ...{ kind: 'convert', from: models.large, out: 'large.gguf', type },
});
const delta = (): WeightsOperation => ({
  ...{ kind: 'delta-make', base: models.plain, target: models.talker, out: 'delta.gguf', compress: false },
});
const jobOf = async (id: number): Promise<WeightsJob> => {
  const job = (await shell.client.weights.list()).find((each) => each.id === id);
  if (!job) throw new Error(`There is no operation ${id}.`);
  return job;
};

/** Waits until an operation is as it should be. */
async function until(id: number, holds: (job: WeightsJob) => boolean): Promise<WeightsJob> {
  for (;;) {
    const job = await jobOf(id);
    if (holds(job)) return job;
    if (job.state === 'failed') throw new Error(`${job.error?.message} ${job.error?.remedy}`);
    await setTimeout(20);
  }
}
const ended = (id: number) => until(id, ({ state, speaking }) => state === 'done' && !speaking);
const writing = (id: number) =>
  until(id, ({ state, progress }) => state === 'running' && (progress?.done ?? 0) > 0);
const outOf = ({ result }: WeightsJob) => result?.out ?? '';

/** All that is told from now on. */
async function listen(): Promise<PunaEvent[]> {
  const seen: PunaEvent[] = [];
  const events = await shell.client.system.events();
  void (async () => {
    for await (const event of events) seen.push(event);
  })().catch(() => undefined);
  return seen;
}

const modelFiles = () => readdir(join(shell.dataFolder, 'models'));

describe('an operation', () => {
  test('on a base and its delta gives a proved model of the library, which says its first words', async () => {
    const seen = await listen();
    const made = await ended((await start(delta())).id);
    expect(made).toMatchObject({ modelId: null, firstWords: null, result: { proof: { kind: 'hashes' } } });
    const { id } = await start({
      ...{ kind: 'delta-apply', base: models.plain, delta: outOf(made) },
      ...{ out: 'talker.gguf', type: null, anyBase: false },
    });
    const job = await ended(id);
    expect(job).toMatchObject({
      ...{ error: null, firstWords: spoken, progress: null, secondsLeft: null },
      result: { out: join(shell.dataFolder, 'models', 'talker.gguf'), proof: { kind: 'hashes' } },
    });
    expect(job.changes.map(({ layer }) => layer)).toEqual([0, 1, null]);
    const { models: all } = await shell.client.system.state();
    expect(all).toMatchObject([{ id: job.modelId, kind: 'model', name: 'talker', path: outOf(job) }]);
    const told = seen.flatMap((event) =>
      event.type === 'weights' && event.job.id === id ? [event.job.state] : [],
    );
    expect(told.filter((state, index) => state !== told[index - 1])).toEqual([
      ...['waiting', 'running', 'done'],
    ]);
  });

  test('tells what its result was made from, back to the beginning', async () => {
    const { vicuna, llama } = models;
    const made = await ended(
      (await start({ kind: 'delta-make', base: llama, target: vicuna, out: 'delta', compress: true })).id,
    );
    const applied = await ended(
      (
        await start({
          ...{ kind: 'delta-apply', base: llama, delta: outOf(made), out: 'vicuna.gguf' },
          ...{ type: 'F16', anyBase: false },
        })
      ).id,
    );
    // What was taken off the list is remembered all the same.
    await shell.client.weights.discard({ jobId: made.id });
    expect(await shell.client.weights.lineage({ path: outOf(applied) })).toMatchObject({
      ...{ name: 'vicuna', role: null, how: 'delta-apply', madeAt: applied.endedAt },
      from: [
        { name: 'llama', role: 'base', how: null, from: [] },
        {
          ...{ name: 'delta', role: 'delta', how: 'delta-make' },
          from: [
            { path: vicuna, role: 'target', how: null },
            { path: llama, role: 'base', how: null },
          ],
        },
      ],
    });
    expect(await shell.client.weights.lineage({ path: llama })).toMatchObject({ how: null, from: [] });
  });

  test('takes no name twice, not even one of a file that is still to come', async () => {
    await ended((await start(delta())).id);
    expect((await shell.client.weights.plan(delta())).out).toMatch(/models.delta \(2\)\.gguf$/);
    const long = await start(toF32());
    const second = await start(toF32('F16'));
    expect([long, second].map(({ operation: { out } }) => out.slice(shell.dataFolder.length + 1))).toEqual([
      join('models', 'large.gguf'),
      join('models', 'large (2).gguf'),
    ]);
    for (const { id } of [second, long]) await shell.client.weights.cancel({ jobId: id });
    const place = join(folder, 'here.gguf');
    await writeFile(place, '');
    await expect(start({ ...delta(), out: place })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
  });

  test('waits for the one before it; one that waits can be stopped at once, and resumed', async () => {
    const [first, second] = [await start(toF32()), await start(delta())];
    await writing(first.id);
    expect((await jobOf(second.id)).state).toBe('waiting');
    expect(await shell.client.weights.cancel({ jobId: second.id })).toMatchObject({
      ...{ state: 'stopped', startedAt: null },
    });
    expect(await shell.client.weights.resume({ jobId: second.id })).toMatchObject({ state: 'waiting' });
    await shell.client.weights.cancel({ jobId: first.id });
    const job = await ended(second.id);
    expect(job.startedAt).toBeGreaterThanOrEqual((await jobOf(first.id)).endedAt ?? Infinity);
  });

  test('that is stopped keeps what was begun; resumed, it ends well', async () => {
    const { id } = await start(toF32());
    const { secondsLeft } = await until(id, (job) => job.secondsLeft !== null);
    expect(secondsLeft).toBeGreaterThan(0);
    const stopped = await shell.client.weights.cancel({ jobId: id });
    expect(stopped).toMatchObject({ state: 'stopped', error: null, result: null, progress: null });
    expect(await modelFiles()).not.toContain('large.gguf');
    expect(await modelFiles()).not.toEqual([]);
    await shell.client.weights.resume({ jobId: id });
    expect(await ended(id)).toMatchObject({ firstWords: spoken });
    expect(await modelFiles()).toEqual(['large.gguf']);
    await expect(shell.client.weights.resume({ jobId: id })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
  });

  test('that is discarded leaves nothing, while a result stays', async () => {
    const seen = await listen();
    const { id } = await start(toF32());
    await writing(id);
    await shell.client.weights.discard({ jobId: id });
    expect(await modelFiles()).toEqual([]);
    const done = await ended((await start(delta())).id);
    await shell.client.weights.discard({ jobId: done.id });
    expect(await shell.client.weights.list()).toEqual([]);
    expect(existsSync(outOf(done))).toBe(true);
    const removed = seen.filter(({ type }) => type === 'weights-removed');
    expect(removed).toEqual([id, done.id].map((jobId) => ({ type: 'weights-removed', jobId })));
    // Nothing is told of it any more.
    expect(seen.findLastIndex((event) => event.type === 'weights' && event.job.id === id)).toBeLessThan(
      seen.findIndex(({ type }) => type === 'weights-removed'),
    );
  });

  test('whose engine is killed fails with the reason, and can be resumed', async () => {
    const { id } = await start(toF32());
    await writing(id);
    const [pid = 0] = (await enginesOf(shell.process.pid ?? 0, 'weights')).slice(-1);
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await jobOf(id)).state, { timeout: 20_000 }).toBe('failed');
    expect((await jobOf(id)).error).toMatchObject({
      ...{ code: 'engine-died', remedy: expect.stringContaining('Resume') as string },
      message: expect.stringContaining('SIGKILL') as string,
    });
    await shell.client.weights.resume({ jobId: id });
    expect(await ended(id)).toMatchObject({ error: null, firstWords: spoken });
  });

  test('on what is not there, or does not belong together, is refused before it is in line', async () => {
    const missing = join(folder, 'nothing.gguf');
    await expect(shell.client.weights.recognise({ path: missing })).rejects.toMatchObject({
      data: { code: 'file-missing' },
    });
    await expect(
      start({ kind: 'delta-make', base: missing, target: models.talker, out: 'x.gguf', compress: false }),
    ).rejects.toMatchObject({ data: { code: 'file-missing' } });
    await expect(
      start({
        kind: 'delta-make',
        base: models.large,
        target: models.talker,
        out: 'x.gguf',
        compress: false,
      }),
    ).rejects.toMatchObject({ data: { code: 'invalid-input' } });
    expect(await shell.client.weights.list()).toEqual([]);
  });

  test('with importance from a text computes that first, and leaves only the model', async () => {
    const text = join(folder, 'text.txt');
    await writeFile(text, `${spoken}. `.repeat(400));
    const { id } = await start({
      ...{ kind: 'quantize', from: models.talker, out: 'small.gguf', type: 'Q8_0', requantize: true },
      ...{ importance: null, importanceText: text },
    });
    const phases = new Set<string>();
    const job = await until(id, ({ state, speaking, progress }) => {
      if (progress) phases.add(progress.phase);
      return state === 'done' && !speaking;
    });
    expect(job.error).toBeNull();
    expect(await modelFiles()).toEqual(['small.gguf']);
    expect(await shell.client.weights.lineage({ path: outOf(job) })).toMatchObject({
      from: [{ role: 'model' }, { role: 'text', path: text }],
    });
  });
});

describe('a program that ends in the middle of an operation', () => {
  test.each(['stop', 'kill'] as const)('by %s shows it as stopped, and it goes on', async (how) => {
    const { id } = await start(toF32());
    await writing(id);
    const { dataFolder } = shell;
    await shell[how]();
    shell = await startShell({ dataFolder });
    expect(await jobOf(id)).toMatchObject({ state: 'stopped', error: null, result: null });
    await shell.client.weights.resume({ jobId: id });
    expect(await ended(id)).toMatchObject({ firstWords: spoken });
  });
});

describe('weights that are uploaded', () => {
  /** Sends files as a browser does that may not tell their paths. */
  async function send(source: string, name: string): Promise<string> {
    const { groupId } = await shell.client.uploads.beginGroup({ name });
    for (const file of await readdir(source)) {
      const bytes = await readFile(join(source, file));
      const { uploadId } = await shell.client.uploads.begin({ name: file, bytes: bytes.byteLength, groupId });
      await shell.client.uploads.append({ uploadId, offset: 0, piece: new Blob([bytes]) });
    }
    return (await shell.client.weights.keep({ groupId })).path;
  }
  const kept = () => readdir(join(shell.dataFolder, 'uploaded-weights'));

  test('keep their names, and are gone when their operation is done', async () => {
    const [base, target] = [await send(models.llama, 'llama'), await send(models.vicuna, 'vicuna')];
    expect(await shell.client.weights.recognise({ path: base })).toMatchObject({
      ...{ name: 'llama', kind: 'model', layout: 'hugging-face', architecture: 'llama' },
    });
    const job = await start({ kind: 'delta-make', base, target, out: 'delta', compress: false });
    await ended(job.id);
    await expect.poll(kept).toEqual([]);
  });

  test('stay while an operation may be resumed, also after a restart; others go', async () => {
    const [base, target] = [await send(models.llama, 'llama'), await send(models.vicuna, 'vicuna')];
    const alone = await send(models.llama, 'alone');
    const first = await start(toF32());
    const { id } = await start({ kind: 'delta-make', base, target, out: 'delta', compress: false });
    await shell.client.weights.cancel({ jobId: id });
    await shell.client.weights.discard({ jobId: first.id });
    await shell.client.weights.forget({ path: base });
    expect(await kept()).toHaveLength(3);
    await shell.stop();
    shell = await startShell({ dataFolder: shell.dataFolder });
    await expect.poll(kept).toHaveLength(2);
    expect(existsSync(alone)).toBe(false);
    await shell.client.weights.discard({ jobId: id });
    expect(await kept()).toEqual([]);
  });

  test('can be taken away again, while files of the machine are left as they are', async () => {
    const path = await send(models.llama, 'llama');
    await shell.client.weights.forget({ path });
    expect(await kept()).toEqual([]);
    await shell.client.weights.forget({ path: models.llama });
    await shell.client.weights.forget({ path: join(shell.dataFolder, 'uploaded-weights', '..', 'models') });
    expect(existsSync(models.llama)).toBe(true);
  });
});
