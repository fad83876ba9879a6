import { describe, expect, it } from 'vitest';
import { answeringModel } from '../../src/shared/answering-model.ts';
import type { Model } from '../../src/shared/contract/index.ts';

type Given = Partial<Pick<Model, 'kind' | 'origin' | 'parameters' | 'missing' | 'broken' | 'verified'>>;
const model = (id: number, given: Given = {}) => ({
  ...{ id, kind: 'model' as const, origin: 'file' as const, parameters: 1e9, missing: false },
  ...{ broken: null, verified: null },
  ...given,
});
const starter = model(1, { origin: 'starter', parameters: 1e7 });
const answers = (models: readonly ReturnType<typeof model>[], wanted: number | null = null) =>
  answeringModel(models, wanted)?.id;

describe('the model that answers', () => {
  it('is the one that is wanted, also where its file is gone, and the starter model where that is wanted', () => {
    expect(answers([model(2), model(3, { missing: true })], 3)).toBe(3);
    expect(answers([starter, model(2)], 1)).toBe(1);
  });

  it('is the first whose file is there where none is wanted, or the wanted one is no longer there', () => {
    const models = [model(2, { missing: true }), model(3, { kind: 'adapter' }), model(4), model(5)];
    expect(answers(models)).toBe(4);
    expect(answers(models, 9)).toBe(4);
    expect(answers(models, 3)).toBe(4);
    expect(answers([model(2, { missing: true })])).toBeUndefined();
  });

  it('is the starter model until there is a larger one', () => {
    expect(answers([starter])).toBe(1);
    // What was made of it has as many weights.
    expect(answers([model(2, { parameters: 1e7 }), starter])).toBe(1);
    expect(answers([starter, model(2), model(3)])).toBe(2);
    expect(answers([starter, model(2, { parameters: null })])).toBe(2);
    expect(answers([starter, model(2, { missing: true })])).toBe(1);
  });

  it('is what was made of the starter model where that is gone and nothing else is there', () => {
    expect(answers([model(2, { parameters: 1e7 }), { ...starter, missing: true }])).toBe(2);
  });

  it('is none that is known to be broken, unless that one is wanted, or all are', () => {
    const broken = { code: 'file-damaged' as const, message: 'It ends too early.', remedy: '' };
    const damaged = { result: 'damaged' as const, sha256: null, damaged: ['a.gguf'], at: 0 };
    const [bad, other] = [model(2, { broken }), model(3, { verified: damaged })];
    expect(answers([bad, other, model(4)])).toBe(4);
    expect(answers([bad, starter])).toBe(1);
    expect(answers([bad, model(4)], 2)).toBe(2);
    expect(answers([model(2, { broken, missing: true }), other])).toBe(3);
    expect(answers([{ ...starter, broken }, model(4, { parameters: 1e6 })])).toBe(4);
  });

  it('answers from a server only where that is wanted', () => {
    const remote = model(2, { kind: 'remote', origin: 'server', parameters: null });
    expect(answers([remote, starter])).toBe(1);
    expect(answers([remote])).toBeUndefined();
    expect(answers([remote, starter], 2)).toBe(2);
  });
});
