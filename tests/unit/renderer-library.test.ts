import { describe, expect, test } from 'vitest';
import { chosenModels, tagsOf } from '../../src/renderer/components/library/choose-models.ts';
import { automaticLoadSettings, type Model } from '../../src/shared/contract/index.ts';

function model(id: number, name: string, changes: Partial<Model> = {}): Model {
  return {
    ...{ id, kind: 'model', name, path: `/models/${name}.gguf`, bytes: id, architecture: 'llama' },
    ...{ parameters: null, quantization: null, contextLength: null, hasChatTemplate: true, license: null },
    ...{
      origin: 'puna',
      tags: [],
      verified: null,
      broken: null,
      loadSettings: automaticLoadSettings,
      missing: false,
    },
    ...{ server: null, addedAt: id, ...changes },
  };
}

const models = [
  model(1, 'Qwen 10B', { tags: ['korean', 'work'], quantization: 'Q4_K_M' }),
  model(2, 'qwen 2B', { tags: ['work'], origin: 'ollama', license: 'apache-2.0' }),
  model(3, 'Letters', { tags: ['한국어'], bytes: 0 }),
];
const all = { words: '', origin: null, tags: [], sort: 'name' } as const;
const ids = (choice: Partial<Parameters<typeof chosenModels>[1]>) =>
  chosenModels(models, { ...all, ...choice }).map(({ id }) => id);

describe('the library shows', () => {
  test('models by name, numbers as numbers, or by time, or by size', () => {
    expect(ids({})).toEqual([3, 2, 1]);
    expect(ids({ sort: 'newest' })).toEqual([3, 2, 1]);
    expect(ids({ sort: 'largest' })).toEqual([2, 1, 3]);
  });

  test('those of which all words are known, wherever', () => {
    expect(ids({ words: 'QWEN' })).toEqual([2, 1]);
    expect(ids({ words: 'qwen q4_k' })).toEqual([1]);
    expect(ids({ words: 'apache' })).toEqual([2]);
    expect(ids({ words: 'qwen letters' })).toEqual([]);
    // As a Mac writes Hangul.
    expect(ids({ words: '한국어'.normalize('NFD') })).toEqual([3]);
  });

  test('those of one place, and those with all tags that were chosen', () => {
    expect(ids({ origin: 'ollama' })).toEqual([2]);
    expect(ids({ tags: ['work'] })).toEqual([2, 1]);
    expect(ids({ tags: ['work', 'korean'] })).toEqual([1]);
    expect(tagsOf(models)).toEqual(['korean', 'work', '한국어']);
  });
});
