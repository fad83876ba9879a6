// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import { equationOf } from '../../src/renderer/components/weights/equation.ts';
import { pickedThings } from '../../src/renderer/components/weights/dropped.ts';
import {
  canBeFolder,
  methodsFor,
  operationOf,
  type Options,
  suggestedName,
  usualOptions,
} from '../../src/renderer/components/weights/operation.ts';
import {
  missingPart,
  type Part,
  proposalsFor,
  type Role,
  roleFor,
} from '../../src/renderer/components/weights/proposals.ts';
import { weightsOperationSchema } from '../../src/shared/contract/weights.ts';

let key = 0;
const part = (role: Role, name: string = role, patch: Partial<Part> = {}): Part => ({
  ...{ key: ++key, path: `/${name}`, name, role, layout: 'hugging-face', type: 'F16', weight: null },
  ...patch,
});
const gguf = { layout: 'gguf' } as const;
const base = part('base', 'llama-7b');
const other = part('model', 'vicuna-7b');

describe('what is proposed', () => {
  test.each([
    [['delta-apply'], [base, part('delta')]],
    [
      ['adapter-merge', 'adapter-convert'],
      [base, part('adapter')],
    ],
    [['adapter-merge'], [base, part('adapter', 'one'), part('adapter', 'two')]],
    [
      ['merge', 'delta-make', 'adapter-extract'],
      [base, other],
    ],
    [['merge'], [base, other, part('model', 'third')]],
    [['merge'], [other, part('model', 'third')]],
    [['quantize', 'convert'], [part('base', 'one', gguf)]],
    [
      ['quantize', 'convert'],
      [part('base', 'one', gguf), part('importance')],
    ],
    [['convert'], [base]],
    [['recipe'], [part('recipe'), base]],
    [['adapter-convert'], [part('adapter')]],
    [[], [part('delta')]],
    [[], [part('text')]],
    [[], []],
  ] as const)('is %s for what is there', (kinds, parts) => {
    expect(proposalsFor(parts)).toEqual(kinds);
    for (const kind of kinds) {
      const operation = operationOf(kind, parts, usualOptions);
      expect(weightsOperationSchema.parse(operation)).toEqual(operation);
    }
  });

  test('comes with a word on what is missing', () => {
    expect(missingPart([part('delta')])).toBe('baseForDelta');
    expect(missingPart([part('adapter')])).toBe('baseForAdapter');
    expect(missingPart([part('importance')])).toBe('model');
    for (const parts of [[], [base], [base, part('delta')], [part('recipe')], [other]]) {
      expect(missingPart(parts)).toBeNull();
    }
  });
});

describe('the role of an item', () => {
  test('is that of the base for the first model, and for a delta by its name where its kind does not tell', () => {
    expect(roleFor('model', 'llama-7b', [])).toBe('base');
    expect(roleFor('model', 'vicuna-7b', ['base'])).toBe('model');
    expect(roleFor('model', 'vicuna-7b-delta-v1.1', ['base'])).toBe('delta');
    expect(roleFor('tensors', 'alpaca_diff', [])).toBe('delta');
    expect(roleFor('model', 'deltaplane', [])).toBe('base');
    expect(roleFor('delta', 'anything', ['base'])).toBe('delta');
  });
});

describe('an operation', () => {
  const nameOf = (...[kind, parts, options]: Parameters<typeof suggestedName>) =>
    suggestedName(kind, parts, options);

  test('has a name that tells what it is', () => {
    const delta = part('delta', 'vicuna-7b-delta-v1.1');
    expect(nameOf('delta-apply', [base, delta], usualOptions)).toBe('vicuna-7b-v1.1');
    expect(nameOf('delta-apply', [base, delta], { ...usualOptions, type: 'Q4_K_M' })).toBe(
      'vicuna-7b-v1.1-Q4_K_M',
    );
    expect(nameOf('quantize', [part('base', 'm-F16.gguf', gguf)], usualOptions)).toBe('m-Q4_K_M');
    expect(nameOf('merge', [base, other], usualOptions)).toBe('llama-7b+vicuna-7b');
  });

  test('makes a file or a folder by what it is and what is wished', () => {
    const outOf = (...given: Parameters<typeof operationOf>) => operationOf(...given)?.out;
    const folder: Options = { ...usualOptions, form: 'folder' };
    expect(outOf('convert', [base], usualOptions)).toBe('llama-7b.gguf');
    expect(outOf('convert', [base], folder)).toBe('llama-7b');
    // What has no configuration cannot become a folder.
    expect(canBeFolder('convert', [part('base', 'one', gguf)])).toBe(false);
    expect(outOf('convert', [part('base', 'one', gguf)], folder)).toBe('one.gguf');
    expect(outOf('delta-make', [base, other], folder)).toBe('vicuna-7b-delta');
    expect(outOf('adapter-convert', [part('adapter', 'lora', gguf)], usualOptions)).toBe('lora');
    expect(outOf('adapter-convert', [part('adapter', 'lora')], usualOptions)).toBe('lora.gguf');
    expect(outOf('convert', [base], { ...usualOptions, name: ' mine ' })).toBe('mine.gguf');
  });

  test('that merges mixes all, or adds to the base what the others changed', () => {
    const weighed = part('model', 'vicuna-7b', { weight: 0.3 });
    expect(operationOf('merge', [base, weighed], usualOptions)).toMatchObject({
      ...{ method: 'linear', base: null, density: null, lambda: null, t: null },
      models: [
        { path: '/llama-7b', weight: 0.5 },
        { path: '/vicuna-7b', weight: 0.3 },
      ],
    });
    expect(operationOf('merge', [base, other], { ...usualOptions, method: 'ties' })).toMatchObject({
      ...{ method: 'ties', base: '/llama-7b', density: 0.5, lambda: 1, t: null },
      models: [{ path: '/vicuna-7b', weight: 1 }],
    });
    expect(methodsFor([base, other])).toContain('slerp');
    expect(methodsFor([base, other, part('model', 'third')])).not.toContain('slerp');
    expect(methodsFor([other, part('model', 'third')])).toEqual(['linear', 'slerp']);
  });

  test('can be read as an equation', () => {
    const read = (...given: Parameters<typeof operationOf>) => {
      const operation = operationOf(...given);
      if (!operation) return null;
      const { result, relation, terms } = equationOf(operation);
      return [result, relation, ...terms.flatMap(({ sign, factor, name }) => [sign, factor, name])]
        .filter(Boolean)
        .join(' ');
    };
    expect(read('delta-apply', [base, part('delta', 'vicuna-delta')], usualOptions)).toBe(
      'vicuna = llama-7b + vicuna-delta',
    );
    expect(read('delta-make', [base, other], usualOptions)).toBe('vicuna-7b-delta = vicuna-7b − llama-7b');
    expect(read('merge', [base, other], usualOptions)).toBe(
      'llama-7b+vicuna-7b = 0.50 llama-7b + 0.50 vicuna-7b',
    );
    expect(read('merge', [base, other], { ...usualOptions, method: 'ties' })).toBe(
      'llama-7b+vicuna-7b ≈ llama-7b + 1.00 (vicuna-7b − llama-7b)',
    );
  });
});

describe('files that are picked', () => {
  test('belong together, but for models of one file each', async () => {
    const names = ['a.gguf', 'config.json', 'model.safetensors'];
    const things = pickedThings(names.map((name) => new File([''], name)));
    const files = await Promise.all(
      things.map(async ({ files: of }) => (await of()).map(({ name }) => name)),
    );
    expect(files).toEqual([['a.gguf'], ['config.json', 'model.safetensors']]);
  });
});
