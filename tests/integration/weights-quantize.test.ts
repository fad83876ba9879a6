import { existsSync } from 'node:fs';
import { copyFile, link, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import { fromFloats, openLlama, toFloats } from '../../src/main/ggml/index.ts';
import {
  type GgmlTypeName,
  ggmlTypes,
  metadataNumber,
  metadataString,
  readGguf,
  tensorBytes,
  type TensorToWrite,
  writeGguf,
} from '../../src/main/weights/formats/gguf.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import {
  type Importance,
  meansOf,
  writeImportanceMatrix,
} from '../../src/main/weights/quantize/importance-matrix.ts';
import type { QuantizeEvent, QuantizeInput, QuantizeJobs } from '../../src/main/weights/quantize/messages.ts';
import { estimateQuantizedBytes, planQuantization } from '../../src/main/weights/quantize/plan.ts';
import {
  type QuantizationName,
  quantizationTypes,
} from '../../src/main/weights/quantize/quantization-types.ts';
import { quantizeGguf } from '../../src/main/weights/quantize/quantize-gguf.ts';
import { refuseWithoutSpace } from '../../src/main/weights/quantize/refusals.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { buildBenchModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildTinyArchitecture } from '../support/tiny-architectures.ts';
import { seededRandom } from '../support/tiny-random.ts';
import { readNumbers, relativeDifference } from '../support/training.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model = '';
const at = (name: string) => join(folder.folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  model = await buildTinyArchitecture(at('model.gguf'), 'llama');
});
afterAll(() => folder.remove());

function inputOf(type: QuantizationName, rest: Partial<QuantizeInput> = {}): QuantizeInput {
  return {
    ...{ from: model, to: at('quantized.gguf'), type, imatrix: null, threads: 1 },
    ...{ keepOutput: false, pure: false, requantize: false, ...rest },
  };
}

/** Of the last token of a short text, computed by llama.cpp. */
function logitsOf(path: string): Float32Array {
  using llama = new BareLlama(path, { threads: 1, contextSize: 64, exact: true });
  llama.decode(Int32Array.from({ length: 24 }, (_, index) => 300 + ((index * 37) % 500)));
  return Float32Array.from(llama.logits());
}

/** An importance matrix for every matrix of the layers of `model`, which knows some columns to matter a hundred times as much. */
async function writeImportance(
  path: string,
  except: string[] = [],
  from = model,
): Promise<Map<string, Importance>> {
  const { tensors } = await readModelFile(from);
  const random = seededRandom(23);
  const entries = tensors.flatMap(({ name, shape: [columns = 1, rows] }): [string, Importance][] =>
    rows === undefined || !name.startsWith('blk.') || except.includes(name)
      ? []
      : [
          [
            name,
            {
              sums: Float32Array.from({ length: columns }, () => 10 ** (4 * random.unit())),
              counts: Float32Array.of(100),
            },
          ],
        ],
  );
  const matrix = { entries: new Map(entries), datasets: ['a/text.txt'], chunks: 3, chunkTokens: 512 };
  await writeImportanceMatrix(path, matrix);
  return matrix.entries;
}

/** Numbers of a quantized file's tensor as floats. */
async function floatsOf(path: string, name: string): Promise<Float32Array> {
  const { tensors, dataOffset } = await readGguf(path);
  const tensor = tensors.find((each) => each.name === name);
  if (!tensor) throw new Error(`${path} has no ${name}.`);
  const begin = dataOffset + tensor.offset;
  const floats = new Float32Array(tensor.shape.reduce((product, length) => product * length, 1));
  toFloats(tensor.type, (await readFile(path)).subarray(begin, begin + tensor.bytes), floats);
  return floats;
}

async function bytesOf(path: string, name: string): Promise<{ type: string; bytes: Buffer }> {
  const { tensors, dataOffset } = await readGguf(path);
  const tensor = tensors.find((each) => each.name === name);
  if (!tensor) throw new Error(`${path} has no ${name}.`);
  const begin = dataOffset + tensor.offset;
  return { type: tensor.type.name, bytes: (await readFile(path)).subarray(begin, begin + tensor.bytes) };
}

test("llama.cpp's parameters are where they are expected, with the defaults that its documentation gives", () => {
  const count = 43;
  expect(openLlama().quantizeDefaults()).toEqual({
    ...{ nthread: 0, ftype: 7, output_tensor_type: count, token_embedding_type: count },
    ...{ allow_requantize: false, quantize_output_tensor: true, only_copy: false, pure: false },
    ...{ keep_split: false, dry_run: false },
    ...{ imatrix: null, kv_overrides: null, tt_overrides: null, prune_layers: null },
    max_buf_size: 8 * 2 ** 30,
  });
});

/**
 * Root mean square of the difference to the F32 logits, relative to these. Measured on this model of random weights, which are
 * harder to quantize than trained ones, with half as much added.
 */
const bounds: Partial<Record<QuantizationName, number>> = {
  ...{ F32: 1e-6, F16: 3.1e-3, BF16: 0.031, Q8_0: 0.082, Q6_K: 0.18, Q5_K_M: 0.41, Q5_K_S: 0.41 },
  ...{
    Q5_1: 0.29,
    Q5_0: 0.36,
    Q4_K_M: 0.54,
    Q4_K_S: 0.48,
    Q4_1: 0.61,
    Q4_0: 0.71,
    IQ4_XS: 0.72,
    IQ4_NL: 0.78,
  },
  ...{ Q3_K_L: 0.83, Q3_K_M: 0.84, Q3_K_S: 0.99 },
};

describe('a model', () => {
  test.each(Object.entries(bounds) as [QuantizationName, number][])(
    'quantized to %s speaks nearly as before, and is as large as was planned',
    async (type, bound) => {
      const events: QuantizeEvent[] = [];
      const result = await quantizeGguf(inputOf(type), { onEvent: (event) => events.push(event) });
      expect(relativeDifference(logitsOf(result.path), logitsOf(model))).toBeLessThan(bound);

      const [file, before] = [await readModelFile(result.path), await readModelFile(model)];
      expect(file.quantization).toBe(type);
      expect(result).toMatchObject({ bytes: file.bytes, bytesBefore: before.bytes, fallbacks: 0 });
      expect(estimateQuantizedBytes(before, type)).toBe(file.bytes);
      expect(events[0]).toEqual({ type: 'plan', bytes: file.bytes, fallbacks: 0 });
      const planned = planQuantization(before, type).map(({ name, to }) => [name, to]);
      expect(Object.fromEntries(file.tensors.map((each) => [each.name, each.type.name]))).toEqual(
        Object.fromEntries(planned),
      );
    },
  );

  test.each(
    quantizationTypes.filter(
      ({ name, needsImportance }) => !(name in bounds) && !needsImportance && !/^IQ3/.test(name),
    ),
  )('quantized to $name is what was planned', async ({ name }) => {
    const { path } = await quantizeGguf(inputOf(name));
    const [file, before] = [await readModelFile(path), await readModelFile(model)];
    expect(estimateQuantizedBytes(before, name)).toBe(file.bytes);
    expect(logitsOf(path).every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['with tied embeddings', 'llama with tied embeddings, stretched rotation and biases'],
    ['with fused matrices', 'phi3'],
    ['with norms everywhere', 'gemma3'],
  ] as const)('%s is quantized as planned, too', async (_, variant) => {
    const other = await buildTinyArchitecture(at('other.gguf'), variant);
    for (const type of ['Q4_K_M', 'Q3_K_L', 'Q2_K'] as const) {
      const { path } = await quantizeGguf(inputOf(type, { from: other }));
      const after = (await readModelFile(path)).tensors.map((each) => [each.name, each.type.name]);
      const planned = planQuantization(await readModelFile(other), type).map(({ name, to }) => [name, to]);
      expect(Object.fromEntries(after)).toEqual(Object.fromEntries(planned));
    }
  });

  test('keeps its head, and mixes nothing, when it is told to', async () => {
    const { path } = await quantizeGguf(inputOf('Q4_K_M', { keepOutput: true, pure: true }));
    const types = Object.fromEntries(
      (await readModelFile(path)).tensors.map((each) => [each.name, each.type.name]),
    );
    expect(types).toMatchObject({ 'output.weight': 'F32', 'blk.0.attn_v.weight': 'Q4_K' });
  });

  test('is the same with several threads', async () => {
    const one = await readFile((await quantizeGguf(inputOf('Q5_K_M'))).path);
    const { path } = await quantizeGguf(inputOf('Q5_K_M', { threads: 3, to: at('threads.gguf') }));
    expect(one.equals(await readFile(path))).toBe(true);
  });

  test('with rows that are no whole blocks gets types that fit, and it is told how often', async () => {
    const narrow = await buildTinyModel(at('narrow.gguf'));
    const { path, fallbacks } = await quantizeGguf(inputOf('Q4_K_M', { from: narrow }));
    const file = await readModelFile(path);
    expect(fallbacks).toBe(2 * 7 + 1);
    expect(estimateQuantizedBytes(await readModelFile(narrow), 'Q4_K_M')).toBe(file.bytes);
    expect(
      new Set(file.tensors.filter(({ shape }) => shape.length === 2).map(({ type }) => type.name)),
    ).toEqual(new Set(['Q5_0', 'Q8_0']));
  });
});

test('a model in several files becomes the same one file', async () => {
  const { metadata, tensors, dataOffset } = await readGguf(model);
  const bytes = await readFile(model);
  const half = Math.floor(tensors.length / 2);
  const uint16 = (value: number) => ({ type: 'uint16', value }) as const;
  for (const [no, part] of [tensors.slice(0, half), tensors.slice(half)].entries()) {
    const split = [
      ['split.no', uint16(no)],
      ['split.count', uint16(2)],
      ['split.tensors.count', { type: 'int32', value: tensors.length }],
    ] as const;
    await writeGguf(at(`모델-0000${no + 1}-of-00002.gguf`), {
      metadata: new Map([...(no === 0 ? metadata : []), ...split]),
      tensors: part.map(({ name, type, shape, offset, bytes: length }) => ({
        ...{ name, type: type.name, shape },
        data: bytes.subarray(dataOffset + offset, dataOffset + offset + length),
      })),
    });
  }
  const from = at('모델-00001-of-00002.gguf');
  const { path } = await quantizeGguf(inputOf('Q4_K_M', { from, to: at('하나.gguf') }));
  const whole = await quantizeGguf(inputOf('Q4_K_M'));
  expect((await readFile(path)).equals(await readFile(whole.path))).toBe(true);
  const estimate = estimateQuantizedBytes(await readModelFile(from), 'Q4_K_M');
  expect(Math.abs(estimate / whole.bytes - 1)).toBeLessThan(0.01);
  await expect(
    quantizeGguf(inputOf('Q4_K_M', { from, to: at('모델-00002-of-00002.gguf') })),
  ).rejects.toMatchObject({ code: 'invalid-input' });
});

describe('numbers', () => {
  const fixtures = join(import.meta.dirname, '../fixtures/weights/quantize');

  test('become the same bytes as with the quantizers of the gguf package, which were written apart', async () => {
    const data = await readFile(join(fixtures, 'numbers.f32'));
    const expected = JSON.parse(await readFile(join(fixtures, 'quantized.json'), 'utf8')) as Record<
      string,
      string
    >;
    const name = 'blk.0.attn_q.weight';
    const from = await withTensor(at('numbers.gguf'), { name, type: 'F32', shape: [256, 6], data });
    for (const type of ['F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'TQ1_0', 'TQ2_0'] as const) {
      const { path } = await quantizeGguf(inputOf(type, { from, pure: true }));
      const found = await bytesOf(path, name);
      expect(found).toEqual({ type, bytes: Buffer.from(expected[type] ?? '', 'base64') });
    }
  });

  test.each([
    ['Q2_K', 'Q2_K'],
    ['Q3_K_S', 'Q3_K'],
    ['Q4_K_S', 'Q4_K'],
    ['Q5_K_S', 'Q5_K'],
    ['Q6_K', 'Q6_K'],
    ['IQ4_NL', 'IQ4_NL'],
    ['IQ4_XS', 'IQ4_XS'],
  ] as [QuantizationName, GgmlTypeName][])(
    "become in %s the bytes of ggml's own quantizer",
    async (type, stored) => {
      const name = 'blk.1.ffn_gate.weight';
      const { path } = await quantizeGguf(inputOf(type, { pure: true }));
      const numbers = (await readNumbers(model)).get(name) ?? new Float32Array();
      const expected = Buffer.alloc(tensorBytes(ggmlTypes[stored], [numbers.length]));
      fromFloats(ggmlTypes[stored], numbers, 256, expected);
      expect(await bytesOf(path, name)).toEqual({ type: stored, bytes: expected });
    },
  );

  /** The tiny model with one tensor in another's place. */
  async function withTensor(path: string, tensor: TensorToWrite): Promise<string> {
    const { metadata } = await readGguf(model);
    await writeGguf(path, { metadata, tensors: [tensor] });
    return path;
  }
});

describe('an importance matrix', () => {
  /** What a file has beyond its plan: the metadata that tells of the importance matrix. */
  const unplannedBytes = async ({ bytes }: { bytes: number }, type: QuantizationName) =>
    Math.abs(bytes - estimateQuantizedBytes(await readModelFile(model), type, { hasImportance: true }));

  test.each(['Q4_K_M', 'Q3_K_M', 'Q4_0'] as const)(
    'makes the errors of %s smaller where they matter, and the file tells of it',
    async (type) => {
      const imatrix = at('imatrix.gguf');
      const entries = await writeImportance(imatrix);
      const plain = await quantizeGguf(inputOf(type, { to: at('plain.gguf') }));
      const weighed = await quantizeGguf(inputOf(type, { imatrix }));
      const originals = await readNumbers(model);
      for (const name of ['blk.1.attn_q.weight', 'blk.2.ffn_gate.weight', 'blk.1.ffn_down.weight']) {
        const [original, entry] = [originals.get(name), entries.get(name)];
        if (!original || !entry) throw new Error(name);
        const means = meansOf(entry);
        const errorOf = async (path: string) => {
          const numbers = await floatsOf(path, name);
          return original.reduce(
            (sum, number, index) =>
              sum + (means[index % means.length] ?? NaN) * (number - (numbers[index] ?? NaN)) ** 2,
            0,
          );
        };
        expect(await errorOf(weighed.path)).toBeLessThan(0.9 * (await errorOf(plain.path)));
      }
      const { metadata } = await readGguf(weighed.path);
      expect(metadataString(metadata, 'quantize.imatrix.file')).toBe('imatrix.gguf');
      expect(metadataString(metadata, 'quantize.imatrix.dataset')).toBe('text.txt');
      expect(metadataNumber(metadata, 'quantize.imatrix.entries_count')).toBe(entries.size);
      expect(metadataNumber(metadata, 'quantize.imatrix.chunks_count')).toBe(3);
      expect(await unplannedBytes(weighed, type)).toBeLessThan(256);
    },
  );

  test('opens the types that need one', async () => {
    const imatrix = at('imatrix.gguf');
    await writeImportance(imatrix);
    for (const type of ['IQ2_XXS', 'Q2_K_S'] as const) {
      await expect(quantizeGguf(inputOf(type))).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining(`${type} needs an importance matrix`),
      });
      const quantized = await quantizeGguf(inputOf(type, { imatrix }));
      expect(await unplannedBytes(quantized, type)).toBeLessThan(256);
      expect(logitsOf(quantized.path).every(Number.isFinite)).toBe(true);
    }
  });

  test('that misses a matrix is told of, or refused where that matrix needs it', async () => {
    const imatrix = at('partial.gguf');
    await writeImportance(imatrix, ['blk.1.attn_q.weight']);
    expect(await quantizeGguf(inputOf('Q4_K_M', { imatrix }))).toMatchObject({ withoutImportance: 1 });
    await expect(quantizeGguf(inputOf('IQ2_XXS', { imatrix }))).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('"blk.1.attn_q.weight"'),
    });
  });

  test.each([
    ['of a wider model', async (path: string) => writeImportance(path, [], await wider()), /has 256 columns/],
    [
      'of a model with more layers',
      async (path: string) => writeImportance(path, [], await deeper()),
      /the model has 3 layers/,
    ],
    [
      'of a few layers',
      async (path: string) => {
        const { tensors } = await readModelFile(model);
        return writeImportance(
          path,
          tensors.map(({ name }) => name).filter((name) => !name.startsWith('blk.0.')),
        );
      },
      /7 of the 21 matrices/,
    ],
  ])('%s is refused', async (_, write, message) => {
    const imatrix = at('foreign.gguf');
    await write(imatrix);
    await expect(quantizeGguf(inputOf('Q4_K_M', { imatrix }))).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(message),
    });
  });

  const shape = { layers: 3, embedding: 512, heads: 4, kvHeads: 2, feedForward: 512 };
  const wider = () => buildTinyModel(at('wider.gguf'), { shape });
  const deeper = () => buildTinyModel(at('deeper.gguf'), { shape: { ...shape, embedding: 256, layers: 4 } });
});

describe('quantizing is refused', () => {
  const refusal = (input: QuantizeInput) =>
    quantizeGguf(input).then(
      () => null,
      (thrown: unknown) => thrown,
    );

  test('of what is quantized already, unless it is asked for', async () => {
    const { path: from } = await quantizeGguf(inputOf('Q8_0', { to: at('q8.gguf') }));
    expect(await refusal(inputOf('Q4_K_M', { from }))).toMatchObject({
      code: 'invalid-input',
      message: `${from} is quantized to Q8_0 already, and its errors would add to those of the new type.`,
    });
    const { path } = await quantizeGguf(inputOf('Q4_K_M', { from, requantize: true }));
    expect(relativeDifference(logitsOf(path), logitsOf(model))).toBeLessThan(0.6);
  });

  test.each([
    ['its own path', (from: string) => from],
    [
      'a link to it',
      async (from: string) => {
        await symlink(from, at('link.gguf'));
        return at('link.gguf');
      },
    ],
    [
      'the same path, said differently',
      (from: string) => from.replace(/([^/]+)$/, 'x/../$1').replace('x/../', './'),
    ],
  ])('where the output is %s', async (_, make) => {
    const from = at('same.gguf');
    await copyFile(model, from);
    const to = await make(from);
    expect(await refusal(inputOf('Q4_K_M', { from, to }))).toMatchObject({ code: 'invalid-input' });
    expect((await readFile(from)).equals(await readFile(model))).toBe(true);
  });

  test('of adapters, importance matrices, and files that are no GGUF', async () => {
    const adapter = await buildTinyAdapter(at('adapter.gguf'), {});
    expect(await refusal(inputOf('Q4_K_M', { from: adapter }))).toMatchObject({ code: 'invalid-input' });
    await writeImportance(at('imatrix.gguf'));
    expect(await refusal(inputOf('Q4_K_M', { from: at('imatrix.gguf') }))).toMatchObject({
      code: 'invalid-input',
    });
    await writeFile(at('text.txt'), 'Once upon a time.');
    expect(await refusal(inputOf('Q4_K_M', { from: at('text.txt') }))).toMatchObject({ code: 'not-gguf' });
    expect(await refusal(inputOf('Q4_K_M', { from: at('none.gguf') }))).toMatchObject({
      code: 'file-missing',
    });
    expect(await refusal(inputOf('Q4_K_M', { to: at('none/out.gguf') }))).toMatchObject({
      code: 'file-missing',
    });
  });

  test('where the disk has no room for the result', async () => {
    await expect(refuseWithoutSpace(at('out.gguf'), 1e18)).rejects.toMatchObject({ code: 'disk-full' });
    await expect(refuseWithoutSpace(at('out.gguf'), 1)).resolves.toBeUndefined();
  });

  test('of damaged importance matrices', async () => {
    await writeImportance(at('imatrix.gguf'));
    await writeFile(at('cut.gguf'), (await readFile(at('imatrix.gguf'))).subarray(0, 5000));
    expect(await refusal(inputOf('Q4_K_M', { imatrix: at('cut.gguf') }))).toMatchObject({
      code: 'file-damaged',
    });
    expect(await refusal(inputOf('Q4_K_M', { imatrix: model }))).toMatchObject({ code: 'invalid-input' });
  });

  test('of architectures that llama.cpp does not know, in its own words', async () => {
    const { metadata, tensors, dataOffset } = await readGguf(model);
    const bytes = await readFile(model);
    const changed = new Map(metadata).set('general.architecture', { type: 'string', value: 'nonesuch' });
    await writeGguf(at('unknown.gguf'), {
      metadata: changed,
      tensors: tensors.map(({ name, type, shape, offset, bytes: length }) => ({
        ...{ name, type: type.name, shape },
        data: bytes.subarray(dataOffset + offset, dataOffset + offset + length),
      })),
    });
    expect(await refusal(inputOf('Q4_K_M', { from: at('unknown.gguf') }))).toMatchObject({
      code: 'unsupported-model',
      message: expect.stringMatching(/unknown model architecture: 'nonesuch'\.$/),
    });
    expect(await partsOf('quantized.gguf')).toEqual([]);
  });

  test.each([
    ['NaN', NaN],
    ['infinities', Infinity],
  ])('of weights with %s in them, by llama.cpp itself', async (_, value) => {
    const from = at('nan.gguf');
    await copyFile(model, from);
    const { tensors, dataOffset } = await readGguf(from);
    const tensor = tensors.find(({ name }) => name === 'blk.1.attn_q.weight');
    const bytes = await readFile(from);
    bytes.writeFloatLE(value, dataOffset + (tensor?.offset ?? 0) + 400);
    await writeFile(from, bytes);
    expect(await refusal(inputOf('Q8_0', { from }))).toMatchObject({ code: 'file-damaged' });
    expect(await partsOf('quantized.gguf')).toEqual([]);
  });
});

/** What is begun beside a file. */
async function partsOf(name: string): Promise<string[]> {
  return (await readdir(folder.folder)).filter(
    (each) => each.startsWith(`.${name}.`) && each.endsWith('.part'),
  );
}

describe('an engine that quantizes', () => {
  const engineOf = () => new Engine<QuantizeJobs>({ entry: 'weights-engine', launch: launchChildProcess });
  const input = () => inputOf('IQ4_XS', { from: at('large.gguf'), to: at('late.gguf'), requantize: true });

  beforeAll(() => buildBenchModel(at('large.gguf'), '128M'));

  test.each(['killed', 'cancelled'] as const)(
    'and is %s in the middle leaves no file under the name, and its leftovers are removed the next time',
    async (how) => {
      await rm(at('late.gguf'), { force: true });
      const engine = engineOf();
      const controller = new AbortController();
      const begun = Promise.withResolvers<null>();
      const running = engine
        .run('quantize', input(), {
          signal: controller.signal,
          onEvent: ({ type }) => type === 'progress' && begun.resolve(null),
        })
        .then(
          () => null,
          (thrown: unknown) => thrown,
        );
      await begun.promise;
      expect(await partsOf('late.gguf')).toHaveLength(1);
      if (how === 'killed') process.kill(engine.pid ?? NaN, 'SIGKILL');
      else controller.abort();
      expect(await running).toMatchObject({ code: how === 'killed' ? 'engine-died' : 'cancelled' });
      await engine.stop();
      expect(existsSync(at('late.gguf'))).toBe(false);
      expect((await partsOf('late.gguf')).length).toBe(how === 'killed' ? 1 : 0);

      // One that still writes is left alone.
      const others = `.late.gguf.${process.pid}-${'a'.repeat(12)}.part`;
      await link(model, at(others));
      const { path } = await quantizeGguf({ ...input(), from: model });
      expect(await partsOf('late.gguf')).toEqual([others]);
      expect((await readModelFile(path)).quantization).toBe('IQ4_XS');
      await rm(at(others));
    },
  );
});
