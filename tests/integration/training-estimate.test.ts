import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import {
  defaultTrainingSettings,
  type EstimateInput,
  type TrainingJobs,
  type TrainingSettings,
} from '../../src/main/training/messages.ts';
import { describeDecoder, Weights } from '../../src/main/training/models/index.ts';
import { ParameterSet } from '../../src/main/training/parameters.ts';
import { buildGraphs } from '../../src/main/training/run-graphs.ts';
import { needsTransposed, trainedParameters } from '../../src/main/training/trained-parameters.ts';
import { suggestFor, type SuggestQuestion } from '../../src/main/runs/suggest.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';
import { buildRecurrentModel } from '../support/tiny-memory-models.ts';
import { openCpu, startRun } from '../support/training.ts';

const settings: TrainingSettings = {
  ...defaultTrainingSettings,
  ...{ device: 'cpu', threads: 1, context: 256, steps: 1, dropout: 0.1 },
};

const engine = new Engine<TrainingJobs>({ entry: 'training-engine', launch: launchChildProcess });
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let text: string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  text = join(temporary.folder, 'text.txt');
  await writeFile(text, 'the people may find water '.repeat(400));
});
afterAll(async () => {
  await engine.stop();
  await temporary.remove();
});

const estimate = (model: string, more: Partial<EstimateInput> = {}) =>
  engine.run(
    'estimate',
    { model, settings, length: 256, evaluates: false, speed: false, ...more },
    { signal: new AbortController().signal },
  );

test.each(['llama', 'qwen3', 'gemma3', 'phi3'] as const)(
  'the graphs of %s take as much before the model is loaded as afterwards',
  async (variant) => {
    const path = join(temporary.folder, `${variant}.gguf`);
    const file = await readModelFile(await buildTinyArchitecture(path, variant, 'Q8_0'));
    const decoder = describeDecoder(file);
    using backend = openCpu();
    const options = { transposed: needsTransposed(settings), exact: false };
    const bytesWith = (weights: Weights, described: boolean) => {
      const trained = trainedParameters(file, weights, settings);
      using parameters = new ParameterSet(backend, trained, { described });
      return [false, true].map((recompute) => {
        using graphs = buildGraphs(backend, { decoder, weights }, parameters, {
          ...{ settings, length: 256, recompute, evaluates: true, described },
        });
        return graphs.bytes;
      });
    };
    using described = Weights.describe(backend, file, options);
    using loaded = await Weights.load(backend, file, options);
    expect(described.bytes).toBe(loaded.bytes);
    expect(bytesWith(described, true)).toEqual(bytesWith(loaded, false));
  },
);

test('The estimate is what the run says itself, within a tenth', async () => {
  const model = await buildTinyModel(join(temporary.folder, 'large.gguf'), {
    shape: { layers: 4, embedding: 768, heads: 12, kvHeads: 4, feedForward: 2048, contextLength: 512 },
    ...{ tensorType: 'Q8_0', vocabularySize: 16_000 },
  });
  for (const recompute of ['never', 'always'] as const) {
    const chosen = { ...settings, recompute };
    const { bytes, freeBytes, fits, ...rest } = await estimate(model, { settings: chosen, evaluates: true });
    expect(fits).toBe(true);
    expect(bytes).toBeLessThan(freeBytes);
    expect(rest).toEqual({
      recompute: recompute === 'always',
      device: 'CPU, 1 thread',
      tokensPerSecond: null,
    });
    const out = join(temporary.folder, `${recompute}.gguf`);
    const run = startRun({ model, data: [text], out, settings: { ...chosen, validation: 0.1 } });
    const { estimatedBytes } = await run.result;
    expect(bytes / estimatedBytes).toBeGreaterThan(0.9);
    expect(bytes / estimatedBytes).toBeLessThan(1.1);
  }
});

test('Layers are computed twice where only that fits, and what does not fit at all is said', async () => {
  const model = await buildTinyArchitecture(join(temporary.folder, 'small.gguf'), 'llama', 'Q8_0');
  const free = (memoryLimit: number) => estimate(model, { settings: { ...settings, memoryLimit } });
  const [never, always] = await Promise.all(
    (['never', 'always'] as const).map((recompute) =>
      estimate(model, { settings: { ...settings, recompute } }),
    ),
  );
  if (!never || !always) throw new Error('Nothing was estimated.');
  const base = never.bytes - always.bytes;
  expect(base).toBeGreaterThan(0);
  // What the process takes already does not count against the limit.
  const limits = Array.from({ length: 24 }, (_, index) => 8e6 * (index + 1));
  const found = await Promise.all(limits.map(free));
  const states = found.map(({ fits, recompute }) => (fits ? (recompute ? 'twice' : 'once') : 'no'));
  expect(new Set(states)).toEqual(new Set(['no', 'twice', 'once']));
  expect(states).toEqual(states.toSorted((one, other) => order.indexOf(one) - order.indexOf(other)));
});
const order = ['no', 'twice', 'once'];

test('A suggestion for a model that is there says what its run then takes', async () => {
  const path = await buildTinyArchitecture(join(temporary.folder, 'suggested.gguf'), 'llama', 'Q8_0');
  const measures = {
    ...{ modelId: 1, examples: 1, tokens: 3000, learntTokens: 3000, median: 3000, longest: 3000 },
    histogram: [{ from: 2048, to: 4096, count: 1 }],
  };
  const suggestion = (file: string) =>
    suggestFor(
      {
        model: { ...model, path: file },
        data: [{ counts: { conversations: 0, texts: 1, excluded: 0, validation: 0 }, measures }],
        ...{ given: { device: 'cpu', threads: 1, epochs: 1 }, chatModel: null },
      },
      { launchEngine: launchChildProcess, signal: new AbortController().signal },
    );
  const { fits, seconds, bytes, settings: chosen } = await suggestion(path);
  expect(fits).toBe(true);
  expect(seconds).toBeGreaterThan(0);
  const run = startRun({
    model: path,
    data: [text],
    out: join(temporary.folder, 's.gguf'),
    settings: chosen,
  });
  const { estimatedBytes } = await run.result;
  expect(bytes / estimatedBytes).toBeGreaterThan(0.9);
  expect(bytes / estimatedBytes).toBeLessThan(1.1);

  const mamba = await buildRecurrentModel(join(temporary.folder, 'mamba.gguf'));
  await expect(suggestion(mamba)).rejects.toMatchObject({ code: 'unsupported-model' });
});
const model: SuggestQuestion['model'] = { path: '', parameters: 1e6, contextLength: 512 };

test('The speed is measured where it is asked for, of a model of which not one layer is loaded', async () => {
  const model = await buildTinyArchitecture(join(temporary.folder, 'quick.gguf'), 'gemma3', 'Q8_0');
  const { tokensPerSecond } = await estimate(model, { speed: true });
  expect(tokensPerSecond).toBeGreaterThan(0);
  // There is no memory to find out in.
  const short = await estimate(model, { speed: true, settings: { ...settings, memoryLimit: 1000 } });
  expect(short).toMatchObject({ fits: false, tokensPerSecond: null });
});
