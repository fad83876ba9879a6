import { describe, expect, it } from 'vitest';
import { type TensorTypeName, tensorTypes } from '../../src/main/weights/formats/tensor.ts';
import { type MergeModel, mergeModels, type MergeRecipe } from '../../src/main/weights/merge/index.ts';
import { inMemory } from '../../src/main/weights/tensors/views.ts';

type Shapes = Record<string, number[]>;

function opened(
  shapes: Record<string, Shapes>,
  type: TensorTypeName = 'F32',
  fill = 0,
): Map<string, MergeModel> {
  const model = (path: string, tensors: Shapes): MergeModel => ({
    path,
    tensors: new Map(
      Object.entries(tensors).map(([name, shape]) => {
        const bytes = new Uint8Array(shape.reduce((product, length) => product * length, 1) * 8).fill(fill);
        return [name, inMemory(name, tensorTypes[type], shape, bytes)];
      }),
    ),
  });
  return new Map(Object.entries(shapes).map(([path, tensors]) => [path, model(path, tensors)]));
}

const linear: MergeRecipe = {
  method: 'linear',
  models: ['a', 'b'].map((model) => ({ model, parameters: { weight: 1 } })),
  ...{ parameters: {}, seed: 0, notes: [] },
};
const passthrough = (...ranges: [model: string, first: number, end: number][]): MergeRecipe => ({
  method: 'passthrough',
  slices: ranges.map(([model, first, end]) => ({ sources: [{ model, layerRange: [first, end] }] })),
  ...{ parameters: {}, seed: 0, notes: [] },
});
const layers = (count: number, shape: number[]): Shapes =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`model.layers.${index}.up.weight`, shape]));

describe('models that do not fit', () => {
  it('are told which tensors differ, a handful of them', () => {
    const given = opened({
      a: { ...layers(9, [2, 3]), only: [1] },
      b: layers(9, [2, 4]),
    });
    expect(() => mergeModels(linear, given)).toThrow(
      'The models are not of one shape: "model.layers.0.up.weight" is [2, 3] in "a" and [2, 4] in "b"; ' +
        '"model.layers.1.up.weight" is [2, 3] in "a" and [2, 4] in "b"; ' +
        '"model.layers.2.up.weight" is [2, 3] in "a" and [2, 4] in "b"; ' +
        '"model.layers.3.up.weight" is [2, 3] in "a" and [2, 4] in "b"; ' +
        '"model.layers.4.up.weight" is [2, 3] in "a" and [2, 4] in "b"; and 5 more.',
    );
  });

  it('are told what one of them lacks', () => {
    expect(() => mergeModels(linear, opened({ a: { x: [1] }, b: { x: [1], y: [2] } }))).toThrow(
      'The models are not of one shape: "y" is missing in "a" and [2] in "b".',
    );
  });

  it('are told of their vocabularies, if these differ', () => {
    const given = opened({
      a: { 'model.embed_tokens.weight': [32000, 1], z: [1] },
      b: { 'model.embed_tokens.weight': [32001, 1], z: [2] },
    });
    expect(() => mergeModels(linear, given)).toThrow(
      '"a" has 32000 tokens and "b" has 32001 (rows of "model.embed_tokens.weight"), so their vocabularies differ.',
    );
  });

  it('are not stacked', () => {
    const given = opened({ a: layers(2, [2, 3]), b: layers(3, [2, 4]) });
    expect(() => mergeModels(passthrough(['a', 0, 2], ['b', 2, 3]), given)).toThrow(
      'The models are not of one shape: "model.layers.0.up.weight" is [2, 3] in "a" and [2, 4] in "b"',
    );
  });
});

describe('layers of a recipe', () => {
  it('must be there', () => {
    const given = opened({ a: layers(2, [1]) });
    expect(() => mergeModels(passthrough(['a', 0, 3]), given)).toThrow(
      'The layers [0, 3] of "a" go beyond the 2 that it has.',
    );
    expect(() => mergeModels(passthrough(['a', 2, 2]), given)).toThrow('The layers [2, 2] of "a" are none.');
  });

  it('come from models that were opened and have layers', () => {
    expect(() => mergeModels(passthrough(['a', 0, 1]), new Map())).toThrow(
      'names the model "a", which was not opened',
    );
    expect(() => mergeModels(passthrough(['a', 0, 1]), opened({ a: { x: [1] } }))).toThrow(
      'Slices need models with one list of layers; here there are none.',
    );
  });
});

describe('what is no weight', () => {
  const given = (fill: number) =>
    new Map([...opened({ a: { ids: [3] } }, 'I64', 1), ...opened({ b: { ids: [3] } }, 'I64', fill)]);

  it('passes if the models agree on it', async () => {
    const target = new Uint8Array(24);
    await mergeModels(linear, given(1), { pieceBytes: 5 }).tensors.get('ids')?.read(target, 0);
    expect(target).toEqual(new Uint8Array(24).fill(1));
  });

  it('is an error if they do not', async () => {
    const tensor = mergeModels(linear, given(2), { pieceBytes: 5 }).tensors.get('ids');
    await expect(tensor?.read(new Uint8Array(24), 0)).rejects.toThrow(
      '"ids" holds whole numbers, which differ between "a" and "b".',
    );
  });

  it('is left out where every program computes it', () => {
    const name = 'model.layers.0.self_attn.rotary_emb.inv_freq';
    const { tensors, notes } = mergeModels(linear, opened({ a: { x: [1], [name]: [4] }, b: { x: [1] } }));
    expect([...tensors.keys()]).toEqual(['x']);
    expect(notes).toEqual(['Rotary frequencies (inv_freq) are left out: every program computes them anew.']);
  });
});

describe('a head', () => {
  it('that is that of the embeddings in one model stands beside the head of the other', () => {
    const embeddings = { 'model.embed_tokens.weight': [4, 1] };
    const { tensors, notes } = mergeModels(
      linear,
      opened({ a: embeddings, b: { ...embeddings, 'lm_head.weight': [4, 1] } }),
    );
    expect([...tensors.keys()]).toEqual(['model.embed_tokens.weight', 'lm_head.weight']);
    expect(notes).toEqual(['"a" has no head of its own; its embeddings are taken for one.']);
  });
});

describe('a parameter', () => {
  it('that no one gives is named, with the model', () => {
    const recipe: MergeRecipe = {
      ...linear,
      models: [{ model: 'a', parameters: { weight: 1 } }, { model: 'b' }],
    };
    expect(() => mergeModels(recipe, opened({ a: { x: [1] }, b: { x: [1] } }))).toThrow(
      'The recipe gives no weight for "b".',
    );
  });

  it('that has no effect is noted', () => {
    const recipe: MergeRecipe = { ...linear, parameters: { density: 0.5 } };
    expect(mergeModels(recipe, opened({ a: { x: [1] }, b: { x: [1] } })).notes).toEqual([
      '"density" has no effect on the method linear.',
    ]);
  });

  it('cannot be weights that cancel out, where they are normalized', () => {
    const recipe: MergeRecipe = {
      ...linear,
      models: [
        { model: 'a', parameters: { weight: 1 } },
        { model: 'b', parameters: { weight: -1 } },
      ],
    };
    const given = opened({ a: { x: [1] }, b: { x: [1] } });
    expect(() => mergeModels(recipe, given)).toThrow('The weights of the models add up to 0 for "x"');
    expect(() => mergeModels({ ...recipe, parameters: { normalize: false } }, given)).not.toThrow();
  });
});
