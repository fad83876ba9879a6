import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  chosenModel,
  fitsMemory,
  folderFiles,
  ggufModels,
  parseReference,
  recommend,
  recommendedModels,
  type RepositoryFile,
} from '../../src/main/hub/index.ts';

const gigabyte = 1e9;
function files(...sizes: [path: string, gigabytes: number][]): RepositoryFile[] {
  return sizes.map(([path, gigabytes]) => ({ path, bytes: gigabytes * gigabyte, digest: null }));
}

describe('GGUF files of a repository', () => {
  test('are one model for each quantization, also where it is split', () => {
    // As bartowski/Llama-3.3-70B-Instruct-GGUF has them.
    const found = ggufModels(
      files(
        ['Llama-3.3-70B-Instruct-Q8_0/Llama-3.3-70B-Instruct-Q8_0-00002-of-00002.gguf', 35],
        ['Llama-3.3-70B-Instruct-Q8_0/Llama-3.3-70B-Instruct-Q8_0-00001-of-00002.gguf', 40],
        ['Llama-3.3-70B-Instruct-Q4_K_M.gguf', 42],
        ['Llama-3.3-70B-Instruct-IQ2_XXS.gguf', 19],
        ['Llama-3.3-70B-Instruct.imatrix', 1],
        ['README.md', 1],
      ),
    );
    expect(
      found.groups.map(({ quantization, models }) => [quantization, models.map(({ bytes }) => bytes)]),
    ).toEqual([
      ['IQ2_XXS', [19 * gigabyte]],
      ['Q4_K_M', [42 * gigabyte]],
      ['Q8_0', [75 * gigabyte]],
    ]);
    expect(found.groups[2]?.models[0]).toMatchObject({
      name: 'Llama-3.3-70B-Instruct-Q8_0',
      files: [
        { path: expect.stringContaining('00001') as string },
        { path: expect.stringContaining('00002') as string },
      ],
    });
  });

  test('of which parts are missing are not offered', () => {
    const found = ggufModels(files(['a-Q8_0-00001-of-00003.gguf', 1], ['a-Q8_0-00003-of-00003.gguf', 1]));
    expect(found.groups).toEqual([]);
    expect(found.incomplete).toEqual(['a-Q8_0-00001-of-00003.gguf']);
    expect(() => chosenModel(found, { id: 'a/b', choice: 'q8_0' })).toThrow('a/b lacks parts of q8_0.');
  });

  test('that see or hear, and importance matrices, are no models', () => {
    const found = ggufModels(
      files(['mmproj-model-f16.gguf', 1], ['gemma-3-4b-it-Q4_K_M.gguf', 2], ['imatrix.gguf', 1]),
    );
    expect(found.groups.map(({ quantization }) => quantization)).toEqual(['Q4_K_M']);
    expect(found.projectors.map(({ path }) => path)).toEqual(['mmproj-model-f16.gguf']);
  });

  test.each([
    ['qwen2.5-0.5b-instruct-q4_k_m.gguf', 'Q4_K_M'],
    ['Qwen3-8B-UD-Q4_K_XL.gguf', 'UD-Q4_K_XL'],
    ['UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-00001-of-00001.gguf', 'UD-IQ1_S'],
    ['Phi-3-mini-4k-instruct-q4.gguf', 'Q4'],
    ['Phi-3-mini-4k-instruct-fp16.gguf', 'F16'],
    ['gpt-oss-20b-mxfp4.gguf', 'MXFP4'],
    ['gemma-3-4b-it-f16.gguf', 'F16'],
    ['llama-3-Korean-Bllossom-8B-Q4_K_M.gguf', 'Q4_K_M'],
    ['model-iq4_nl.gguf', 'IQ4_NL'],
    ['model.BF16.gguf', 'BF16'],
    ['BF16/model-00001-of-00001.gguf', 'BF16'],
    ['TriLM-TQ2_0.gguf', 'TQ2_0'],
    ['Q-model-7B.gguf', null],
    ['Qwen3.gguf', null],
  ])('%s is %s', (path, quantization) => {
    expect(ggufModels(files([path, 1])).groups[0]?.quantization).toBe(quantization);
  });
});

describe('The recommended quantization', () => {
  const all = ggufModels(
    files(
      ['m-Q2_K.gguf', 3],
      ['m-Q3_K_M.gguf', 4],
      ['m-Q4_K_S.gguf', 4.7],
      ['m-Q4_K_M.gguf', 5],
      ['m-Q8_0.gguf', 9],
      ['m-F16.gguf', 16],
    ),
  );
  const upTo = (gigabytes: number) => (model: { bytes: number }) => model.bytes <= gigabytes * gigabyte;

  test.each([
    [100, 'Q4_K_M'],
    [5, 'Q4_K_M'],
    [4.8, 'Q4_K_S'],
    [4.2, 'Q3_K_M'],
    [3, 'Q2_K'],
    [1, 'Q2_K'],
  ])('with room for %d GB is %s', (gigabytes, quantization) => {
    expect(recommend(all, upTo(gigabytes))?.quantization).toBe(quantization);
  });

  test('is the nearest one where there is no Q4_K_M', () => {
    const some = ggufModels(files(['m-Q8_0.gguf', 9], ['m-Q5_K_M.gguf', 6], ['m-Q2_K.gguf', 3]));
    expect(recommend(some, upTo(100))?.quantization).toBe('Q5_K_M');
    expect(recommend(ggufModels(files(['m-Q8_0.gguf', 9])), upTo(100))?.quantization).toBe('Q8_0');
    expect(recommend(ggufModels([]), upTo(100))).toBeNull();
  });

  test('fits beside everything else that a machine holds', () => {
    expect(fitsMemory(5 * gigabyte, 8 * gigabyte)).toBe(true);
    expect(fitsMemory(7 * gigabyte, 8 * gigabyte)).toBe(false);
  });
});

describe('What a person names', () => {
  test.each([
    ['Qwen/Qwen3-8B-GGUF', { id: 'Qwen/Qwen3-8B-GGUF', choice: null }],
    ['Qwen/Qwen3-8B-GGUF:Q4_K_M', { id: 'Qwen/Qwen3-8B-GGUF', choice: 'Q4_K_M' }],
    ['hf.co/Qwen/Qwen3-8B-GGUF:q8_0', { id: 'Qwen/Qwen3-8B-GGUF', choice: 'q8_0' }],
    ['https://huggingface.co/Qwen/Qwen3-8B-GGUF/', { id: 'Qwen/Qwen3-8B-GGUF', choice: null }],
    ['https://huggingface.co/Qwen/Q/blob/main/Q-Q8_0.gguf', { id: 'Qwen/Q', choice: 'Q-Q8_0.gguf' }],
    ['https://huggingface.co/Qwen/Q/tree/main', { id: 'Qwen/Q', choice: null }],
    ['a/b:dir/file.gguf', { id: 'a/b', choice: 'dir/file.gguf' }],
  ])('%s', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  test.each(['Qwen3', '', 'a/b/c', 'a/b:', 'ftp://x/y'])('%j names nothing', (text) => {
    expect(() => parseReference(text)).toThrow(/does not name a repository/);
  });

  test('is found by quantization, file or path, and what is not there is said', () => {
    const found = ggufModels(files(['big/m-Q8_0.gguf', 9], ['m-Q4_K_M.gguf', 5], ['n-Q4_K_M.gguf', 2]));
    const named = (choice: string) => chosenModel(found, { id: 'a/b', choice }).files[0]?.path;
    expect(named('q8_0')).toBe('big/m-Q8_0.gguf');
    expect(named('M-Q4_K_M.gguf')).toBe('m-Q4_K_M.gguf');
    expect(named('big/m-Q8_0.gguf')).toBe('big/m-Q8_0.gguf');
    expect(() => named('Q4_K_M')).toThrow(
      expect.objectContaining({
        message: 'a/b has 2 models with Q4_K_M.',
        remedy: 'Name one of n-Q4_K_M, m-Q4_K_M.',
      }),
    );
    expect(() => named('Q2_K')).toThrow(
      expect.objectContaining({
        code: 'not-found',
        message: 'a/b has no Q2_K.',
        remedy: 'It has Q4_K_M, Q8_0.',
      }),
    );
  });
});

test('A folder for the Weights page holds weights once, and nothing that it has no use for', () => {
  const paths = (names: string[]) =>
    folderFiles(names.map((path) => ({ path, bytes: 1, digest: null }))).map(({ path }) => path);
  const common = ['config.json', 'tokenizer.json', 'tokenizer.model', 'LICENSE'];
  expect(
    paths([
      ...common,
      ...['.gitattributes', 'model-00001-of-00002.safetensors', 'model.safetensors.index.json'],
      ...[
        'pytorch_model-00001-of-00002.bin',
        'pytorch_model.bin.index.json',
        'tf_model.h5',
        'onnx/model.onnx',
      ],
      ...['original/consolidated.00.pth', 'original/params.json', 'figures/a.png', 'flax_model.msgpack'],
    ]),
  ).toEqual([...common, 'model-00001-of-00002.safetensors', 'model.safetensors.index.json']);
  expect(paths([...common, 'pytorch_model.bin'])).toEqual([...common, 'pytorch_model.bin']);
});

test('Recommended models are complete, from small to large, in both languages', () => {
  const text = z.string().min(1);
  const schema = z.strictObject({
    ...{ name: text, file: z.string().endsWith('.gguf'), license: text, quantization: text },
    repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    gigabytes: z.number().positive(),
    billions: z.number().positive(),
    languages: z.array(z.string().length(2)).min(1),
    why: z.strictObject({ en: z.string().endsWith('.'), ko: z.string().regex(/[가-힣].*요\.$/) }),
  });
  for (const model of recommendedModels) {
    schema.parse(model);
    expect(ggufModels(files([model.file, 1])).groups[0]?.quantization).toBe(model.quantization);
    // Between two and nine bits for each weight.
    const bits = (model.gigabytes * 8) / model.billions;
    expect(bits).toBeGreaterThan(2);
    expect(bits).toBeLessThan(9);
  }
  const sizes = recommendedModels.map(({ billions }) => billions);
  expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
  expect(sizes[0]).toBeLessThanOrEqual(0.5);
  expect(sizes.at(-1)).toBeGreaterThanOrEqual(70);
  expect(recommendedModels.filter(({ languages }) => languages[0] === 'ko').length).toBeGreaterThanOrEqual(3);
});
