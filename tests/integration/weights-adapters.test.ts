import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Adapter,
  extractAdapter,
  mergedWith,
  openAdapter,
  Products,
  writeAdapterGguf,
} from '../../src/main/weights/adapters/index.ts';
import { Difference } from '../../src/main/weights/adapters/difference.ts';
import { lowRank } from '../../src/main/weights/adapters/low-rank.ts';
import { TensorChanges } from '../../src/main/weights/delta/changes.ts';
import { readModelFile } from '../../src/main/weights/model-file.ts';
import { openSafetensors } from '../../src/main/weights/formats/safetensors-reader.ts';
import {
  bytesOf,
  type Tensor,
  tensorTypes,
  type TensorTypeName,
} from '../../src/main/weights/formats/tensor.ts';
import { planGguf, writeGgufPlan } from '../../src/main/weights/outputs/gguf-output.ts';
import type { ModelSource } from '../../src/main/weights/sources/model-source.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';
import { inMemory, retyped } from '../../src/main/weights/tensors/views.ts';
import {
  adapterExpectations,
  adapterFixture,
  lastLogits,
  numbersOf,
  readBytes,
  writeBareModel,
} from '../support/adapter-fixtures.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { relativeDifference } from '../support/training.ts';

const expected = await adapterExpectations();
const products = new Products({ threads: 1 });
const options = { signature: 'test' };
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let inFolder: (name: string) => string;
beforeAll(async () => {
  temporary = await temporaryFolder();
  inFolder = (name) => join(temporary.folder, name);
});
afterAll(async () => {
  products[Symbol.dispose]();
  await temporary.remove();
});

/** Relative root mean square of logits in F32, by which programs differ that add up in another order. Measured: up to 9e-7. */
const exact = 5e-6;
/** llama.cpp rounds what it multiplies with an adapter in F16 to F16. Measured: 5e-4. */
const exactInF16 = 5e-3;
const logitsOf = (name: string) => Float32Array.from(expected.logits[name] ?? []);

/** The same source with its floats in F32, as PyTorch computes with them. */
function inF32(source: ModelSource): ModelSource {
  const tensors = [...source.tensors].map(
    ([name, tensor]) => [name, retyped(tensor, tensorTypes.F32)] as const,
  );
  return { ...source, tensors: new Map(tensors) };
}

async function adapterAndBase(name: string, opened: AsyncDisposableStack): Promise<[Adapter, ModelSource]> {
  const base = opened.use(await openModelSource(adapterFixture(name.split('-')[0] ?? '')));
  return [opened.use(await openAdapter(adapterFixture(name))), base];
}

describe.each(Object.keys(expected.gguf))('%s', (name) => {
  test("in GGUF gives llama.cpp PyTorch's logits", async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase(name, opened);
    const model = await writeBareModel(inFolder('base.gguf'), base);
    await writeAdapterGguf(adapter, base, inFolder('adapter.gguf'), options);
    expect(
      relativeDifference(lastLogits(model, expected.tokens), logitsOf(base.architecture?.name ?? '')),
    ).toBeLessThan(exact);
    const found = lastLogits(model, expected.tokens, inFolder('adapter.gguf'));
    const tolerance = name === 'qwen2-lora' ? exactInF16 : exact;
    expect(relativeDifference(found, logitsOf(name))).toBeLessThan(tolerance);
    // It does something at all.
    expect(relativeDifference(found, lastLogits(model, expected.tokens))).toBeGreaterThan(0.1);
  });

  test("merged has PEFT's weights and logits", async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase(name, opened);
    const merged = mergedWith(inF32(base), [{ adapter, scale: 1 }], { products });
    await using theirs = await openSafetensors(adapterFixture(`${name}-merged.safetensors`));
    for (const [weight, tensor] of theirs.tensors) {
      const [mine, other] = [await numbersOf(merged.tensors.get(weight)), await numbersOf(tensor)];
      const furthest = mine.reduce(
        (most, number, index) => Math.max(most, Math.abs(number - (other[index] ?? NaN))),
        0,
      );
      // The last place of the largest numbers, which are below 4. Measured: 0, on a CPU that adds up as PyTorch's does.
      expect(furthest, weight).toBeLessThan(5e-7);
    }
    const model = await writeBareModel(inFolder('merged.gguf'), merged);
    expect(relativeDifference(lastLogits(model, expected.tokens), logitsOf(name))).toBeLessThan(exact);
  });
});

describe('merging', () => {
  test('adds up several adapters, each with its scale, in any pieces, and tells how much it changes', async () => {
    await using opened = new AsyncDisposableStack();
    const [one, base] = await adapterAndBase('llama-lora', opened);
    const [other] = await adapterAndBase('llama-rslora', opened);
    const changes = new TensorChanges();
    const weight = 'model.layers.1.self_attn.q_proj.weight';
    const merge = (...scales: [Adapter, number][]) =>
      mergedWith(
        inF32(base),
        scales.map(([adapter, scale]) => ({ adapter, scale })),
        {
          products,
          onChange: (name, change) => changes.add(name, change),
        },
      ).tensors.get(weight);
    const numbers = async (...scales: [Adapter, number][]) => numbersOf(merge(...scales));
    const [plain, first, second] = [
      await numbersOf(inF32(base).tensors.get(weight)),
      await numbers([one, 1]),
      await numbers([other, 1]),
    ];
    const both = await numbers([one, 0.5], [other, -2]);
    const sum = plain.map((number, index) => {
      const [a = NaN, b = NaN] = [first[index], second[index]];
      return number + 0.5 * (a - number) - 2 * (b - number);
    });
    expect(relativeDifference(both, sum)).toBeLessThan(1e-6);

    const whole = merge([one, 1]);
    const bytes = whole && (await readBytes(whole));
    const piece = new Uint8Array(100);
    await whole?.read(piece, 52);
    expect(piece).toEqual(bytes?.subarray(52, 152));
  });

  test('tells the norm of each change', async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase('llama-lora', opened);
    const changes: Record<string, { change: number; before: number }> = {};
    const merged = mergedWith(inF32(base), [{ adapter, scale: 1 }], {
      products,
      onChange: (name, change) => (changes[name] = change),
    });
    const weight = 'model.layers.0.mlp.down_proj.weight';
    const [after, before] = [
      await numbersOf(merged.tensors.get(weight)),
      await numbersOf(base.tensors.get(weight)),
    ];
    const squares = (numbers: Float32Array) => numbers.reduce((sum, number) => sum + number ** 2, 0);
    const difference = after.map((number, index) => number - (before[index] ?? NaN));
    expect(changes[weight]?.change).toBeCloseTo(squares(difference), 3);
    expect(changes[weight]?.before).toBeCloseTo(squares(before), 3);
    expect(merged.notes).toEqual([]);
  });

  test('gives a head of its own to a model whose head is its embeddings', async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase('llama-outer', opened);
    const tied = {
      ...base,
      tensors: new Map([...base.tensors].filter(([name]) => name !== 'lm_head.weight')),
    };
    const merged = mergedWith(tied, [{ adapter, scale: 1 }], { products });
    const [head, embedding] = await Promise.all(
      ['lm_head.weight', 'model.embed_tokens.weight'].map((name) => numbersOf(merged.tensors.get(name))),
    );
    expect(head).not.toEqual(embedding);
    const description = merged.description?.form === 'hugging-face' ? merged.description.config : {};
    expect(description['tie_word_embeddings']).toBe(false);
    expect(merged.notes).toEqual(['Embeddings and head were one; the head becomes a tensor of its own.']);
    // Where only the layers are changed, it stays as it is.
    const [inner] = await adapterAndBase('llama-lora', opened);
    expect(mergedWith(tied, [{ adapter: inner, scale: 1 }], { products }).tensors.has('lm_head.weight')).toBe(
      false,
    );
  });

  test.each([
    // In F32 only the order of additions differs; else the merged weights are rounded to 11, 8 or some 8 bits.
    ...([
      ['F32', 5e-6],
      ['F16', 2e-3],
      ['BF16', 2e-2],
      ['Q8_0', 3e-2],
    ] as const),
  ])(
    'a GGUF model in %s says with the adapter in it what it says with the adapter beside it',
    async (tensorType, tolerance) => {
      const model = await buildTinyModel(inFolder('model.gguf'), { tensorType });
      const path = await buildTinyAdapter(inFolder('lora.gguf'));
      await using base = await openModelSource(model);
      await using adapter = await openAdapter(path, { base });
      const merged = mergedWith(base, [{ adapter, scale: 1 }], { products });
      const plan = await planGguf(merged, { type: null });
      await writeGgufPlan(plan, inFolder('merged.gguf'), {}, options);
      const types = new Set(
        (await readModelFile(inFolder('merged.gguf'))).tensors.map(({ type }) => type.name),
      );
      expect(types).toEqual(new Set(['F32', tensorType]));
      const tokens = [5, 300, 420, 17, 600];
      const difference = relativeDifference(
        lastLogits(inFolder('merged.gguf'), tokens),
        lastLogits(model, tokens, path),
      );
      expect(difference).toBeLessThan(tolerance);
      expect(relativeDifference(lastLogits(model, tokens), lastLogits(model, tokens, path))).toBeGreaterThan(
        0.2,
      );
      expect(merged.notes.some((note) => note.includes('is quantized'))).toBe(tensorType === 'Q8_0');
    },
  );

  test.each([
    ['Q4_K', 'Q4_K'],
    ['IQ2_XXS', 'F16'],
    ['Q8_K', 'F16'],
    ['F8_E4M3', 'BF16'],
  ] as const)('weights in %s become %s', async (type, written) => {
    await using opened = new AsyncDisposableStack();
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const shape = [8, 256];
    const zeros = (tensorType: TensorTypeName, of: number[]) => {
      const described = { type: tensorTypes[tensorType], shape: of };
      return inMemory(name, described.type, of, new Uint8Array(bytesOf(described)));
    };
    const [adapter, base] = await adapterAndBase('llama-lora', opened);
    const weights = { ...base, tensors: new Map([[name, zeros(type, shape)]]) };
    const module = { a: zeros('F32', [2, 256]), b: zeros('F32', [8, 2]), scale: 1 };
    const merged = mergedWith(
      weights,
      [{ adapter: { ...adapter, modules: new Map([[name, module]]) }, scale: 1 }],
      { products },
    );
    const tensor = merged.tensors.get(name);
    expect(tensor?.type.name).toBe(written);
    // Zero and its neighbours are zero in all of them; Q8_K is only read for products.
    if (type !== 'Q8_K') expect(await numbersOf(tensor)).toEqual(new Float32Array(8 * 256));
    expect(merged.notes.some((note) => note.includes('importance matrix'))).toBe(written === 'F16');
  });

  test('refuses weights that are not there, or of another shape', async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase('llama-lora', opened);
    const fewer = {
      ...base,
      tensors: new Map([...base.tensors].filter(([name]) => !name.includes('layers.1'))),
    };
    expect(() => mergedWith(fewer, [{ adapter, scale: 1 }], { products })).toThrow(
      /changes weights that .*llama does not have: "model\.layers\.1\..* and 2 more\.$/,
    );
  });

  test('says which weights have numbers that are not finite', async () => {
    await using opened = new AsyncDisposableStack();
    const [adapter, base] = await adapterAndBase('llama-lora', opened);
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const broken = {
      ...adapter,
      modules: new Map([...adapter.modules].map(([key, module]) => [key, { ...module, scale: NaN }])),
    };
    const notes: string[] = [];
    const merged = mergedWith(base, [{ adapter: broken, scale: 1 }], {
      products,
      onNote: (text) => notes.push(text),
    });
    await numbersOf(merged.tensors.get(name));
    expect(notes).toEqual([`"${name}" has numbers that are not finite.`]);
  });
});

describe('the best approximation of a rank', () => {
  const { rows, columns, left } = expected.truncated;
  /** As make.py makes them. */
  function matrix(kind: string): Float32Array<ArrayBuffer> {
    let state = 1;
    const flat = Float64Array.from({ length: rows * columns }, () => {
      state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
      return state / 2 ** 32 - 0.5;
    });
    const at = (row: number, column: number) => flat[row * columns + column] ?? NaN;
    const low = (row: number, column: number) => {
      let sum = 0;
      for (let index = 0; index < 5; index++) sum += at(row, index) * at(index, column);
      return sum + 1e-4 * at(row, column);
    };
    return Float32Array.from(flat, (number, index) => {
      const column = index % columns;
      if (kind === 'slow') return number / (1 + column);
      if (kind === 'steep') return number * 0.9 ** column;
      return kind === 'low' ? low(Math.floor(index / columns), column) : number;
    });
  }
  function difference(numbers: Float32Array<ArrayBuffer>): Difference {
    const tensor = (values: Float32Array<ArrayBuffer>): Tensor =>
      inMemory('w', tensorTypes.F32, [rows, columns], new Uint8Array(values.buffer));
    return new Difference(tensor(new Float32Array(numbers.length)), tensor(numbers));
  }

  test.each(
    Object.entries(left).flatMap(([kind, ranks]) =>
      Object.entries(ranks).map(([rank, best]) => [kind, Number(rank), best] as const),
    ),
  )('of a %s matrix in rank %d leaves at most 1 % more than torch.linalg.svd', async (kind, rank, best) => {
    const delta = difference(matrix(kind));
    const { change } = await delta.measure({ keep: true });
    const found = await lowRank(delta, { rank, seed: 'a', products });
    const error = Math.sqrt(found.left / change);
    expect(error / best).toBeLessThan(1.01);
    // Nothing is better than the best; F32 gives and takes a little.
    expect(error / best).toBeGreaterThan(0.999);
    expect([found.a.rows, found.b.columns]).toEqual([rank, rank]);
    const norm = (numbers: Float32Array) => Math.sqrt(numbers.reduce((sum, number) => sum + number ** 2, 0));
    expect(norm(found.a.numbers) / norm(found.b.numbers)).toBeCloseTo(1, 4);
  });

  test('is the same for the same seed, and another for another', async () => {
    const numbers = matrix('flat');
    const run = async (seed: string) =>
      (await lowRank(difference(numbers), { rank: 4, seed, products })).a.numbers;
    expect(await run('a')).toEqual(await run('a'));
    expect(await run('a')).not.toEqual(await run('b'));
  });
});

describe('the adapter of a difference', () => {
  const tuned = adapterFixture('llama-tuned');
  const untouched = 'model.layers.1.self_attn.o_proj.weight';

  test.each([4, 40])("in rank %d comes as near as torch.linalg.svd's, and says how near", async (rank) => {
    await using base = await openModelSource(adapterFixture('llama'));
    await using target = await openModelSource(tuned);
    const layers = new Set<number | null>();
    await using adapter = await extractAdapter(base, target, {
      ...{ rank, products, scratch: inFolder('scratch') },
      onMatrix: ({ layer }) => layers.add(layer),
    });
    const best = expected.extraction.errors[rank] ?? {};
    expect(adapter.report.matrices.map(({ name }) => name).toSorted()).toEqual(Object.keys(best).toSorted());
    for (const { name, error } of adapter.report.matrices) {
      expect(error, name).toBeLessThan((best[name] ?? 0) * 1.01 + 1e-5);
      expect(error, name).toBeGreaterThan((best[name] ?? NaN) * 0.999 - 1e-9);
    }
    expect(adapter.modules.has(untouched)).toBe(false);
    expect(layers).toEqual(new Set([0, 1]));
    expect(adapter.report.layers.map(({ layer }) => layer)).toEqual([0, 1]);
    const others = new Map(adapter.report.others.map(({ name, change }) => [name, change]));
    expect([...others.keys()].toSorted()).toEqual(Object.keys(expected.extraction.others).toSorted());
    for (const [name, change] of Object.entries(expected.extraction.others))
      expect(others.get(name)).toBeCloseTo(change, 4);
    // No matrix has more ranks than rows and columns.
    expect(adapter.modules.get('model.layers.0.self_attn.k_proj.weight')?.a.shape).toEqual([
      Math.min(rank, 16),
      32,
    ]);
    expect(adapter.modules.get('model.layers.0.self_attn.k_proj.weight')?.scale).toBe(1);
  });

  test.each(['gguf', 'computed'])('of all ranks makes the target of the base, %s', async (form) => {
    await using base = await openModelSource(adapterFixture('llama'));
    await using target = await openModelSource(tuned);
    await using extracted = await extractAdapter(base, target, {
      rank: 48,
      products,
      scratch: inFolder('scratch'),
    });
    await writeAdapterGguf(extracted, base, inFolder('extracted.gguf'), options);
    await using stored = await openAdapter(inFolder('extracted.gguf'));
    const adapter = form === 'gguf' ? stored : extracted;
    const merged = mergedWith(inF32(base), [{ adapter, scale: 1 }], { products });
    for (const name of extracted.modules.keys()) {
      const [mine, theirs] = [
        await numbersOf(merged.tensors.get(name)),
        await numbersOf(target.tensors.get(name)),
      ];
      expect(relativeDifference(mine, theirs), name).toBeLessThan(1e-6);
    }
    expect(JSON.parse(String(stored.metadata.get('puna.extraction')?.value))).toEqual(extracted.report);
  });

  test('of a GGUF base tells that base', async () => {
    const model = await buildTinyModel(inFolder('one.gguf'));
    await using base = await openModelSource(model);
    await using other = await openModelSource(await buildTinyModel(inFolder('two.gguf'), { seed: 2 }));
    await using adapter = await extractAdapter(base, other, {
      rank: 2,
      products,
      scratch: inFolder('scratch'),
    });
    expect(adapter.metadata.get('puna.base.name')?.value).toBe('Tiny F32');
    await writeAdapterGguf(adapter, base, inFolder('of-two.gguf'), options);
    expect(lastLogits(model, [5, 300, 17], inFolder('of-two.gguf'))).not.toEqual(
      lastLogits(model, [5, 300, 17]),
    );
  });

  test('is refused where nothing differs, or shapes do', async () => {
    await using base = await openModelSource(adapterFixture('llama'));
    await using tiny = await openModelSource(await buildTinyModel(inFolder('tiny.gguf')));
    const extract = (target: ModelSource) =>
      extractAdapter(base, target, { rank: 4, products, scratch: inFolder('scratch') });
    await expect(extract(base)).rejects.toMatchObject({
      message: /do not differ in any matrix that an adapter could change\.$/,
    });
    await expect(extract(tiny)).rejects.toMatchObject({
      message: /are not of one shape: they differ in that of "model\.layers\.0/,
    });
  });
});
