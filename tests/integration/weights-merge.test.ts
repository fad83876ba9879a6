import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, countOf, type Tensor, tensorTypes } from '../../src/main/weights/formats/tensor.ts';
import { openSafetensors } from '../../src/main/weights/formats/safetensors-reader.ts';
import {
  type MergeModel,
  mergeModels,
  type MergeRecipe,
  readMergekitYaml,
} from '../../src/main/weights/merge/index.ts';
import { linearTensor } from '../../src/main/weights/merge/linear.ts';
import { type Mask, taskVectorTensor } from '../../src/main/weights/merge/task-vectors.ts';
import { trimMasks } from '../../src/main/weights/merge/trim.ts';
import { decodeFloats, encodeFloats, readFloats } from '../../src/main/weights/tensors/floats.ts';
import { inMemory } from '../../src/main/weights/tensors/views.ts';

const fixtures = `${import.meta.dirname}/../fixtures/weights/merge`;
/** Smaller than any tensor of the fixtures, so that all of them are computed in pieces. */
const smallPieces = { pieceBytes: 256 };

async function openFixture(name: string): Promise<ReadonlyMap<string, Tensor>> {
  await using file = await openSafetensors(`${fixtures}/${name}.safetensors`);
  const tensors = await Promise.all(
    [...file.tensors.values()].map(async (tensor): Promise<[string, Tensor]> => {
      const { name, type, shape } = tensor;
      return [name, inMemory(name, type, shape, await bytes(tensor))];
    }),
  );
  return new Map(tensors);
}

async function bytes(tensor: Tensor): Promise<Uint8Array> {
  const target = new Uint8Array(bytesOf(tensor));
  await tensor.read(target, 0);
  return target;
}

function floats(tensor: Tensor): Promise<Float32Array> {
  return readFloats(tensor, 0, countOf(tensor));
}

function named(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`There is no ${name}.`);
  return tensor;
}

function vector(name: string, numbers: ArrayLike<number>, shape = [numbers.length]): Tensor {
  return inMemory(name, tensorTypes.F32, shape, new Uint8Array(Float32Array.from(numbers).buffer));
}

function model(path: string, tensors: readonly Tensor[]): MergeModel {
  return { path, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

/** The largest difference, in parts of the largest number. */
function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((max, number) => Math.max(max, Math.abs(number)), 0);
  return (
    actual.reduce((max, number, index) => Math.max(max, Math.abs(number - (expected[index] ?? NaN))), 0) /
    largest
  );
}

const models = new Map<string, MergeModel>();
beforeAll(async () => {
  for (const file of readdirSync(`${fixtures}/models`)) {
    const path = file.replace('.safetensors', '');
    models.set(path, { path, tensors: await openFixture(`models/${path}`) });
  }
});

function recipeOf(name: string): MergeRecipe {
  return readMergekitYaml(readFileSync(`${fixtures}/recipes/${name}.yml`, 'utf8'), { name });
}

describe('a merge by a recipe of mergekit', () => {
  const identical = [
    ...['linear', 'linear-sum', 'linear-brain', 'linear-out-half', 'slices', 'passthrough'],
    ...['task', 'task-normalized', 'ties'],
  ];
  it.each(identical)('gives for %s the bytes that mergekit gives', async (name) => {
    const { tensors } = mergeModels(recipeOf(name), models, smallPieces);
    const expected = await openFixture(`results/${name}`);
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [tensorName, tensor] of expected) {
      const actual = named(tensors, tensorName);
      expect(actual).toMatchObject({ name: tensorName, type: tensor.type, shape: tensor.shape });
      expect([tensorName, await bytes(actual)]).toEqual([tensorName, await bytes(tensor)]);
    }
  });

  // Sums that mergekit takes in 32 bits are taken in 64.
  it.each(['slerp', 'slerp-parallel', 'ties-sum'])('gives for %s what mergekit gives', async (name) => {
    const { tensors } = mergeModels(recipeOf(name), models, smallPieces);
    const expected = await openFixture(`results/${name}`);
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [tensorName, tensor] of expected) {
      const difference = relativeDifference(await floats(named(tensors, tensorName)), await floats(tensor));
      expect([tensorName, difference < 1e-6]).toEqual([tensorName, true]);
    }
  });

  it('tells the number of layers of what was stacked', () => {
    expect(mergeModels(recipeOf('passthrough'), models).layers).toBe(4);
    expect(mergeModels(recipeOf('ties'), models).layers).toBe(3);
  });

  it.each(['linear', 'slerp', 'ties-sum', 'passthrough'])(
    'gives for %s the same in pieces of any size and order',
    async (name) => {
      const inOne = mergeModels(recipeOf(name), models).tensors;
      const inPieces = mergeModels(recipeOf(name), models, smallPieces).tensors;
      for (const tensor of inOne.values()) {
        const other = named(inPieces, tensor.name);
        const target = new Uint8Array(bytesOf(other));
        const step = 7 * tensor.type.blockBytes;
        for (let at = Math.floor((target.length - 1) / step) * step; at >= 0; at -= step) {
          await other.read(target.subarray(at, Math.min(at + step, target.length)), at);
        }
        expect(target).toEqual(await bytes(tensor));
      }
    },
  );
});

describe('task vectors', () => {
  it.each([
    ['dare_linear', false],
    ['dare_linear', true],
    ['dare_ties', false],
    ['dare_ties', true],
  ] as const)(
    'with the masks that mergekit drew become what its %s gives (rescaled: %s)',
    async (method, rescale) => {
      const given = await openFixture('dare');
      const masks = await Promise.all(
        [0, 1].map(async (index): Promise<Mask> => {
          const kept = await bytes(named(given, `mask.${index}`));
          return (vector, start) => vector.forEach((_, at) => kept[start + at] === 0 && (vector[at] = 0));
        }),
      );
      const result = taskVectorTensor(
        named(given, 'base'),
        named(given, 'base'),
        [named(given, 'model.0'), named(given, 'model.1')],
        {
          weights: [0.6, 0.7],
          masks: async () => masks,
          ...{ rescale, elects: method === 'dare_ties', normalize: false, lambda: 1, pieceBytes: 256 },
        },
      );
      const expected = await floats(named(given, `${method}.${rescale ? 'rescaled' : 'plain'}`));
      expect(relativeDifference(await floats(result), expected)).toBeLessThan(
        rescale ? 1e-6 : Number.MIN_VALUE,
      );
    },
  );

  it('of equal magnitudes keep as many as mergekit does, the first ones', async () => {
    const given = await openFixture('equal-magnitudes');
    const base = named(given, 'base');
    const result = taskVectorTensor(
      base,
      base,
      [0, 1, 2].map((index) => named(given, `model.${index}`)),
      {
        weights: [1, 0.5, 0.3],
        masks: (stretches) => trimMasks(stretches, countOf(base), [0.5, 0.2, 0.001]),
        ...{ rescale: false, elects: true, normalize: true, lambda: 1, pieceBytes: 256 },
      },
    );
    expect(await floats(result)).toEqual(await floats(named(given, 'ties')));
  });
});

describe('DARE', () => {
  const count = 40_000;
  const base = vector('w', new Float32Array(count));
  const ones = (name: string) => model(name, [vector('w', new Float32Array(count).fill(1))]);
  const given = new Map([
    ['base', model('base', [base])],
    ['a', ones('a')],
    ['b', ones('b')],
  ]);
  const recipe = (parameters: MergeRecipe['parameters'], rest: Partial<MergeRecipe> = {}): MergeRecipe => ({
    method: 'dare',
    base: 'base',
    models: [{ model: 'a', parameters: { weight: 1 } }],
    ...{ parameters, seed: 0, notes: [] },
    ...rest,
  });
  const merge = (
    parameters: MergeRecipe['parameters'],
    rest: Partial<MergeRecipe> = {},
    pieceBytes?: number,
  ) =>
    floats(
      named(mergeModels(recipe(parameters, rest), given, pieceBytes ? { pieceBytes } : {}).tensors, 'w'),
    );

  it('keeps as much as its density says, by a choice that the seed decides and pieces do not', async () => {
    const kept = await merge({ density: 0.3, rescale: false });
    const share = kept.reduce((sum, number) => sum + number, 0) / count;
    // Five standard deviations of a binomial distribution.
    expect(Math.abs(share - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / count));
    expect(await merge({ density: 0.3, rescale: false }, {}, 4096)).toEqual(kept);
    const other = await merge({ density: 0.3, rescale: false }, { seed: 1 });
    const both = kept.filter((number, index) => number * (other[index] ?? 0) === 1).length / count;
    expect(Math.abs(both - 0.09)).toBeLessThan(5 * Math.sqrt((0.09 * 0.91) / count));
  });

  it('chooses anew for each model', async () => {
    const models = ['a', 'b'].map((name) => ({ model: name, parameters: { weight: 1 } }));
    const sums = await merge({ density: 0.5, rescale: false }, { models });
    const both = sums.filter((number) => number === 2).length / count;
    expect(Math.abs(both - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / count));
  });

  it('enlarges what it keeps, so that the sum of changes stays', async () => {
    const sum = (await merge({ density: 0.3 })).reduce((total, number) => total + number, 0);
    expect(sum / count).toBeCloseTo(1, 5);
  });

  it('leaves on average what there was', async () => {
    const changes = Float32Array.from({ length: 500 }, (_, index) => Math.sin(index));
    const given = new Map([
      ['base', model('base', [vector('w', new Float32Array(500))])],
      ['a', model('a', [vector('w', changes)])],
    ]);
    let projection = 0;
    const seeds = 300;
    for (let seed = 0; seed < seeds; seed++) {
      const { tensors } = mergeModels(recipe({ density: 0.3 }, { seed }), given);
      const made = await floats(named(tensors, 'w'));
      projection += made.reduce((sum, number, index) => sum + number * (changes[index] ?? 0), 0);
    }
    const squares = changes.reduce((sum, number) => sum + number * number, 0);
    // The deviation is about 0.003, without enlargement the average would be 0.3.
    expect(Math.abs(projection / seeds / squares - 1)).toBeLessThan(0.02);
  });

  it.each([
    ['dare', 'task'],
    ['dare_ties', 'ties'],
  ] as const)('with density 1, %s is %s', async (method, plain) => {
    const parameters = { density: 1, normalize: true, lambda: 0.7, weight: 0.3 };
    const made = [method, plain].map((method) => {
      const inputs = ['a', 'b', 'c'].map((model) => ({ model }));
      return mergeModels({ method, base: 'base', models: inputs, parameters, seed: 3, notes: [] }, models)
        .tensors;
    });
    const [dropped = new Map(), whole = new Map()] = made;
    expect(dropped.size).toBeGreaterThan(0);
    for (const [name, tensor] of dropped)
      expect(await bytes(tensor)).toEqual(await bytes(named(whole, name)));
  });
});

describe('any merge', () => {
  const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3 }), {
    minLength: 1,
    maxLength: 200,
  });

  it('of a model with itself is that model, but for rounding', async () => {
    await fc.assert(
      fc.asyncProperty(
        numbers,
        fc.array(fc.float({ noNaN: true, min: Math.fround(0.125), max: 8 }), { minLength: 1, maxLength: 4 }),
        async (values, weights) => {
          const tensor = vector('w', values);
          const inputs = weights.map((weight) => ({ tensor, weight }));
          const result = await floats(linearTensor(tensor, inputs, { normalize: true, pieceBytes: 1024 }));
          const own = await floats(tensor);
          const largest = Math.max(...own.map(Math.abs));
          for (const [index, number] of result.entries()) {
            // Smaller numbers have fewer digits.
            const bound = Math.max(2 ** -126, 1e-6 * largest);
            expect(Math.abs(number - (own[index] ?? NaN))).toBeLessThanOrEqual(bound);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order of the models, but for rounding', async () => {
    const input = (model: string, weight: number) => ({ model, parameters: { weight, density: weight } });
    for (const method of ['linear', 'task', 'ties'] as const) {
      const merge = (inputs: ReturnType<typeof input>[]) => {
        const base = method === 'linear' ? {} : { base: 'base' };
        return mergeModels({ method, models: inputs, ...base, parameters: {}, seed: 0, notes: [] }, models)
          .tensors;
      };
      const inOrder = merge([input('a', 0.3), input('b', 0.5), input('c', 0.8)]);
      const turned = merge([input('c', 0.8), input('b', 0.5), input('a', 0.3)]);
      for (const [name, tensor] of inOrder) {
        expect(relativeDifference(await floats(named(turned, name)), await floats(tensor))).toBeLessThan(
          1e-6,
        );
      }
    }
  });

  it('by slerp begins at the base and ends at the other model', async () => {
    for (const [t, end] of [
      [0, 'base'],
      [1, 'd'],
    ] as const) {
      const recipe: MergeRecipe = {
        ...{ method: 'slerp', base: 'base', models: [{ model: 'd' }], parameters: { t }, seed: 0, notes: [] },
      };
      const { tensors } = mergeModels(recipe, models);
      for (const [name, tensor] of models.get(end)?.tensors ?? []) {
        expect(await floats(named(tensors, name))).toEqual(
          (await floats(tensor)).map((number) => number + 0),
        );
      }
    }
  });

  it('of one task vector with weight 1 is the model that it was taken from, trimmed to nothing the base', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, fc.double({ min: 0.01, max: 0.99, noNaN: true }), async (values, density) => {
        // Quarters, whose differences are exact.
        const changed = vector(
          'w',
          values.map((value) => Math.round(value * 4) / 4),
        );
        const zero = vector(
          'w',
          values.map(() => 0),
        );
        const given = new Map([
          ['base', model('base', [zero])],
          ['a', model('a', [changed])],
        ]);
        const recipe: MergeRecipe = {
          ...{ method: 'ties', base: 'base', models: [{ model: 'a' }], seed: 0, notes: [] },
          parameters: { weight: 1, density },
        };
        const result = await floats(named(mergeModels(recipe, given).tensors, 'w'));
        const own = await floats(changed);
        const order = [...own.keys()].sort(
          (one, other) => Math.abs(own[other] ?? 0) - Math.abs(own[one] ?? 0) || one - other,
        );
        const kept = new Set(order.slice(0, Math.max(1, Math.floor(density * own.length))));
        expect(result).toEqual(own.map((number, index) => (kept.has(index) ? number : 0) + 0));
      }),
      { numRuns: 50 },
    );
  });
});

describe('passing through', () => {
  it('renames layers and touches no byte, of any type', async () => {
    const layer = (index: number) =>
      inMemory(
        `model.layers.${index}.mlp.up_proj.weight`,
        tensorTypes.Q8_0,
        [1, 32],
        Uint8Array.from({ length: 34 }, (_, at) => at + index),
      );
    const outside = (name: string) =>
      inMemory(name, tensorTypes.BF16, [2], Uint8Array.of(1, 2, 3, name.length));
    const open = (path: string, from: number) =>
      model(path, [
        ...[0, 1, 2].map((index) => ({ ...layer(index + from), name: layer(index).name })),
        ...[outside(`lm_head.weight`), outside('model.embed_tokens.weight')],
      ]);
    const given = new Map([
      ['a', open('a', 0)],
      ['b', open('b', 100)],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            model: fc.constantFrom('a', 'b'),
            first: fc.nat({ max: 2 }),
            count: fc.integer({ min: 1, max: 3 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        async (ranges) => {
          const slices = ranges.map(({ model, first, count }) => {
            const layerRange: [number, number] = [first, Math.min(3, first + count)];
            return { sources: [{ model, layerRange }] };
          });
          const recipe: MergeRecipe = { method: 'passthrough', slices, parameters: {}, seed: 0, notes: [] };
          const { tensors, layers } = mergeModels(recipe, given);
          const sources = slices.flatMap(({ sources: [source] }) => {
            const [first = 0, end = 0] = source?.layerRange ?? [];
            return Array.from({ length: end - first }, (_, at) => ({
              model: source?.model ?? '',
              index: first + at,
            }));
          });
          expect(layers).toBe(sources.length);
          expect([...tensors.keys()]).toEqual([
            'model.embed_tokens.weight',
            ...sources.map((_, index) => layer(index).name),
            'lm_head.weight',
          ]);
          for (const [index, { model, index: from }] of sources.entries()) {
            const tensor = named(tensors, layer(index).name);
            expect(tensor.type.name).toBe('Q8_0');
            expect(await bytes(tensor)).toEqual(await bytes(layer(from + (model === 'b' ? 100 : 0))));
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a merge of quantized models', () => {
  it('is computed from their numbers and says which type it has', async () => {
    const numbers = Float32Array.from({ length: 64 }, (_, index) => index - 30);
    const quantized = inMemory('w', tensorTypes.Q8_0, [2, 32], encodeFloats(tensorTypes.Q8_0, numbers, 32));
    const given = new Map(['a', 'b'].map((name) => [name, model(name, [quantized])]));
    const inputs = ['a', 'b'].map((model) => ({ model, parameters: { weight: 1 } }));
    const merged = mergeModels(
      { method: 'linear', models: inputs, parameters: {}, seed: 0, notes: [] },
      given,
    );
    expect(merged.notes).toEqual(['In the result, Q8_0 becomes F16.']);
    const target = new Uint8Array(2);
    // From inside of a block.
    await named(merged.tensors, 'w').read(target, 37 * 2);
    const all = await floats(quantized);
    expect(decodeFloats({ ...quantized, type: tensorTypes.F16 }, target)[0]).toBeCloseTo(all[37] ?? NaN, 2);
  });
});
