import { describe, expect, it } from 'vitest';
import { modelsOf, readMergekitYaml, recipeFromArguments } from '../../src/main/weights/merge/index.ts';
import { evaluate } from '../../src/main/weights/merge/setting.ts';

const read = (text: string) => readMergekitYaml(text, { name: 'recipe.yml' });

/** What is thrown, with its remedy. */
function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('Nothing was thrown.');
}

// Of the shape of the examples that mergekit publishes, with their keys and orders.
describe('a recipe of mergekit', () => {
  it('reads whole models with gradients and filters', () => {
    const recipe = read(`
models:
  - model: org/writer-13b
    parameters:
      density: [1, 0.7, 0.1] # falls over the layers
      weight: 1.0
  - model: org/coder-13b
    parameters:
      density: 0.5
      weight: [0, 0.3, 0.7, 1]
  - model: org/reckoner-13b
    parameters:
      density: 0.33
      weight:
        - filter: mlp
          value: 0.5
        - value: 0
merge_method: ties
base_model: org/base-13b
parameters:
  normalize: yes
  int8_mask: true
dtype: float16
`);
    expect(recipe).toEqual({
      method: 'ties',
      models: [
        { model: 'org/writer-13b', parameters: { density: [1, 0.7, 0.1], weight: 1 } },
        { model: 'org/coder-13b', parameters: { density: 0.5, weight: [0, 0.3, 0.7, 1] } },
        {
          model: 'org/reckoner-13b',
          parameters: { density: 0.33, weight: [{ filter: 'mlp', value: 0.5 }, { value: 0 }] },
        },
      ],
      base: 'org/base-13b',
      parameters: { normalize: true },
      type: 'F16',
      seed: 0,
      notes: ['"int8_mask" is ignored: it only saves memory in mergekit.'],
    });
    expect(modelsOf(recipe)).toEqual(['org/base-13b', 'org/writer-13b', 'org/coder-13b', 'org/reckoner-13b']);
  });

  it('reads slices of two models', () => {
    const recipe = read(`
slices:
  - sources:
      - model: one
        layer_range: [0, 40]
      - model: other
        layer_range: [0, 40]
merge_method: slerp
base_model: one
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - value: 0.5 # of all other tensors
dtype: bfloat16
out_dtype: float32
tokenizer_source: base
chat_template: auto
name: merged
`);
    expect(recipe).toMatchObject({
      name: 'merged',
      method: 'slerp',
      slices: [
        {
          sources: [
            { model: 'one', layerRange: [0, 40] },
            { model: 'other', layerRange: [0, 40] },
          ],
        },
      ],
      base: 'one',
      parameters: { t: [{ filter: 'self_attn', value: [0, 0.5, 0.3, 0.7, 1] }, { value: 0.5 }] },
      type: 'F32',
      notes: ['"chat_template" is ignored: the merged model keeps the chat template of its base.'],
    });
  });

  it('reads layers that are stacked', () => {
    const recipe = read(`
slices:
  - sources:
    - model: one
      layer_range: [0, 24]
  - sources:
    - model: other
      layer_range: [20, 40]
      parameters: { scale: 1e-1 }
merge_method: passthrough
`);
    expect(recipe).toEqual({
      method: 'passthrough',
      slices: [
        { sources: [{ model: 'one', layerRange: [0, 24] }] },
        { sources: [{ model: 'other', layerRange: [20, 40], parameters: { scale: 0.1 } }] },
      ],
      ...{ parameters: {}, seed: 0, notes: [] },
    });
  });

  it.each([
    ['task_arithmetic', 'task'],
    ['dare_linear', 'dare'],
    ['dare_ties', 'dare_ties'],
  ])('may call its method %s', (name, method) => {
    expect(read(`{merge_method: ${name}, base_model: b, models: [{model: a}]}`).method).toBe(method);
  });

  const models = 'models: [{model: a}, {model: b}]';
  it.each([
    [
      `merge_method: della\n${models}`,
      'recipe.yml: Puna knows no way to merge called "della".',
      'Choose one of linear, slerp, task, ties, dare, dare_ties, passthrough.',
    ],
    [
      `merge_method: linear\nmodules: {}\nfoo: 1\n${models}`,
      'recipe.yml: the recipe has "modules", "foo", which Puna does not know there. Known: name, merge_method, models, ' +
        'slices, base_model, parameters, dtype, out_dtype, tokenizer_source, tokenizer, chat_template.',
    ],
    [
      'merge_method: linear\nmodels: [{model: a, parameters: {gamma: 1}}]',
      'recipe.yml: models[0].parameters has "gamma", which Puna does not know there. Known: weight, density, t, lambda, ' +
        'scale, normalize, rescale, int8_mask.',
    ],
    [
      `merge_method: linear\nparameters: {weight: heavy}\n${models}`,
      'recipe.yml: parameters.weight is neither a number, nor a list of them over the layers, nor a list of { filter, value }.',
    ],
    [
      `merge_method: linear\nparameters: {weight: .inf}\n${models}`,
      'recipe.yml: parameters.weight is neither a number, nor a list of them over the layers, nor a list of { filter, value }.',
    ],
    [
      `merge_method: linear\ndtype: int4\n${models}`,
      'recipe.yml: dtype is none of float32, float16 and bfloat16.',
    ],
    ['- linear', 'recipe.yml: the recipe is not a mapping of keys to values.'],
    ['', 'recipe.yml: the recipe is not a mapping of keys to values.'],
    [
      `merge_method: linear\ntokenizer_source: union\n${models}`,
      'recipe.yml: the tokenizer is to come from "union", but Puna merges models of one vocabulary only.',
    ],
    [
      `merge_method: linear\ntokenizer: {}\n${models}`,
      'recipe.yml: the tokenizer is to come from "union", but Puna merges models of one vocabulary only.',
    ],
    ['merge_method: linear', 'A merge is of models or of slices of them: one of the two, not both.'],
    [`merge_method: ties\n${models}`, 'ties needs a base model.'],
    [`merge_method: task\nbase_model: a\nmodels: [{model: a}]`, 'task needs a model beside the base.'],
    [
      `merge_method: slerp\nbase_model: c\n${models}`,
      'slerp takes exactly two models, the base among them, not 3.',
    ],
    [`merge_method: linear\nmodels: [{model: a}, {model: a}]`, '"a" stands twice among the models to merge.'],
    [
      `merge_method: ties\nbase_model: c\nparameters: {density: [1, 0]}\n${models}`,
      '"density" must be above 0 and at most 1, not 0.',
    ],
    [
      `merge_method: slerp\nbase_model: a\nparameters: {t: [{filter: x, value: [0, 1.5]}]}\n${models}`,
      '"t" must be from 0 to 1, not 1.5.',
    ],
    [`merge_method: passthrough\n${models}`, 'passthrough takes one model for each range of layers, not 2.'],
    [
      'merge_method: linear\nslices: [{sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 3]}]}]',
      'The sources of a slice have 2, 3 layers; each must have as many.',
    ],
    [
      'merge_method: ties\nbase_model: c\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}]',
      'The base "c" is not among the sources of a slice.',
    ],
  ])('is refused: %s', (text, message, remedy?: string) => {
    expect(errorOf(() => read(text))).toMatchObject({
      code: 'invalid-input',
      message,
      ...(remedy !== undefined && { remedy }),
    });
  });

  it.each(['a: [b', 'a: 1\na: 2', 'a: *b', '--- 1\n--- 2', '['.repeat(50_000)])(
    'must be YAML: %.20s',
    (text) => {
      expect(errorOf(() => read(text))).toMatchObject({
        code: 'invalid-input',
        message: expect.stringMatching(/^recipe\.yml: is not YAML: [^\n]*\.$/),
      });
    },
  );

  it('does not let aliases multiply', () => {
    const lines = Array.from(
      { length: 12 },
      (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]`,
    );
    expect(errorOf(() => read(`a0: &a0 [x]\n${lines.join('\n')}`))).toMatchObject({ code: 'invalid-input' });
  });

  it('is not a book', () => {
    expect(errorOf(() => read(`#${'x'.repeat(1_000_000)}`))).toMatchObject({
      message: 'recipe.yml: is too long for a recipe.',
    });
  });
});

describe('a setting', () => {
  it('is interpolated over the layers', () => {
    expect([0, 0.25, 0.5, 1].map((place) => evaluate([0, 1, 5], 'x', place))).toEqual([0, 0.5, 1, 5]);
    expect(evaluate([3], 'x', 1)).toBe(3);
    expect([0, 0.9, 1].map((place) => evaluate([false, true], 'x', place))).toEqual([false, false, true]);
  });

  it('is decided by the first condition that holds', () => {
    const setting = [
      { filter: 'self_attn', value: [0, 1] },
      { filter: 'attn', value: 7 },
      { filter: '*', value: 8 },
      { value: 9 },
    ];
    expect(evaluate(setting, 'layers.0.self_attn.q', 0.5)).toBe(0.5);
    expect(evaluate(setting, 'layers.0.attn.q', 0.5)).toBe(7);
    expect(evaluate(setting, 'norm', 0.5)).toBe(8);
    expect(evaluate(setting.slice(0, 2), 'norm', 0.5)).toBeUndefined();
    expect(evaluate({ filter: 'no', value: 1 }, 'norm', 0)).toBe(1);
  });
});

describe('arguments', () => {
  it('are a recipe of whole models', () => {
    expect(
      recipeFromArguments({
        method: 'dare_linear',
        models: [{ path: 'a', weight: 0.3 }, { path: 'b' }, { path: 'base' }],
        ...{ base: 'base', density: 0.5, seed: 7, type: 'BF16' },
      }),
    ).toEqual({
      method: 'dare',
      models: [
        { model: 'a', parameters: { weight: 0.3 } },
        { model: 'b', parameters: { weight: 1 } },
        { model: 'base' },
      ],
      base: 'base',
      parameters: { density: 0.5 },
      ...{ type: 'BF16', seed: 7, notes: [] },
    });
  });

  it('say by weights how far slerp goes from its base, which is the first model, to the other', () => {
    const models = [
      { path: 'a', weight: 3 },
      { path: 'b', weight: 1 },
    ];
    expect(recipeFromArguments({ method: 'slerp', models })).toMatchObject({
      base: 'a',
      parameters: { t: 0.25 },
    });
    expect(recipeFromArguments({ method: 'slerp', models, t: 0.6 })).toMatchObject({
      parameters: { t: 0.6 },
    });
    expect(recipeFromArguments({ method: 'slerp', models, base: 'b' })).toMatchObject({
      parameters: { t: 0.75 },
    });
    expect(recipeFromArguments({ method: 'slerp', models: [{ path: 'a' }], base: 'b' })).toMatchObject({
      parameters: { t: 0.5 },
    });
  });

  it.each([
    [{ method: 'mix', models: [] }, 'Puna knows no way to merge called "mix".'],
    [{ method: 'passthrough', models: [{ path: 'a' }] }, 'passthrough needs ranges of layers.'],
    [{ method: 'ties', models: [{ path: 'a' }] }, 'ties needs a base model.'],
    [
      { method: 'ties', models: [{ path: 'a' }], base: 'b', density: 0 },
      '"density" must be above 0 and at most 1, not 0.',
    ],
    [
      { method: 'linear', models: [{ path: 'a', weight: NaN }] },
      '"weight" must be a finite number, not NaN.',
    ],
    [{ method: 'linear', models: [] }, 'A merge needs models.'],
  ])('are refused: %j', (given, message) => {
    expect(errorOf(() => recipeFromArguments(given))).toMatchObject({ code: 'invalid-input', message });
  });
});
