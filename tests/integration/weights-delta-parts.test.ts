import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyDelta } from '../../src/main/weights/delta/apply.ts';
import { changesIn } from '../../src/main/weights/delta/changes.ts';
import {
  bitsOf,
  correct,
  CorrectionsWriter,
  decodeCorrections,
} from '../../src/main/weights/delta/corrections.ts';
import { makeDelta } from '../../src/main/weights/delta/make.ts';
import { pairTensors } from '../../src/main/weights/delta/pairs.ts';
import type { ProvedDelta } from '../../src/main/weights/delta/read-delta.ts';
import {
  countOf,
  type Tensor,
  tensorTypes,
  type TensorTypeName,
} from '../../src/main/weights/formats/tensor.ts';
import { tensorPieces } from '../../src/main/weights/outputs/tensor-pieces.ts';
import type { HuggingFaceConfig, ModelSource } from '../../src/main/weights/sources/model-source.ts';
import { encodeFloats, readFloats } from '../../src/main/weights/tensors/floats.ts';
import { elementwise, inMemory } from '../../src/main/weights/tensors/views.ts';

const embedding = 'model.embed_tokens.weight';
const head = 'lm_head.weight';

/** A tensor of these rows. */
function rows(name: string, type: TensorTypeName, numbers: number[][]): Tensor {
  const shape = [numbers.length, numbers[0]?.length ?? 0];
  const bytes =
    type === 'F64'
      ? new Uint8Array(Float64Array.from(numbers.flat()).buffer)
      : encodeFloats(tensorTypes[type], Float32Array.from(numbers.flat()));
  return inMemory(name, tensorTypes[type], shape, bytes);
}

function model(tensors: Tensor[], config: HuggingFaceConfig | null = {}): ModelSource {
  return {
    ...{ path: 'model', layout: 'hugging-face', architecture: null },
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    description: config && { form: 'hugging-face', config, files: new Map() },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function proofOf(tensors: Record<string, { base: string; target: string }>): ProvedDelta {
  const corrections = { offset: 0, bytes: 0 };
  return {
    proof: {
      ...{ format: 'puna-delta-1', base: 'base', target: 'target' },
      tensors: Object.fromEntries(
        Object.entries(tensors).map(([name, hashes]) => [name, { ...hashes, corrections }]),
      ),
    },
    corrections: async () => null,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function numbersOf(source: ModelSource, name: string): Promise<number[]> {
  const tensor = source.tensors.get(name);
  return tensor ? [...(await readFloats(tensor, 0, countOf(tensor)))] : [];
}

const unproved = { proved: null, anyBase: false };

describe('A head that is the embedding', () => {
  const tied = { tie_word_embeddings: true };
  const embeddings = rows(embedding, 'F16', [[1, 2]]);

  test('stands for the one that only the delta has', async () => {
    const delta = model([rows(embedding, 'F16', [[1, 1]]), rows(head, 'F16', [[2, 2]])]);
    const { source } = applyDelta(model([embeddings], tied), delta, unproved);
    expect(await numbersOf(source, head)).toEqual([3, 4]);
    expect(() => pairTensors(model([embeddings]), delta)).toThrow(/has "lm_head\.weight"/);
  });

  test('is left out where the delta ties it', async () => {
    const base = model([embeddings, rows(head, 'F16', [[1, 2]])]);
    const delta = [rows(embedding, 'F16', [[1, 1]])];
    const { source } = applyDelta(base, model(delta, tied), unproved);
    expect([...source.tensors.keys()]).toEqual([embedding]);
    expect(() => pairTensors(base, model(delta))).toThrow(/has no "lm_head\.weight"/);
    pairTensors(base, model(delta, { model_type: 'gemma2' }));
  });
});

describe('Rows for added tokens', () => {
  const base = model([rows(embedding, 'F16', [[1], [3]]), rows('model.norm.weight', 'F32', [[1]])]);

  test('begin at zero in a delta of 16 bits, also where its vectors have 32, as in GGUF', async () => {
    const delta = model([rows(embedding, 'F16', [[0], [0], [5]]), rows('model.norm.weight', 'F32', [[1]])]);
    const { source, notes } = applyDelta(base, delta, unproved);
    expect(await numbersOf(source, embedding)).toEqual([1, 3, 5]);
    expect(notes).toEqual(['The delta adds 1 token to the vocabulary.']);
  });

  test('begin at the mean of the others in a delta of 32 bits', async () => {
    const delta = model([
      rows(embedding, 'F32', [[0], [0], [5], [6]]),
      rows('model.norm.weight', 'F32', [[1]]),
    ]);
    const { source } = applyDelta(base, delta, unproved);
    expect(await numbersOf(source, embedding)).toEqual([1, 3, 7, 8]);
  });
});

test('Deltas of 64 bits are added in 32', async () => {
  const base = model([rows(embedding, 'F16', [[1, 2]])]);
  const { source } = applyDelta(base, model([rows(embedding, 'F64', [[0.5, -4]])]), unproved);
  expect(source.tensors.get(embedding)?.type.name).toBe('F32');
  expect(await numbersOf(source, embedding)).toEqual([1.5, -2]);
});

describe('A proof', () => {
  const base = model([rows(embedding, 'F16', [[1, 2]])]);
  const delta = model([rows(embedding, 'F16', [[1, 1]])]);
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const bytesOf = (numbers: number[]) => encodeFloats(tensorTypes.F16, Float32Array.from(numbers));
  const right = { base: sha256(bytesOf([1, 2])), target: sha256(bytesOf([2, 3])) };
  const run = async (proved: ProvedDelta, anyBase: boolean) => {
    const applied = applyDelta(base, delta, { proved, anyBase });
    await numbersOf(applied.source, embedding);
    const said = new Map([[embedding, await applied.after(embedding)]]);
    return { proof: applied.prove(said), numbers: await readAgain(proved, anyBase) };
  };
  const readAgain = async (proved: ProvedDelta, anyBase: boolean) =>
    numbersOf(applyDelta(base, delta, { proved, anyBase }).source, embedding);

  test('passes where all hashes are right', async () => {
    expect((await run(proofOf({ [embedding]: right }), false)).proof).toMatchObject({ kind: 'hashes' });
  });

  test('is refused where it tells of more or fewer tensors than there are', async () => {
    await expect(run(proofOf({ [embedding]: right, other: right }), false)).rejects.toMatchObject({
      code: 'file-damaged',
      message: 'model is damaged: it lacks "other", of which it has hashes.',
    });
    await expect(run(proofOf({}), false)).rejects.toMatchObject({
      code: 'file-damaged',
      message: 'model is damaged: it has no hashes of "model.embed_tokens.weight".',
    });
  });

  test('counts for nothing, and so do its corrections, where any base is allowed', async () => {
    const writer = new CorrectionsWriter();
    writer.compare(0, new Uint16Array([0, 0]), new Uint16Array([0x8000, 1]));
    const proved = {
      ...proofOf({ [embedding]: { base: '0'.repeat(64), target: '0'.repeat(64) } }),
      corrections: async () => decodeCorrections(writer.encode(), 2, 'delta'),
    };
    const { proof, numbers } = await run(proved, true);
    expect(numbers).toEqual([2, 3]);
    expect(proof.kind).toBe('exact');
    expect(proof.text).toContain('were not compared');
  });
});

describe('Corrections', () => {
  test('of pieces in any order are those of the whole', () => {
    const sums = Uint16Array.from({ length: 1000 }, (_, index) => (index * 7919) % 65_536);
    const wanted = sums.map((bits, index) => (index % 7 === 3 || index > 990 ? bits ^ 0x8001 : bits));
    const writer = new CorrectionsWriter();
    for (const [from, to] of [
      [500, 1000],
      [10, 500],
      [0, 3],
      [3, 10],
    ] as const) {
      writer.compare(from, sums.subarray(from, to), wanted.subarray(from, to));
    }
    const whole = new CorrectionsWriter();
    whole.compare(0, sums, wanted);
    expect(Buffer.from(writer.encode())).toEqual(Buffer.from(whole.encode()));
    correct(decodeCorrections(writer.encode(), 1000, 'delta'), 0, sums);
    expect(sums).toEqual(wanted);
  });

  test('of 32 bits may be as large as they can be', () => {
    const writer = new CorrectionsWriter();
    writer.compare(0, new Uint32Array([0, 0xffff_ffff]), new Uint32Array([0xffff_ffff, 0]));
    const sums = new Uint32Array([0, 0xffff_ffff]);
    correct(decodeCorrections(writer.encode(), 2, 'delta'), 0, sums);
    expect([...sums]).toEqual([0xffff_ffff, 0]);
  });

  test('are found in bytes at odd places, also of a Buffer', () => {
    const bytes = Buffer.from([0, 0, 0, 1, 2, 3, 4]);
    for (const odd of [bytes.subarray(3), new Uint8Array(bytes.buffer, bytes.byteOffset + 3, 4)]) {
      expect([...bitsOf(tensorTypes.F16, odd)]).toEqual([0x0201, 0x0403]);
    }
  });
});

test('How much was changed is told of tensors that were written before a crash, too', async () => {
  const names = [0, 1].map((layer) => `model.layers.${layer}.mlp.up_proj.weight`);
  const [first = '', second = ''] = names;
  const base = model(names.map((name) => rows(name, 'F16', [[3, 4]])));
  const target = model(names.map((name, index) => rows(name, 'F16', [[3 + index, 4]])));
  const folder = await mkdtemp(join(tmpdir(), 'puna-changes-'));
  try {
    const said = new Map<string, string>();
    for (const name of [first, second]) {
      // As another process would go on.
      const made = makeDelta(base, target, { names: { base: '', target: '' }, spool: join(folder, 'spool') });
      await numbersOf(made.source, name);
      said.set(name, await made.after(name));
      if (name !== second) continue;
      expect(made.changes(said)).toEqual([
        { layer: 0, change: 0 },
        { layer: 1, change: 0.2 },
      ]);
    }
    const applied = new Map<string, string>();
    for (const name of [first, second]) {
      const { source, after } = applyDelta(base, target, unproved);
      await numbersOf(source, name);
      applied.set(name, await after(name));
    }
    expect(changesIn(applied)[1]?.change).toBeCloseTo(Math.sqrt(32) / 5, 6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('A piece that fails gives its memory back when nobody writes into it any more', async () => {
  const slow = Promise.withResolvers<undefined>();
  const failing: Tensor = {
    ...{ name: 'failing', type: tensorTypes.F32, shape: [4] },
    read: () => Promise.reject(new Error('The disk fails.')),
  };
  const late: Tensor = {
    ...{ name: 'late', type: tensorTypes.F32, shape: [4] },
    async read(target) {
      await slow.promise;
      target.fill(255);
    },
  };
  const sum = elementwise(
    { name: 'sum', type: tensorTypes.F32, shape: [4] },
    [failing, late],
    ([one]) => one,
  );
  const read = readFloats(sum, 0, 4);
  const waited = Promise.race([
    read.then(
      () => 'failed',
      () => 'failed',
    ),
    new Promise((resolve) => setImmediate(() => resolve('waits'))),
  ]);
  expect(await waited).toBe('waits');
  slow.resolve(undefined);
  await expect(read).rejects.toThrow('The disk fails.');
});

test('Tensors without numbers and single numbers are read as they are', async () => {
  const pieces = async (shape: number[]) => {
    const bytes = new Uint8Array(shape.reduce((product, length) => product * length, 4)).fill(1);
    const found: Uint8Array[] = [];
    const tensor = elementwise(
      { name: 'x', type: tensorTypes.F32, shape },
      [inMemory('x', tensorTypes.F32, shape, bytes)],
      ([numbers]) => numbers,
    );
    for await (const piece of tensorPieces(tensor)) found.push(Uint8Array.from(piece));
    return Buffer.concat(found).byteLength;
  };
  expect(await pieces([])).toBe(4);
  expect(await pieces([0])).toBe(0);
  expect(await pieces([0, 8])).toBe(0);
  expect(await pieces([1, 1, 3])).toBe(12);
});
