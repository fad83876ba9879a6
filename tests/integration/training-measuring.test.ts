import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { llama } from '../../src/main/inference/llama.ts';
import {
  defaultTrainingSettings,
  type TrainingEvent,
  type TrainingSettings,
} from '../../src/main/training/messages.ts';
import { loadData } from '../../src/main/training/training-data.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';
import { readNumbers, relativeDifference, startRun } from '../support/training.ts';

const dialogues = 'tests/fixtures/datasets/sharegpt.json';
const settings: Partial<TrainingSettings> = {
  ...{ rank: 4, alpha: 8, dropout: 0.1, context: 128, batch: 2, steps: 8, warmup: 3, learningRate: 3e-3 },
  ...{ evaluateEvery: 4, checkpointEvery: 2, threads: 1 },
};

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
let heldOut: string;
let count = 0;
let out: string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  model = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama');
  heldOut = await words('held-out.txt', 'the people may find water and call it a good day');
});
beforeEach(() => (out = join(temporary.folder, `adapter-${++count}.gguf`)));
afterAll(() => temporary.remove());

async function words(name: string, text: string): Promise<string> {
  const path = join(temporary.folder, name);
  await writeFile(path, text);
  return path;
}

const run = (more: Partial<Parameters<typeof startRun>[0]> = {}, onEvent?: Parameters<typeof startRun>[1]) =>
  startRun({ model, data: [dialogues], validationData: [heldOut], out, settings, ...more }, onEvent);

function events<Type extends TrainingEvent['type']>(
  { events: all }: { events: TrainingEvent[] },
  type: Type,
): Extract<TrainingEvent, { type: Type }>[] {
  return all.filter((event): event is Extract<TrainingEvent, { type: Type }> => event.type === type);
}

/** Mean nats of each token of a text but the first, with the token that ends it, as llama.cpp has them. */
async function lossInLlamaCpp(path: string): Promise<number> {
  const loaded = await (await llama(false)).loadModel({ modelPath: model, vocabOnly: true, gpuLayers: 0 });
  const { bos, eos } = loaded.tokens;
  const tokens = [bos ?? 0, ...loaded.tokenize(await readFile(path, 'utf8')), eos ?? 0];
  await loaded.dispose();
  using bare = new BareLlama(model, { threads: 1, contextSize: 128, exact: true });
  let nats = 0;
  for (const [index, token] of tokens.slice(0, -1).entries()) {
    bare.decode(Int32Array.of(token));
    const logits = [...bare.logits()];
    const most = Math.max(...logits);
    const sum = logits.reduce((all, logit) => all + Math.exp(logit - most), 0);
    nats += most + Math.log(sum) - (logits[tokens[index + 1] ?? 0] ?? NaN);
  }
  return nats / (tokens.length - 1);
}

describe('what is measured on', () => {
  test('is not learnt from, and takes the place of a share of the data', async () => {
    const alone = run({ validationData: [], settings: { ...settings, steps: 1 } });
    await alone.result;
    const beside = run({ settings: { ...settings, steps: 1, validation: 0.5 } });
    await beside.result;
    const [[before], [plan]] = [events(alone, 'plan'), events(beside, 'plan')];
    expect(before).toMatchObject({ validationSamples: 0 });
    expect(plan).toMatchObject({ samples: before?.samples, validationSamples: 1 });
  });

  test('is nothing that is learnt as well, which is said', async () => {
    const twice = await words('twice.jsonl', '{"text": "a good day"}\n{"text": "the water"}\n');
    const started = run({ data: [heldOut, twice], validationData: [twice, heldOut, dialogues] });
    await started.result;
    const only = run({ data: [heldOut, twice], validationData: [dialogues] });
    await only.result;
    const planned = [started, only].map((each) => events(each, 'plan')[0]?.validationSamples);
    expect(planned[0]).toBe(planned[1]);
    expect(events(started, 'note').map(({ text }) => text)).toContain(
      'To measure on: 3 left out: they are learnt as well',
    );
    expect(
      events(only, 'note')
        .map(({ text }) => text)
        .join(),
    ).not.toMatch(/as well/);
  });

  test('is measured before the first step: the loss that the model has in llama.cpp', async () => {
    const started = run();
    const { baseValidationLoss } = await started.result;
    const measured = events(started, 'validation');
    expect(measured.map(({ step, best }) => [step, best])).toEqual([
      [0, false],
      [4, expect.any(Boolean)],
      [8, expect.any(Boolean)],
    ]);
    expect(measured[0]?.validationLoss).toBe(baseValidationLoss);
    const expected = await lossInLlamaCpp(heldOut);
    expect(Math.abs((baseValidationLoss ?? NaN) / expected - 1)).toBeLessThan(1e-4);
    expect(started.events.findIndex(({ type }) => type === 'validation')).toBeLessThan(
      started.events.findIndex(({ type }) => type === 'step'),
    );
  });

  test('changes nothing when the run is stopped or killed and goes on, and the base is measured once', async () => {
    const { last } = await run().result;
    const whole = await readFile(last ?? '');
    const best = await readFile(out);
    out = join(temporary.folder, `adapter-${++count}.gguf`);
    const killed = run({}, (event, it) => event.type === 'step' && event.step === 5 && it.kill());
    await expect(killed.result).rejects.toMatchObject({ code: 'engine-died' });
    const resumed = run({ resume: true });
    const result = await resumed.result;
    expect((await readFile(result.last ?? '')).equals(whole)).toBe(true);
    expect((await readFile(out)).equals(best)).toBe(true);
    expect(events(resumed, 'validation').map(({ step }) => step)).not.toContain(0);
    expect(result.baseValidationLoss).toBe(events(killed, 'validation')[0]?.validationLoss);
  });

  test('must be the same for a run that goes on', async () => {
    await run({}, (event, it) => event.type === 'step' && it.stop()).result;
    const other = await words('other.txt', 'something else to measure on');
    await expect(run({ resume: true, validationData: [other] }).result).rejects.toMatchObject({
      message: expect.stringMatching(/^The data have changed/) as string,
    });
    await expect(run({ out: heldOut }).result).rejects.toMatchObject({ code: 'invalid-input' });
  });

  test('may never come out better than from the base, which is said; the best of what was learnt is kept', async () => {
    // A model that knows by heart what it is measured on.
    const knowing = join(temporary.folder, 'knowing.gguf');
    const all = { ...settings, trained: 'all', dropout: 0, steps: 20, learningRate: 3e-3 } as const;
    await run({ data: [heldOut], validationData: [], out: knowing, settings: all }).result;
    const other = { ...settings, steps: 6, evaluateEvery: 1, learningRate: 3e-2, patience: 3 };
    const started = run({ model: knowing, settings: other });
    const result = await started.result;
    const [base, ...later] = events(started, 'validation').map(({ validationLoss }) => validationLoss);
    expect(Math.min(...later)).toBeGreaterThan(base ?? NaN);
    expect(
      events(started, 'note')
        .map(({ text }) => text)
        .join(),
    ).toMatch(/never came out better/);
    expect(result.validationLoss).toBe(Math.min(...later));
    expect((await stat(out)).size).toBeGreaterThan(0);
    const good = run({ data: [heldOut] });
    await good.result;
    expect(
      events(good, 'note')
        .map(({ text }) => text)
        .join(),
    ).not.toMatch(/never came out better/);
  });
});

describe('copies for samples', () => {
  test('are adapters as they are at those steps, and change nothing that is learnt', async () => {
    const started = run({ settings: { ...settings, sampleEvery: 4 } });
    const { last } = await started.result;
    const copies = events(started, 'snapshot');
    expect(copies.map(({ step }) => step)).toEqual([4, 8]);
    expect(copies.map(({ path }) => path)).toEqual(
      [4, 8].map((step) => out.replace('.gguf', `.sample-${step}.gguf`)),
    );
    expect(await readFile(copies[1]?.path ?? '')).toEqual(await readFile(last ?? ''));

    const logits = (adapter: string | null) => {
      using bare = new BareLlama(model, { threads: 1, contextSize: 64, exact: true });
      if (adapter) bare.useAdapter(adapter);
      for (const token of [300, 412, 77, 530]) bare.decode(Int32Array.of(token));
      return Float32Array.from(bare.logits());
    };
    const [base, early, late] = [null, ...copies.map(({ path }) => path)].map(logits);
    if (!base || !early || !late) throw new Error('There are no copies.');
    expect(relativeDifference(early, base)).toBeGreaterThan(1e-4);
    expect(relativeDifference(late, early)).toBeGreaterThan(1e-4);

    out = join(temporary.folder, `adapter-${++count}.gguf`);
    const plain = run();
    const { last: same } = await plain.result;
    expect(events(plain, 'snapshot')).toEqual([]);
    expect(await readNumbers(same ?? '')).toEqual(await readNumbers(last ?? ''));
  });

  test('may be asked for at other steps by a run that goes on', async () => {
    await run({}, (event, it) => event.type === 'step' && event.step === 2 && it.stop()).result;
    const resumed = run({ resume: true, settings: { ...settings, sampleEvery: 5 } });
    await resumed.result;
    expect(events(resumed, 'snapshot').map(({ step }) => step)).toEqual([5]);
  });
});

test('Each step tells the memory that was taken so far', async () => {
  const started = run();
  const { peakMemoryBytes } = await started.result;
  const bytes = events(started, 'step').map(({ memoryBytes }) => memoryBytes);
  expect(bytes).toEqual(bytes.toSorted((one, other) => one - other));
  expect(bytes[0]).toBeGreaterThan((await stat(model)).size);
  expect(bytes.at(-1)).toBeLessThanOrEqual(peakMemoryBytes);
});

test('Of too many examples an even sample is learnt from, the same each time, and that is said', async () => {
  const lines = Array.from({ length: 500 }, (_, index) => JSON.stringify({ text: `number ${index} ` }));
  const data = [await words('many.jsonl', lines.join('\n'))];
  const whole = { ...defaultTrainingSettings, ...settings };
  const load = (seed: number, most?: number) =>
    loadData(
      llamaCpp,
      { model, data, out, settings: { ...whole, seed }, resume: false },
      new AbortController().signal,
      most,
    );
  const llamaCpp = await llama(false);
  const [first, again, other, all] = [
    await load(1, 100),
    await load(1, 100),
    await load(2, 100),
    await load(1),
  ];
  expect(first.learnt).toHaveLength(100);
  expect(first.notes).toEqual(['100 of 500 examples are used, drawn evenly']);
  expect(again).toEqual(first);
  expect(other.learnt).not.toEqual(first.learnt);
  expect(all.learnt).toHaveLength(500);
  expect(all.notes).toEqual([]);
  const known = new Set(all.learnt.map(({ tokens }) => tokens.join()));
  const found = new Set(first.learnt.map(({ tokens }) => tokens.join()));
  expect(found.size).toBe(100);
  expect(found.isSubsetOf(known)).toBe(true);
});
