import { describe, expect, test } from 'vitest';
import { recommendedModels } from '../../src/main/hub/index.ts';
import { excerpt, wholeCard } from '../../src/renderer/components/hub/card.ts';
import { partsOf, repositoryNamed, safeAddress } from '../../src/renderer/components/hub/reference.ts';
import { languagesText, qualityOf } from '../../src/renderer/components/hub/words.ts';
import { bestOf } from '../../src/shared/best-model.ts';

describe('what a person types or pastes', () => {
  test.each([
    ['Qwen/Qwen3-8B-GGUF', 'Qwen/Qwen3-8B-GGUF'],
    ['  Qwen/Qwen3-8B-GGUF:Q4_K_M ', 'Qwen/Qwen3-8B-GGUF'],
    ['https://huggingface.co/Qwen/Qwen3-8B-GGUF', 'Qwen/Qwen3-8B-GGUF'],
    ['https://huggingface.co/Qwen/Qwen3-8B-GGUF/blob/main/a.gguf?download=true#x', 'Qwen/Qwen3-8B-GGUF'],
    ['hf.co/Qwen/Qwen3-8B-GGUF:Q8_0', 'Qwen/Qwen3-8B-GGUF'],
    ['https://mirror.example/Qwen/Qwen3-8B-GGUF/tree/main', 'Qwen/Qwen3-8B-GGUF'],
  ])('%s names a repository', (text, id) => expect(repositoryNamed(text)).toBe(id));

  test.each([
    'qwen 3 korean',
    'qwen',
    'a/b/c',
    'and/or maybe',
    'javascript://x/y',
    'https://huggingface.co/Qwen',
    '',
  ])('%j is to be searched for', (text) => expect(repositoryNamed(text)).toBeNull());

  test('owners are told from names, and may be missing', () => {
    expect(partsOf('Qwen/Qwen3')).toEqual({ owner: 'Qwen', name: 'Qwen3' });
    expect(partsOf('gpt2')).toEqual({ owner: '', name: 'gpt2' });
  });
});

test('a licence’s address leads to a page, or nowhere', () => {
  const page = 'https://hub.example/acme/golden';
  expect(safeAddress('LICENSE', page)).toBe('https://hub.example/acme/golden/blob/main/LICENSE');
  expect(safeAddress('https://law.example/l', page)).toBe('https://law.example/l');
  expect(safeAddress('javascript:alert(1)', page)).toBeNull();
  expect(safeAddress('data:text/html,x', page)).toBeNull();
});

test('quantizations are put in words', () => {
  const words = (name: string | null) => qualityOf(name)?.replace('hub.quality.', '') ?? null;
  expect(['IQ1_S', 'Q2_K', 'IQ3_XXS', 'Q4_K_M', 'MXFP4', 'Q5_K_M', 'Q6_K'].map(words)).toEqual([
    ...['tiny', 'tiny', 'small', 'balanced', 'balanced', 'fine', 'fine'],
  ]);
  expect(['Q8_0', 'UD-Q4_K_XL', 'BF16', 'F16', 'F32', 'strange', null].map(words)).toEqual([
    ...['close', 'balanced', 'whole', 'whole', 'whole', null, null],
  ]);
});

describe('the model to begin with', () => {
  const on = (gigabytes: number, language: string) => {
    const memory = gigabytes * 1024 ** 3;
    const models = recommendedModels.map((model) => {
      return { ...model, fits: model.gigabytes < gigabytes * 0.8, modelId: null };
    });
    return bestOf(models, { memory, language });
  };

  test('is small enough to be quick, and speaks the language', () => {
    for (const gigabytes of [4, 8, 16, 64]) {
      const best = on(gigabytes, 'ko');
      expect(best?.languages).toContain('ko');
      expect(best?.gigabytes).toBeLessThan(gigabytes / 2);
    }
    expect(on(8, 'ko')?.gigabytes).toBeGreaterThan(on(4, 'ko')?.gigabytes ?? 0);
  });

  test('is the smallest where little fits, and none where nothing does', () => {
    expect(on(0.9, 'ko')?.name).toBe(recommendedModels[0]?.name);
    expect(on(0.1, 'en')).toBeNull();
  });
});

test('languages are named, the first of them', () => {
  expect(languagesText(['ko', 'en', 'de', 'fr', 'no-language'], 3)).toBe(
    'English, Korean, German and 2 more',
  );
  expect(languagesText(['ko'], 3)).toBe('Korean');
});

describe('a model card', () => {
  test('that is short is shown whole', () => {
    expect(excerpt('# Golden\n\nShort.')).toEqual({ text: '# Golden\n\nShort.', rest: false });
  });

  test('that is long is cut behind a paragraph, never in code', () => {
    const code = `\`\`\`\n${'line\n\n'.repeat(150)}\`\`\``;
    const card = `${'Words.\n\n'.repeat(140)}${code}\n\n${'More.\n\n'.repeat(200)}`;
    const { text, rest } = excerpt(card);
    expect(rest).toBe(true);
    expect(card.startsWith(text)).toBe(true);
    expect(text.endsWith('```')).toBe(true);
  });

  test('without paragraphs is cut anyway', () => {
    const { text, rest } = excerpt('word '.repeat(10_000));
    expect(rest).toBe(true);
    expect(text.length).toBeLessThan(5000);
  });

  test('that is endless is drawn as far as a page bears', () => {
    expect(wholeCard('x'.repeat(300_000)).rest).toBe(true);
    expect(wholeCard('x'.repeat(3000))).toEqual({ text: 'x'.repeat(3000), rest: false });
  });
});
