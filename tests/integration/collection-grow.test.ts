import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dataset, GrowOrder } from '../../src/shared/contract/index.ts';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const question = 'Where does the old lighthouse of Arosa stand?';
const answer = 'It was built on the northern cape above the harbour.';
const fact =
  'The old lighthouse of Arosa was built on the northern cape, above the harbour, where ships pass.';

let folder: string;
let removeFolder: () => Promise<void>;
/** One that writes a pair, and one that writes it so slowly that it can be stopped on the way. */
let models: { quick: string; slow: string; useless: string };
let dataFolder: string;
let shell: Shell;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  const reply = `Q: ${question}\nA: ${answer}`;
  models = {
    quick: await buildScriptedModel(join(folder, 'quick.gguf'), { reply, name: 'Quick' }),
    slow: await buildScriptedModel(join(folder, 'slow.gguf'), { reply, name: 'Slow', ballast: 60 }),
    useless: await buildScriptedModel(join(folder, 'useless.gguf'), { reply: 'Hm.', name: 'Useless' }),
  };
});
afterAll(() => removeFolder());
beforeEach(async () => {
  dataFolder = join(folder, `data-${++count}`);
  shell = await startShell({ dataFolder });
});
afterEach(() => shell.stop());

const datasetOf = async (id: number): Promise<Dataset> => {
  const dataset = (await shell.client.datasets.list()).find((each) => each.id === id);
  if (!dataset) throw new Error(`There is no dataset ${id}.`);
  return dataset;
};
async function until(id: number, holds: (dataset: Dataset) => boolean): Promise<Dataset> {
  for (;;) {
    const dataset = await datasetOf(id);
    if (holds(dataset)) return dataset;
    if (['ready', 'failed', 'stopped'].includes(dataset.state)) {
      throw new Error(`It is ${dataset.state}: ${dataset.error?.message}`);
    }
    await setTimeout(10);
  }
}
const ready = (id: number) => until(id, ({ state }) => state === 'ready');
const failed = (id: number) => until(id, ({ state }) => state === 'failed');
/** The first pair is written, and others are still asked for. */
const writing = (id: number) =>
  until(id, ({ state, counts }) => state === 'working' && counts.conversations > 0);

/** A dataset of texts, of which each has what the pair is about. */
async function texts(howMany: number): Promise<Dataset> {
  const path = join(folder, `texts-${howMany}.jsonl`);
  const line = (_: unknown, index: number) =>
    `${JSON.stringify({ text: `Chapter ${index + 1} begins here. ${fact} ${fact}` })}\n`;
  await writeFile(path, Array.from({ length: howMany }, line).join(''));
  const { id } = await shell.client.datasets.import({
    ...{ kind: 'import', name: 'Arosa', clean: null, validation: 0 },
    sources: [{ from: 'file', path, me: null, columns: null, dates: null }],
  });
  return ready(id);
}

async function pairsOf(model: string, datasetId: number): Promise<Extract<GrowOrder, { kind: 'pairs' }>> {
  const { id: modelId } = await shell.client.models.add({ path: model });
  return { kind: 'pairs', name: '', datasetId, perText: 1, modelId, similarity: 0.7, seed: 1 };
}

describe('a dataset that a model writes', () => {
  test('has pairs about texts with their sources, and is not learnt from before somebody has looked at it', async () => {
    const about = await texts(3);
    const { id: datasetId } = await shell.client.datasets.grow(await pairsOf(models.quick, about.id));
    const made = await ready(datasetId);
    expect(made).toMatchObject({
      ...{ name: 'Arosa Q&A', reviewed: false, error: null, progress: null },
      counts: { conversations: 1, texts: 0 },
    });
    // The other two are the same.
    expect(made.leftOut.reduce((sum, entry) => sum + entry.count, 0)).toBeGreaterThanOrEqual(2);
    const { examples } = await shell.client.datasets.page({ datasetId });
    expect(examples).toMatchObject([
      { asked: question, answer, source: expect.stringContaining('1') as string },
    ]);
    const { models: all } = await shell.client.system.state();
    const order = { modelId: all[0]?.id ?? 0, datasetIds: [datasetId] };
    await expect(shell.client.training.start(order)).rejects.toThrow(/Nobody has looked at "Arosa Q&A" yet/);
    expect(await shell.client.datasets.approve({ datasetId })).toMatchObject({
      reviewed: true,
      state: 'ready',
    });
    const run = await shell.client.training.start({ ...order, settings: { steps: 1, context: 64, rank: 1 } });
    expect(run.datasets).toMatchObject([{ id: datasetId, name: 'Arosa Q&A' }]);
    expect((await datasetOf(datasetId)).fingerprint).toBe(run.datasets[0]?.fingerprint);
    await shell.client.training.cancel({ runId: run.id });
  });

  test('fails where nothing of it can be used, and is refused without texts or a model', async () => {
    const about = await texts(2);
    const { id } = await shell.client.datasets.grow(await pairsOf(models.useless, about.id));
    expect(await failed(id)).toMatchObject({
      error: { code: 'invalid-input' },
      counts: { conversations: 0 },
    });
    await expect(shell.client.datasets.approve({ datasetId: id })).rejects.toThrow(/has no examples/);
    const order = await pairsOf(models.quick, id);
    await expect(shell.client.datasets.grow(order)).rejects.toThrow(/no texts/);
    await expect(shell.client.datasets.grow({ ...order, modelId: 999 })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
  });

  test('keeps what was written when it is stopped; that can be approved, or gone on with', async () => {
    const about = await texts(12);
    const order = await pairsOf(models.slow, about.id);
    const { id: datasetId } = await shell.client.datasets.grow(order);
    await writing(datasetId);
    expect(await shell.client.datasets.cancel({ datasetId })).toMatchObject({
      state: 'stopped',
      reviewed: false,
    });
    expect((await shell.client.datasets.page({ datasetId })).examples).toHaveLength(1);
    await shell.client.datasets.resume({ datasetId });
    expect(await ready(datasetId)).toMatchObject({ counts: { conversations: 1 }, reviewed: false });

    const { id: other } = await shell.client.datasets.grow(order);
    await writing(other);
    await shell.client.datasets.cancel({ datasetId: other });
    expect(await shell.client.datasets.approve({ datasetId: other })).toMatchObject({
      ...{ state: 'ready', reviewed: true, counts: { conversations: 1 } },
    });
  });

  test('that was stopped is measured on in part once it is approved, and can be changed', async () => {
    const things = [
      'lighthouse',
      'harbour',
      'cape',
      'tower',
      'ships',
      'bridge',
      'market',
      'school',
      'mill',
      'inn',
    ];
    const pairs = things.map((thing) => `Q: ${question.replace('lighthouse', thing)}\nA: ${answer}`);
    const slow = join(folder, 'many.gguf');
    await buildScriptedModel(slow, { reply: pairs.join('\n'), name: 'Many', ballast: 60 });
    const order = await pairsOf(slow, (await texts(12)).id);
    const { id: datasetId } = await shell.client.datasets.grow({ ...order, perText: 10, similarity: 1 });
    await until(datasetId, ({ counts }) => counts.conversations === things.length);
    expect((await shell.client.datasets.cancel({ datasetId })).counts.validation).toBe(0);
    const counts = { conversations: 10, texts: 0, excluded: 0, validation: 1 };
    expect(await shell.client.datasets.approve({ datasetId })).toMatchObject({ state: 'ready', counts });
    await shell.client.datasets.split({ datasetId, validation: 0 });
    expect((await shell.client.datasets.approve({ datasetId })).counts.validation).toBe(0);
  });

  test('goes on by itself after the end of the program, and writes nothing twice', async () => {
    const about = await texts(12);
    const { id: datasetId } = await shell.client.datasets.grow(await pairsOf(models.slow, about.id));
    await writing(datasetId);
    await shell.kill();
    shell = await startShell({ dataFolder });
    await ready(datasetId);
    expect((await shell.client.datasets.page({ datasetId })).examples).toMatchObject([{ asked: question }]);
  });
});
