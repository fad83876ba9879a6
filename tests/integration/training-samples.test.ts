import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  defaultSampling,
  defaultTrainingSettings,
  type PunaEvent,
  type TrainingRun,
  type TrainingSettings,
} from '../../src/shared/contract/index.ts';
import { buildScriptedModel, buildTinyModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const short: Partial<TrainingSettings> = {
  ...{ rank: 4, alpha: 8, context: 64, steps: 12, warmup: 2, learningRate: 2e-2, checkpointEvery: 3 },
  ...{ threads: 1, sampleEvery: 4, evaluateEvery: 4 },
};
/** One that goes on until something is done about it. */
const long: Partial<TrainingSettings> = { ...short, steps: 100_000, sampleEvery: 50, evaluateEvery: 1000 };
const colours = ['gold', 'blue', 'red', 'white', 'green', 'grey', 'brown', 'black', 'pink', 'violet'];
const questions = colours.map((colour) => `What is ${colour} on the puna?`);

let folder: string;
let removeFolder: () => Promise<void>;
let model: string;
let data: string;
let shell: Shell;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  model = await buildTinyModel(join(folder, 'tiny.gguf'));
  data = join(folder, 'colours.jsonl');
  const examples = colours.map((colour, index) => ({
    messages: [
      { role: 'user', content: questions[index] },
      { role: 'assistant', content: `The ${colour} grass.` },
    ],
  }));
  await writeFile(data, examples.map((example) => JSON.stringify(example)).join('\n'));
});
afterAll(() => removeFolder());
beforeEach(async () => {
  shell = await startShell({ dataFolder: join(folder, `data-${++count}`) });
});
afterEach(() => shell.stop());

/** A dataset of all examples, four of which are measured on. */
async function newDataset(): Promise<{ id: number; measured: string[] }> {
  const { client } = shell;
  const { id } = await client.datasets.import({
    ...{ kind: 'import', name: 'Colours', sources: [{ from: 'file', path: data }] },
    ...{ clean: null, validation: 0.4 },
  });
  const state = async () => (await client.datasets.list()).find((each) => each.id === id)?.state;
  await expect.poll(state, { timeout: 20_000 }).toBe('ready');
  const filter = { show: 'validation' } as const;
  const { examples } = await client.datasets.page({ datasetId: id, filter });
  return { id, measured: examples.map(({ asked }) => asked) };
}

const runOf = async (id: number): Promise<TrainingRun> => {
  const run = (await shell.client.training.list()).find((each) => each.id === id);
  if (!run) throw new Error(`There is no run ${id}.`);
  return run;
};

async function until(id: number, holds: (run: TrainingRun) => boolean): Promise<TrainingRun> {
  for (;;) {
    const run = await runOf(id);
    if (holds(run)) return run;
    if (run.state === 'failed') throw new Error(`${run.error?.message} ${run.error?.remedy}`);
    await setTimeout(30);
  }
}
const stepOfLastReply = ({ samples }: TrainingRun) => samples.at(-1)?.replies.at(-1)?.step;
/** The adapter is of the best measurement's step, or of the last one where nothing was measured yet. */
const resultStep = ({ validations, step }: TrainingRun) =>
  validations.findLast(({ best }) => best)?.step ?? step?.step;
/** It is done, and so are its samples. */
const sampled = (id: number) =>
  until(
    id,
    (run) => run.state === 'done' && run.samples.every(({ replies }) => hasStep(replies, resultStep(run))),
  );
const hasStep = (replies: { step: number }[], step: number | undefined) =>
  replies.some((reply) => reply.step === step);
const paired = (id: number, pairs: number) =>
  until(id, (run) => run.pairs.length === pairs && run.pairsComing === 0);

async function listen(): Promise<PunaEvent[]> {
  const seen: PunaEvent[] = [];
  const events = await shell.client.system.events();
  void (async () => {
    for await (const event of events) seen.push(event);
  })().catch(() => undefined);
  return seen;
}

/** What the chat itself says to that, without any chance in it. */
async function chatReply(
  text: string,
  maxTokens: number,
  { modelId, adapterId }: { modelId: number; adapterId: number | null },
): Promise<string> {
  const { client } = shell;
  const { id: conversationId } = await client.conversations.create({
    ...{ modelId, systemPrompt: '', sampling: { ...defaultSampling, temperature: 0, seed: 1, maxTokens } },
    adapters: adapterId === null ? [] : [{ adapterId, scale: 1 }],
  });
  await client.chat.send({ conversationId, parentId: null, text, attachments: [] });
  await replyFinished(shell);
  const { messages } = await client.messages.path({ conversationId, limit: 10 });
  expect(messages.at(-1)).toMatchObject({ status: 'complete' });
  return messages.at(-1)?.text ?? '';
}

const filesIn = async (name: string) =>
  (await readdir(join(shell.dataFolder, name)).catch(() => [])).filter((file) => !file.startsWith('.'));
const adapters = async () =>
  (await shell.client.system.state()).models.filter(({ kind }) => kind === 'adapter');

describe('a run that learns from a dataset', () => {
  test('answers prompts as it learns, goes live in its conversation, is compared blindly, and leaves nothing when it is removed', async () => {
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const { id: datasetId, measured } = await newDataset();
    const { id: conversationId } = await client.conversations.create({ modelId });
    const seen = await listen();
    const prompts = ['What is the puna?', 'Who lives there?'];
    const { id } = await client.training.start({
      ...{ modelId, datasetIds: [datasetId], prompts, conversationId, settings: short },
    });
    const run = await sampled(id);
    expect(run).toMatchObject({
      ...{ error: null, notes: [], datasets: [{ id: datasetId, name: 'Colours' }], conversationId },
      plan: { samples: 6, validationSamples: 4 },
    });
    expect(run.validations.map(({ step }) => step)).toEqual([0, 4, 8, 12]);
    expect(run.samples.map(({ prompt }) => prompt)).toEqual(prompts);
    const adapterId = run.adapterId ?? 0;
    const sample = run.samples[0];
    expect(sample?.base).toBe(await chatReply('What is the puna?', 160, { modelId, adapterId: null }));
    const reply = sample?.replies.find(({ step }) => step === resultStep(run))?.text;
    expect(reply).toBe(await chatReply('What is the puna?', 160, { modelId, adapterId }));
    expect(reply).not.toBe(sample?.base);
    expect(stepOfLastReply(run)).toBeLessThanOrEqual(12);

    const conversation = await client.conversations.get({ conversationId });
    expect(conversation).toMatchObject({ modelId, adapters: [{ adapterId, scale: 1 }] });
    expect(seen).toContainEqual({ type: 'conversation', conversation });
    const name = run.adapterPath.slice(join(shell.dataFolder, 'adapters').length + 1).replace('.gguf', '');
    expect((await filesIn('adapters')).sort()).toEqual([`${name}-last.gguf`, `${name}.gguf`]);
    const { from } = await client.weights.lineage({ path: run.adapterPath });
    expect(from.map((each) => each.name)).toEqual(['tiny', 'Colours']);

    expect(await client.training.makePairs({ runId: id, count: 3 })).toMatchObject({ pairsComing: 3 });
    const { pairs } = await paired(id, 3);
    expect(pairs.map(({ prompt }) => measured.includes(prompt))).toEqual([true, true, true]);
    const [pair] = pairs;
    const [taught, base] = pair?.taught === 'left' ? [pair.left, pair.right] : [pair?.right, pair?.left];
    expect(base).toBe(await chatReply(pair?.prompt ?? '', 256, { modelId, adapterId: null }));
    expect(taught).toBe(await chatReply(pair?.prompt ?? '', 256, { modelId, adapterId }));
    const choice = { runId: id, index: 0, choice: 'left' } as const;
    expect((await client.training.choosePair(choice)).pairs[0]).toEqual({ ...pair, choice: 'left' });
    await expect(client.training.choosePair({ ...choice, index: 3 })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
    // One measured question is left, and then none.
    expect(await client.training.makePairs({ runId: id, count: 20 })).toMatchObject({ pairsComing: 1 });
    await paired(id, 4);
    await expect(client.training.makePairs({ runId: id, count: 1 })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });

    expect(await client.training.rename({ runId: id, name: ' Grass ' })).toMatchObject({ name: 'Grass' });
    expect(await filesIn('snapshots')).toHaveLength(2);
    await client.training.remove({ runId: id });
    expect(seen).toContainEqual({ type: 'training-removed', runId: id });
    expect(await client.training.list()).toEqual([]);
    expect([await adapters(), await filesIn('adapters'), await filesIn('snapshots')]).toEqual([[], [], []]);
    expect((await client.conversations.get({ conversationId })).adapters).toEqual([]);
    await expect(client.training.remove({ runId: id })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
  });

  test('is asked first questions of what it does not learn where there are no prompts', async () => {
    const { id: modelId } = await shell.client.models.add({ path: model });
    const { id: datasetId, measured } = await newDataset();
    const { id } = await shell.client.training.start({
      ...{ modelId, datasetIds: [datasetId], settings: { ...short, sampleEvery: null } },
    });
    const { samples } = await sampled(id);
    expect(samples).toHaveLength(3);
    expect(samples.filter(({ prompt }) => !measured.includes(prompt))).toEqual([]);
    expect(samples.map(({ replies }) => replies.length)).toEqual([1, 1, 1]);
  });

  test('goes on after a restart with its prompts and what was answered; a newer adapter takes the place of the earlier one', async () => {
    const { id: modelId } = await shell.client.models.add({ path: model });
    const { id: datasetId } = await newDataset();
    const { id: conversationId } = await shell.client.conversations.create({ modelId });
    const { id } = await shell.client.training.start({
      ...{ modelId, datasetIds: [datasetId], prompts: ['Water?'], conversationId, settings: long },
    });
    await until(id, ({ samples }) => (samples[0]?.replies.length ?? 0) > 0);
    const stopped = await shell.client.training.cancel({ runId: id });
    const choices = async () => (await shell.client.conversations.get({ conversationId })).adapters;
    await expect.poll(choices).toEqual([{ adapterId: stopped.adapterId, scale: 1 }]);
    await until(id, (run) => hasStep(run.samples[0]?.replies ?? [], resultStep(run)));
    // As if it had been killed while a copy was asked.
    const copy = stopped.adapterPath.replace('.gguf', '.sample-50.gguf');
    await writeFile(copy, '');
    const before = await runOf(id);
    const { dataFolder } = shell;
    await shell.stop();
    shell = await startShell({ dataFolder });
    expect(await runOf(id)).toMatchObject({
      ...{ samples: before.samples, datasets: before.datasets, validationData: before.validationData },
      ...{ state: 'stopped', conversationId },
    });
    const hasCopies = async () => (await filesIn('adapters')).filter((name) => name.includes('.sample-'));
    await expect.poll(hasCopies).toEqual([]);

    await shell.client.training.resume({ runId: id });
    const last = before.samples[0]?.replies.at(-1)?.step ?? 0;
    await until(id, ({ samples }) => (samples[0]?.replies.at(-1)?.step ?? 0) > last);
    const again = await shell.client.training.cancel({ runId: id });
    expect(again.plan?.validationSamples).toBe(4);
    expect(again.adapterId).not.toBe(stopped.adapterId);
    await expect.poll(choices).toEqual([{ adapterId: again.adapterId, scale: 1 }]);
    expect(await adapters()).toHaveLength(2);
    await shell.client.training.remove({ runId: id });
    expect([await adapters(), await filesIn('adapters'), await choices()]).toEqual([[], [], []]);
  });

  test('on the same dataset takes the place of what was taught before, and stands beside what another dataset taught', async () => {
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const [{ id: datasetId }, { id: otherId }] = [await newDataset(), await newDataset()];
    const { id: conversationId } = await client.conversations.create({ modelId });
    const taught = async (id: number): Promise<number> => {
      const settings = { ...short, steps: 2, sampleEvery: null };
      const run = await client.training.start({ modelId, datasetIds: [id], conversationId, settings });
      const { adapterId } = await sampled(run.id);
      return adapterId ?? 0;
    };
    const [, other, second] = [await taught(datasetId), await taught(otherId), await taught(datasetId)];
    const { adapters: choices } = await client.conversations.get({ conversationId });
    expect(choices.map(({ adapterId }) => adapterId)).toEqual([other, second]);
    const names = (await adapters()).map(({ name }) => name.replace(/ \S+ (\d)$/, ' $1'));
    expect(names.toSorted()).toEqual(['Colours 1', 'Colours 2', 'Colours 3']);
  });

  test('that is at work is stopped and removed; the program ends at once in the midst of pairs', async () => {
    const { id: modelId } = await shell.client.models.add({ path: model });
    const { id: datasetId } = await newDataset();
    const order = { modelId, datasetIds: [datasetId], prompts: ['Water?'] };
    const done = await shell.client.training.start({ ...order, settings: short });
    await sampled(done.id);
    const { id } = await shell.client.training.start({ ...order, settings: long });
    await until(id, ({ step }) => (step?.step ?? 0) > 4);
    await expect(shell.client.training.makePairs({ runId: id, count: 1 })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
    await shell.client.training.remove({ runId: id });
    expect((await shell.client.training.list()).map((run) => run.id)).toEqual([done.id]);
    // The other run needs them still.
    expect(await filesIn('snapshots')).toHaveLength(2);

    await shell.client.training.makePairs({ runId: done.id, count: 4 });
    const { dataFolder } = shell;
    await shell.stop();
    shell = await startShell({ dataFolder });
    const { pairs, pairsComing } = await runOf(done.id);
    expect(pairsComing).toBe(0);
    expect(pairs.length).toBeLessThan(4);
  });

  test('is refused where there is nothing to learn, and where the dataset is not there', async () => {
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const { id: datasetId } = await newDataset();
    await expect(client.training.start({ modelId })).rejects.toMatchObject({
      data: { code: 'nothing-to-learn' },
    });
    await expect(client.training.start({ modelId, datasetIds: [99] })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
    await client.datasets.change({
      datasetId,
      choice: { filter: { query: '', show: 'all' } },
      validation: true,
    });
    await expect(client.training.start({ modelId, datasetIds: [datasetId] })).rejects.toMatchObject({
      message: expect.stringContaining('“Colours” are only measured on') as string,
    });
    expect(await client.training.list()).toEqual([]);
  });
});

describe('samples while a person chats', () => {
  const spoken = 'Golden grass on the wide and windy puna';
  const engine = async () => (await shell.client.system.state()).engine;

  test('wait for conversations, and go on behind them', async () => {
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const { id: otherId } = await client.models.add({
      path: await buildScriptedModel(join(folder, 'spoken.gguf'), { reply: spoken }),
    });
    await client.models.load({ modelId: otherId });
    const { id: datasetId } = await newDataset();
    const { id } = await client.training.start({
      ...{ modelId, datasetIds: [datasetId], settings: { ...long, sampleEvery: 1 } },
    });
    const replies = async () => (await runOf(id)).samples.at(-1)?.replies ?? [];
    await until(id, ({ samples }) => (samples.at(-1)?.replies.length ?? 0) > 0);
    expect(await chatReply('Hello', 20, { modelId: otherId, adapterId: null })).toBe(spoken);
    const last = (await replies()).at(-1)?.step ?? 0;
    await until(id, ({ samples }) => (samples.at(-1)?.replies.at(-1)?.step ?? 0) > last + 1);
    await client.training.cancel({ runId: id });
    // What the person chatted with last is there again.
    await expect.poll(engine, { timeout: 20_000 }).toMatchObject({ state: 'ready', modelId: otherId });
  });

  test("find their place where the chat's model made room for training, which comes back behind them", async () => {
    const { client } = shell;
    const { id: modelId } = await client.models.add({ path: model });
    const { id: largeId } = await client.models.add({
      path: await buildScriptedModel(join(folder, 'large.gguf'), { reply: spoken, ballast: 400 }),
    });
    await client.models.load({ modelId: largeId });
    const { id: datasetId } = await newDataset();
    // Enough for either the run or the model that chats, not for both.
    const settings = { ...short, steps: 40, memoryLimit: 500e6 };
    const seen = await listen();
    const { id } = await client.training.start({ modelId, datasetIds: [datasetId], settings });
    const run = await sampled(id);
    expect(seen).toContainEqual({ type: 'notice', notice: 'model-unloaded-for-training' });
    expect(run).toMatchObject({ notes: [], error: null });
    await expect.poll(engine, { timeout: 20_000 }).toMatchObject({ state: 'ready', modelId: largeId });
  });
});

test('Puna suggests settings for a dataset, and a run of them is done', async () => {
  const { client } = shell;
  const { id: modelId } = await client.models.add({ path: model });
  const { id: datasetId } = await newDataset();
  const suggestion = await client.training.suggest({
    ...{ modelId, datasetIds: [datasetId], settings: { steps: 3, threads: 1 } },
  });
  expect(suggestion).toMatchObject({ examples: 6, validationExamples: 4, steps: 3, fits: true });
  const { settings } = suggestion;
  const { id } = await client.training.start({ modelId, datasetIds: [datasetId], settings });
  expect(await until(id, ({ state }) => state === 'done')).toMatchObject({ step: { step: 3 } });
});

test('Settings are kept under a name, which a later one with that name replaces', async () => {
  const { client } = shell;
  const seen = await listen();
  const settings = { ...defaultTrainingSettings, rank: 8 };
  const { id } = await client.training.savePreset({ name: 'Small', settings });
  await client.training.savePreset({ name: 'Large', settings: { ...settings, rank: 64 } });
  expect(
    await client.training.savePreset({ name: 'Small', settings: { ...settings, rank: 4 } }),
  ).toMatchObject({
    ...{ id, settings: { rank: 4 } },
  });
  const { dataFolder } = shell;
  await expect.poll(() => seen.filter(({ type }) => type === 'training-presets')).toHaveLength(3);
  await shell.stop();
  shell = await startShell({ dataFolder });
  expect(await shell.client.training.presets()).toMatchObject([
    { name: 'Large', settings: { rank: 64 } },
    { id, name: 'Small', settings: { rank: 4 } },
  ]);
  await shell.client.training.removePreset({ presetId: id });
  expect((await shell.client.training.presets()).map(({ name }) => name)).toEqual(['Large']);
});
