import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PunaEvent, TrainingRun, TrainingSettings } from '../../src/shared/contract/index.ts';
import { buildScriptedModel, buildTinyModel } from '../support/models.ts';
import { enginesOf } from '../support/processes.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const data = [resolve('tests/fixtures/datasets/sharegpt.json')];
const short: Partial<TrainingSettings> = {
  ...{ rank: 4, alpha: 8, context: 64, steps: 12, warmup: 2, learningRate: 3e-3, checkpointEvery: 3 },
  threads: 1,
};
/** One that goes on until something is done about it. */
const long: Partial<TrainingSettings> = { ...short, steps: 100_000 };
/** Larger than what a run of the tiny model takes, its process included. */
const chatModelMegabytes = 400;
const spoken = 'Golden grass on the wide and windy puna';

let folder: string;
let removeFolder: () => Promise<void>;
let models: { tiny: string; large: string };
let shell: Shell;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  models = {
    tiny: await buildTinyModel(join(folder, 'tiny.gguf')),
    large: await buildScriptedModel(join(folder, 'large.gguf'), {
      ...{ reply: spoken, ballast: chatModelMegabytes },
    }),
  };
});
afterAll(() => removeFolder());
beforeEach(async () => {
  shell = await startShell({ dataFolder: join(folder, `data-${++count}`) });
});
afterEach(() => shell.stop());

const begin = async (settings: Partial<TrainingSettings>, name = '') => {
  const { id: modelId } = await shell.client.models.add({ path: models.tiny });
  return shell.client.training.start({ modelId, data, settings, name });
};
const runOf = async (id: number): Promise<TrainingRun> => {
  const run = (await shell.client.training.list()).find((each) => each.id === id);
  if (!run) throw new Error(`There is no run ${id}.`);
  return run;
};
const stepOf = async (id: number) => (await runOf(id)).step?.step ?? 0;

/** Waits until a run is as it should be. */
async function until(id: number, holds: (run: TrainingRun) => boolean): Promise<TrainingRun> {
  for (;;) {
    const run = await runOf(id);
    if (holds(run)) return run;
    if (run.state === 'failed') throw new Error(`${run.error?.message} ${run.error?.remedy}`);
    await setTimeout(30);
  }
}
const ended = (id: number) => until(id, ({ state }) => state === 'done');
const stepping = (id: number, least = 5) =>
  until(id, ({ state, step }) => state === 'running' && (step?.step ?? 0) >= least);

/** All that is told from now on. */
async function listen(): Promise<PunaEvent[]> {
  const seen: PunaEvent[] = [];
  const events = await shell.client.system.events();
  void (async () => {
    for await (const event of events) seen.push(event);
  })().catch(() => undefined);
  return seen;
}

async function killTrainingEngine(): Promise<void> {
  const [pid] = await enginesOf(shell.process.pid ?? 0, 'training');
  process.kill(pid ?? 0, 'SIGKILL');
}

describe('a run', () => {
  test('tells how it goes, and ends as an adapter of the library, with which the model replies', async () => {
    const seen = await listen();
    const { id, adapterPath } = await begin({ ...short, validation: 0.2, evaluateEvery: 4 }, 'First');
    const run = await ended(id);
    expect(run).toMatchObject({
      ...{ name: 'First', modelName: 'tiny', error: null, hasCheckpoint: false, secondsLeft: null },
      plan: { steps: 12, doneSteps: 0 },
      step: { step: 12 },
    });
    expect(run.losses.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(run.validations.map(({ step }) => step)).toEqual([0, 4, 8, 12]);
    expect(run.endedAt).toBeGreaterThanOrEqual(run.startedAt ?? Infinity);
    const told = seen.flatMap((event) => (event.type === 'training' ? [event.run.state] : []));
    expect(told.filter((state, index) => state !== told[index - 1])).toEqual([
      ...['waiting', 'preparing', 'running', 'done'],
    ]);

    expect(dirname(adapterPath)).toBe(join(shell.dataFolder, 'adapters'));
    expect(basename(adapterPath)).toMatch(/^First \d{4}-\d\d-\d\d 1\.gguf$/);
    const { models: all } = await shell.client.system.state();
    expect(all.find(({ kind }) => kind === 'adapter')).toMatchObject({
      id: run.adapterId,
      path: adapterPath,
    });
    const { id: conversationId } = await shell.client.conversations.create({
      adapters: [{ adapterId: run.adapterId ?? 0, scale: 1 }],
    });
    await shell.client.chat.send({ conversationId, parentId: null, text: 'Hello', attachments: [] });
    await replyFinished(shell);
    const { messages } = await shell.client.messages.path({ conversationId, limit: 10 });
    expect(messages.at(-1)).toMatchObject({ status: 'complete', stats: { adapters: [{ scale: 1 }] } });
  });

  test('that is paused stands still, with an estimate before and after, and goes on', async () => {
    const { id } = await begin(long);
    expect((await stepping(id)).secondsLeft).toBeGreaterThan(0);
    expect(await shell.client.training.pause({ runId: id })).toMatchObject({ state: 'paused' });
    // The step that was at work still ends.
    await setTimeout(500);
    const held = await stepOf(id);
    await setTimeout(500);
    expect(await runOf(id)).toMatchObject({ state: 'paused', step: { step: held }, secondsLeft: null });
    expect(await shell.client.training.resume({ runId: id })).toMatchObject({ state: 'running' });
    await stepping(id, held + 3);
    await shell.client.training.cancel({ runId: id });
  });

  test('that is paused can be stopped', async () => {
    const { id } = await begin(long);
    await stepping(id);
    await shell.client.training.pause({ runId: id });
    expect(await shell.client.training.cancel({ runId: id })).toMatchObject({
      state: 'stopped',
      error: null,
    });
  });

  test('that is stopped keeps its adapter; resumed, it goes on from there and makes another one', async () => {
    const { id } = await begin(long);
    await stepping(id);
    const stopped = await shell.client.training.cancel({ runId: id });
    expect(stopped).toMatchObject({ state: 'stopped', hasCheckpoint: true, error: null });
    expect(stopped.adapterId).not.toBeNull();
    const before = await readFile(stopped.adapterPath);
    const at = stopped.step?.step ?? Infinity;

    await shell.client.training.resume({ runId: id });
    const resumed = await stepping(id, at + 3);
    expect(resumed.plan?.doneSteps).toBe(at);
    expect(resumed.adapterPath).not.toBe(stopped.adapterPath);
    expect(resumed.losses.at(0)?.step).toBe(stopped.losses.at(0)?.step);
    const again = await shell.client.training.cancel({ runId: id });
    expect(again.adapterId).not.toBe(stopped.adapterId);
    // llama.cpp knows adapters by their path: what was there must stay as it was.
    expect((await readFile(stopped.adapterPath)).equals(before)).toBe(true);
    expect((await readFile(again.adapterPath)).equals(before)).toBe(false);
  });

  test('whose engine is killed fails with the reason, and goes on from its last checkpoint', async () => {
    const { id } = await begin(long);
    await stepping(id);
    await killTrainingEngine();
    await expect.poll(async () => (await runOf(id)).state, { timeout: 20_000 }).toBe('failed');
    expect(await runOf(id)).toMatchObject({
      hasCheckpoint: true,
      error: {
        code: 'engine-died',
        message: expect.stringContaining('SIGKILL') as string,
        remedy: expect.stringContaining('Resume') as string,
      },
    });
    await shell.client.training.resume({ runId: id });
    const resumed = await stepping(id);
    expect(resumed.plan?.doneSteps).toBeGreaterThanOrEqual(3);
    expect(resumed.error).toBeNull();
    await shell.client.training.cancel({ runId: id });
  });

  test('waits for the one before it; one that waits can be stopped at once', async () => {
    const [first, second, third] = [await begin(long), await begin(short), await begin(short)];
    await stepping(first.id);
    expect((await shell.client.training.list()).map(({ state }) => state)).toEqual([
      ...['waiting', 'waiting', 'running'],
    ]);
    await expect(shell.client.training.pause({ runId: third.id })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
    expect(await shell.client.training.cancel({ runId: third.id })).toMatchObject({
      ...{ state: 'stopped', startedAt: null, hasCheckpoint: false },
    });
    await shell.client.training.cancel({ runId: first.id });
    const run = await ended(second.id);
    expect(run.startedAt).toBeGreaterThanOrEqual((await runOf(first.id)).endedAt ?? Infinity);
    // It never began, and begins now.
    await shell.client.training.resume({ runId: third.id });
    const paths = [run.adapterPath, (await ended(third.id)).adapterPath];
    expect(new Set(paths).size).toBe(2);
  });

  test('of what is not there is refused before anything is written', async () => {
    const { id: modelId } = await shell.client.models.add({ path: models.tiny });
    const missing = join(folder, 'nothing.jsonl');
    await expect(shell.client.training.start({ modelId, data: [missing] })).rejects.toMatchObject({
      data: { code: 'file-missing' },
    });
    await expect(shell.client.training.start({ modelId: 99, data })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
    expect(await shell.client.training.list()).toEqual([]);
  });
});

describe('a program that ends in mid-run', () => {
  test.each(['stop', 'kill'] as const)('by %s shows it as stopped, and it goes on', async (how) => {
    const { id } = await begin(long);
    await stepping(id, 8);
    const { dataFolder } = shell;
    await shell[how]();
    shell = await startShell({ dataFolder });
    const stopped = await runOf(id);
    expect(stopped).toMatchObject({ state: 'stopped', hasCheckpoint: true, error: null });
    // Cleanly, it ends with an adapter; by a power cut, with the last checkpoint.
    expect(stopped.adapterId === null).toBe(how === 'kill');
    await shell.client.training.resume({ runId: id });
    const resumed = await stepping(id, 10);
    expect(resumed.plan?.doneSteps).toBeGreaterThanOrEqual(6);
    await shell.client.training.cancel({ runId: id });
  });
});

describe('memory', () => {
  /** Enough for either the run or the model that chats, not for both. */
  const memoryLimit = (chatModelMegabytes + 100) * 1e6;
  const talk = async (modelId: number) => {
    const { id } = await shell.client.conversations.create({ modelId });
    await shell.client.chat.send({ conversationId: id, parentId: null, text: 'Hello', attachments: [] });
    return id;
  };
  const replyIn = async (conversationId: number) =>
    (await shell.client.messages.path({ conversationId, limit: 10 })).messages.at(-1);
  const notices = (seen: PunaEvent[]) => seen.filter(({ type }) => type === 'notice');

  test('that is too little for both is given to training once the reply has ended, and back afterwards', async () => {
    const { id: modelId } = await shell.client.models.add({ path: models.large });
    const seen = await listen();
    const talking = await talk(modelId);
    await expect.poll(async () => (await replyIn(talking))?.text, { timeout: 20_000 }).toContain('Golden');
    const { id } = await begin({ ...long, memoryLimit });
    // The first try may do some steps before it is stopped.
    await expect.poll(() => notices(seen), { timeout: 20_000 }).toHaveLength(1);
    const { plan } = await stepping(id);
    expect(plan?.estimatedBytes).toBeLessThan(memoryLimit);
    expect(await replyIn(talking)).toMatchObject({ status: 'complete', text: spoken });
    expect(notices(seen)).toEqual([{ type: 'notice', notice: 'model-unloaded-for-training' }]);
    expect((await shell.client.system.state()).engine).toMatchObject({ state: 'stopped', modelId: null });

    const refused = await talk(modelId);
    await replyFinished(shell);
    expect(await replyIn(refused)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('no room in memory for large while training is running') as string,
    });
    await shell.client.training.cancel({ runId: id });
    const engine = async () => (await shell.client.system.state()).engine;
    await expect.poll(engine, { timeout: 20_000 }).toMatchObject({ state: 'ready', modelId });
    expect(await replyIn(await talk(modelId))).toMatchObject({ role: 'assistant' });
  });

  test('that is too little for training alone fails the run with what is needed; the model is there again', async () => {
    const { id: modelId } = await shell.client.models.add({ path: models.large });
    await shell.client.models.load({ modelId });
    const seen = await listen();
    const { id } = await begin({ ...short, memoryLimit: 1000 });
    await expect.poll(async () => (await runOf(id)).state, { timeout: 20_000 }).toBe('failed');
    expect(await runOf(id)).toMatchObject({
      ...{ adapterId: null, hasCheckpoint: false },
      error: { code: 'out-of-memory', message: expect.stringContaining('Training needs') as string },
    });
    expect(notices(seen)).toHaveLength(1);
    const engine = async () => (await shell.client.system.state()).engine;
    await expect.poll(engine, { timeout: 20_000 }).toMatchObject({ state: 'ready', modelId });
  });

  test('that suffices leaves the model where it is', async () => {
    const { id: modelId } = await shell.client.models.add({ path: models.large });
    await shell.client.models.load({ modelId });
    const seen = await listen();
    await ended((await begin({ ...short, memoryLimit: 20e9 })).id);
    expect(notices(seen)).toEqual([]);
    expect((await shell.client.system.state()).engine).toMatchObject({ state: 'ready', modelId });
  });
});
