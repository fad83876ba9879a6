import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack, type Sequence } from '../../src/main/training/batches.ts';
import {
  fromFloats,
  Graph,
  Operations,
  packingFor,
  type Tensor,
  TensorContext,
  toFloats,
} from '../../src/main/ggml/index.ts';
import { describeDecoder, Weights } from '../../src/main/training/models/index.ts';
import { adaptedMatrices, Lora, loraParameters } from '../../src/main/training/lora.ts';
import { loraTargets } from '../../src/main/training/messages.ts';
import { ParameterSet } from '../../src/main/training/parameters.ts';
import { SequenceGraph } from '../../src/main/training/sequence-graph.ts';
import { ggmlTypes } from '../../src/main/weights/formats/gguf.ts';
import { type ModelFile, readModelFile, weightsOf } from '../../src/main/weights/model-file.ts';
import { temporaryFolder } from '../support/shell.ts';
import { seededRandom } from '../support/tiny-random.ts';
import { buildTinyArchitecture, type TinyVariant } from '../support/tiny-architectures.ts';
import { openCpu, relativeDifference, startRun } from '../support/training.ts';

const backend = openCpu();
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => (temporary = await temporaryFolder()));
afterAll(async () => {
  backend[Symbol.dispose]();
  await temporary.remove();
});

async function numbersInFile({ files, path }: ModelFile, name: string): Promise<Float32Array> {
  const [part] = files;
  const tensor = part?.tensors.find((each) => each.name === name);
  if (!part || !tensor) throw new Error(`${path} has no ${name}.`);
  const begin = part.dataOffset + tensor.offset;
  const bytes = (await readFile(path)).subarray(begin, begin + tensor.bytes);
  if (tensor.type.name === 'F32') return new Float32Array(Uint8Array.from(bytes).buffer);
  const floats = new Float32Array(weightsOf(tensor));
  toFloats(tensor.type, bytes, floats);
  return floats;
}

async function asF32(tensor: Tensor): Promise<Float32Array> {
  using g = new Operations(backend, { tensors: 8, graphs: [8] });
  using graph = new Graph(g, 8);
  const numbers = g.output(g.cast(tensor, 'F32'));
  graph.expand(numbers);
  graph.allocate();
  await backend.compute(graph);
  return backend.read(numbers);
}

describe('a transposed copy', () => {
  test.each([
    ['F32', 'BF16', 3e-3],
    ['F16', 'BF16', 3e-3],
    ['Q8_0', 'Q8_0', 1e-2],
    ['Q4_K_M', 'Q8_0', 1e-2],
  ] as const)('of weights in %s has their numbers, in %s', async (quantization, type, tolerance) => {
    const path = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama', quantization);
    const file = await readModelFile(path);
    for (const exact of [true, false]) {
      using weights = await Weights.load(backend, file, { transposed: () => true, exact });
      for (const name of ['blk.1.ffn_down.weight', 'token_embd.weight', 'blk.2.attn_k.weight']) {
        const { transposed } = weights.frozen(name);
        if (!transposed) throw new Error(`${name} has no copy.`);
        expect(transposed.type).toBe(exact ? 'F32' : type);
        const numbers = await numbersInFile(file, name);
        const [width, height] = weights.get(name).shape;
        const copy = await asF32(transposed);
        const turned = Float32Array.from(
          numbers,
          (_, at) => copy[(at % width) * height + Math.floor(at / width)] ?? NaN,
        );
        expect(relativeDifference(turned, numbers)).toBeLessThan(exact ? 1e-9 : tolerance);
      }
    }
  });
});

describe('a matrix that a processor packs', () => {
  const [width, height, columns] = [256, 16, 5];
  const types = (['Q4_0', 'Q4_K', 'Q8_0', 'IQ4_NL'] as const).filter((type) =>
    packingFor(backend, type, [width, height]),
  );
  test.runIf(types.length > 0)('is multiplied as one in plain memory', async () => {
    const random = seededRandom(5);
    const numbers = (count: number) => Float32Array.from({ length: count }, () => random.spread(1));
    for (const type of types) {
      const bytes = new Uint8Array((width * height * ggmlTypes[type].blockBytes) / ggmlTypes[type].blockSize);
      fromFloats(ggmlTypes[type], numbers(width * height), width, bytes);
      const [x, products] = [numbers(width * columns), [] as Float32Array[]];
      for (const packing of [null, packingFor(backend, type, [width, height])]) {
        using context = new TensorContext(backend, { tensors: 1 });
        const matrix = context.create(type, width, height);
        using _memory = context.allocate(packing);
        backend.write(matrix, bytes);
        using g = new Operations(backend, { tensors: 8, graphs: [8] });
        using graph = new Graph(g, 8);
        const input = g.input('F32', width, columns);
        const product = g.output(g.mulMat(matrix, input));
        graph.expand(product);
        graph.allocate();
        backend.write(input, x);
        await backend.compute(graph);
        products.push(backend.read(product));
      }
      const [plain, packed] = products as [Float32Array, Float32Array];
      expect(relativeDifference(packed, plain)).toBeLessThan(5e-3);
    }
  });
});

/** Of the loss in F32, whose last digits are noise, against a step that is wide enough to rise above it. */
const tolerance = 0.03;
/** On the CPU ggml looks Gemma's GELU up in a table of F16 numbers, so that the loss itself has steps: a wider one looks past them. */
const gemma = { step: 4e-2, tolerance: 0.15 };

describe('all weights of a model', () => {
  test.each(['llama', 'qwen2', 'qwen3', 'gemma3', 'phi3'] as const)(
    'of %s have the gradients of finite differences, each tensor',
    async (variant) => {
      const { gradients, slope, parameters } = await everyGradient(variant);
      for (const { name, value } of parameters.tensors) {
        const gradient = gradients.get(name) ?? new Float32Array();
        // The number on which the loss depends most: there finite differences are surest.
        const at = gradient.reduce(
          (best, each, index) => (Math.abs(each) > Math.abs(gradient[best] ?? 0) ? index : best),
          0,
        );
        const found = gradient[at] ?? NaN;
        expect(Math.abs((await slope(value, at)) - found) / Math.abs(found), name).toBeLessThan(
          variant === 'gemma3' ? gemma.tolerance : tolerance,
        );
      }
      parameters[Symbol.dispose]();
    },
    240_000,
  );

  test('are trained and written as a model, which chats as it was taught', async () => {
    const model = await buildTinyArchitecture(join(temporary.folder, 'base.gguf'), 'llama', 'F32');
    const out = join(temporary.folder, 'trained.gguf');
    const settings = { trained: 'all', steps: 30, learningRate: 2e-3, context: 64, batch: 1 } as const;
    const data = ['tests/fixtures/datasets/sharegpt.json'];
    const { loss } = await startRun({ model, data, out, settings }).result;
    const trained = await readModelFile(out);
    const base = await readModelFile(model);
    expect(loss).toBeLessThan(3);
    expect(trained.kind).toBe('model');
    expect(trained.tensors.map(({ name, shape }) => [name, shape])).toEqual(
      base.tensors.map(({ name, shape }) => [name, shape]),
    );
    expect((await readFile(out)).equals(await readFile(model))).toBe(false);
    const quantized = await buildTinyArchitecture(join(temporary.folder, 'q8.gguf'), 'llama', 'Q8_0');
    await expect(startRun({ model: quantized, data, out, settings }).result).rejects.toMatchObject({
      message: expect.stringContaining('is Q8_0') as string,
    });
  });
});

async function everyGradient(variant: TinyVariant) {
  const path = await buildTinyArchitecture(join(temporary.folder, `${variant}.gguf`), variant);
  const file = await readModelFile(path);
  const decoder = describeDecoder(file);
  const weights = await Weights.load(backend, file, { transposed: () => false, exact: false });
  const trained = file.tensors.filter(({ name }) => !name.startsWith('rope_'));
  const parameters = new ParameterSet(
    backend,
    trained.map(({ name, shape }) => ({ name, shape, value: weights.get(name) })),
  );
  const [sequence] = pack([sampleOf(9), sampleOf(6)], 16) as [Sequence];
  const model = { decoder, weights, adapters: null };
  const options = { length: 16, checkpoint: false };
  const training = new SequenceGraph(backend, model, parameters, { ...options, backward: true });
  const evaluation = new SequenceGraph(backend, model, parameters, { ...options, backward: false });
  training.allocate();
  evaluation.allocate();
  await training.run(sequence);
  const gradients = new Map(parameters.tensors.map(({ name, gradient }) => [name, backend.read(gradient)]));

  const slope = async (tensor: Tensor, at: number): Promise<number> => {
    const number = backend.read(tensor)[at] ?? NaN;
    const h = variant === 'gemma3' ? gemma.step : 5e-3;
    const lossAt = async (shift: number) => {
      backend.write(tensor, Float32Array.of(number + shift), at * Float32Array.BYTES_PER_ELEMENT);
      return evaluation.run(sequence);
    };
    const [near, far] = [
      (await lossAt(h)) - (await lossAt(-h)),
      (await lossAt(2 * h)) - (await lossAt(-2 * h)),
    ];
    await lossAt(0);
    return (8 * near - far) / (12 * h);
  };
  return { gradients, slope, parameters };
}

function sampleOf(length: number) {
  const tokens = Array.from({ length }, (_, index) => 300 + ((index * 37 + length) % 500));
  return { tokens, learnt: tokens.map(() => true) };
}

test.each(['Q8_0', 'Q4_K_M'] as const)(
  'the gradient of adapters over %s is that with copies of all digits',
  async (quantization) => {
    const path = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama', quantization);
    const file = await readModelFile(path);
    const decoder = describeDecoder(file);
    const [sequence] = pack([sampleOf(9), sampleOf(6)], 16) as [Sequence];
    const gradients: Float32Array[] = [];
    for (const exact of [true, false]) {
      using weights = await Weights.load(backend, file, { transposed: () => true, exact });
      using parameters = new ParameterSet(
        backend,
        loraParameters(adaptedMatrices(file.tensors, loraTargets), 4),
      );
      const random = seededRandom(11);
      for (const { value } of parameters.tensors) {
        backend.write(
          value,
          Float32Array.from({ length: value.count }, () => random.spread(0.1)),
        );
      }
      const model = { decoder, weights, adapters: new Lora(parameters, 2) };
      const options = { length: 16, checkpoint: false, backward: true };
      using graph = new SequenceGraph(backend, model, parameters, options);
      graph.allocate();
      await graph.run(sequence);
      const all = parameters.tensors.flatMap(({ gradient }) => [...backend.read(gradient)]);
      gradients.push(Float32Array.from(all));
    }
    const [expected, found] = gradients as [Float32Array, Float32Array];
    expect(relativeDifference(found, expected)).toBeLessThan(0.03);
  },
);

test.each([false, true])(
  'memory grows with the length of a sequence, not with its square (layers computed twice: %s)',
  async (checkpoint) => {
    const path = await buildTinyArchitecture(join(temporary.folder, 'model.gguf'), 'llama', 'Q8_0');
    const file = await readModelFile(path);
    using weights = await Weights.load(backend, file, { transposed: () => true, exact: false });
    using parameters = new ParameterSet(
      backend,
      loraParameters(adaptedMatrices(file.tensors, loraTargets), 4),
    );
    const model = { decoder: describeDecoder(file), weights, adapters: new Lora(parameters, 2) };
    const bytes = [2048, 4096, 8192].map((length) => {
      using graph = new SequenceGraph(backend, model, parameters, { length, checkpoint, backward: true });
      return graph.measure();
    });
    const [short = NaN, middle = NaN, long = NaN] = bytes;
    expect(middle / short).toBeLessThan(2.2);
    expect(long / middle).toBeLessThan(2.2);
  },
);
