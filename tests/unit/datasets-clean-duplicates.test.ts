import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactDuplicatesCleaner } from '../../src/main/datasets/clean/exact-duplicates.ts';
import { KeySet } from '../../src/main/datasets/clean/key-set.ts';
import {
  equalValues,
  signatureLength,
  signatureOf,
  similarityOf,
} from '../../src/main/datasets/clean/minhash.ts';
import { nearDuplicatesCleaner } from '../../src/main/datasets/clean/near-duplicates.ts';
import { shinglesOf } from '../../src/main/datasets/clean/shingles.ts';
import { bandsFor } from '../../src/main/datasets/clean/signature-index.ts';
import { normalised } from '../../src/main/datasets/clean/texts.ts';
import type { Example } from '../../src/main/datasets/index.ts';
import {
  edited,
  exactDuplicatesAmong,
  exactSimilarity,
  randomFrom,
  rendered,
  type Writing,
  writtenText,
} from '../support/edited-texts.ts';

const text = (value: string): Example => ({ kind: 'text', text: value });
const asked = (question: string, answer: string, system = ''): Example => ({
  kind: 'conversation',
  system,
  turns: [
    { role: 'user', text: question },
    { role: 'assistant', text: answer },
  ],
});
const near = (similarity = 0.8) => nearDuplicatesCleaner({ on: true, compare: 'all', similarity });
const isDropped = (cleaner: ReturnType<typeof near>, example: Example) =>
  cleaner.judge(example).kind === 'dropped';

describe('exact duplicates', () => {
  const cleaner = (compare: 'all' | 'asked' = 'all') => exactDuplicatesCleaner({ on: true, compare });

  it('are found whatever their case, white space and Unicode composition', () => {
    const exact = cleaner();
    expect(isDropped(exact, text('Café  au lait\n한글'))).toBe(false);
    expect(isDropped(exact, text(' CAFÉ au lait 한글 '.normalize('NFD')))).toBe(true);
    expect(isDropped(exact, text('Cafe au lait 한글'))).toBe(false);
  });

  it('are no conversations that are cut in another way, or have another system text', () => {
    const exact = cleaner();
    const examples = [asked('ab', 'c'), asked('a', 'bc'), asked('ab', 'c', 'Be brief.'), text('ab c')];
    expect(examples.map((example) => isDropped(exact, example))).toEqual([false, false, false, false]);
  });

  it('are conversations that ask the same, where only questions count', () => {
    const exact = cleaner('asked');
    expect(isDropped(exact, asked('Why?', 'Because.', 'Be kind.'))).toBe(false);
    expect(isDropped(exact, asked('why? ', 'No idea.'))).toBe(true);
  });

  it('are still found among those remembered when memory is full, and the others are counted', () => {
    const exact = exactDuplicatesCleaner({ on: true, compare: 'all' }, 2);
    const verdicts = ['a', 'b', 'c', 'a', 'c', 'b'].map((value) => isDropped(exact, text(value)));
    expect(verdicts).toEqual([false, false, false, true, false, true]);
    expect(exact.notRemembered).toBe(2);
  });

  it('are kept in a set that does as a set of numbers does', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(1n, 3000n), { maxLength: 3000 }), (keys) => {
        const [own, known] = [new KeySet(Infinity), new Set<bigint>()];
        for (const key of keys) {
          expect(own.has(key)).toBe(known.has(key));
          own.add(key);
          known.add(key);
        }
      }),
      { numRuns: 10 },
    );
  });
});

/** Texts of 40 to 160 words: distinct ones, and copies with one change for about each thirty words. */
function corpus(writing: Writing, seed: number) {
  const random = randomFrom(seed);
  const examples: { words: string[]; isCopy: boolean }[] = [];
  for (let at = 0; at < 500; at++) {
    const words = writtenText(writing, 40 + Math.floor(random() * 120), random);
    examples.push({ words, isCopy: false });
    if (at % 2 === 0)
      examples.push({ words: edited(words, Math.ceil(words.length / 60), writing, random), isCopy: true });
    // A distinct text that quotes a third of another one.
    if (at % 5 === 0) {
      const quoted = words.slice(0, Math.floor(words.length / 3));
      examples.push({ words: [...quoted, ...writtenText(writing, words.length, random)], isCopy: false });
    }
  }
  return examples.map((example) => ({ ...example, text: rendered(example.words, random) }));
}

function signature(words: readonly string[]): Uint8Array {
  return signatureOf(shinglesOf(normalised(words.join(' ')))) ?? new Uint8Array();
}

/** Of what is wanted, the share that was found; of what was found, the share that is wanted. */
function recall(wanted: boolean[], found: boolean[]): number {
  return wanted.filter((is, at) => is && found[at]).length / wanted.filter(Boolean).length;
}
const precision = (wanted: boolean[], found: boolean[]) => recall(found, wanted);

describe.each<Writing>(['en', 'ko'])('near duplicates in %s', (writing) => {
  const cleaned = () => {
    const cleaner = near();
    const examples = corpus(writing, 7);
    return { examples, found: examples.map((example) => isDropped(cleaner, text(example.text))) };
  };

  it('are found with recall and precision of at least 0.95 among 850 edited copies and distinct texts', () => {
    const { examples, found } = cleaned();
    expect(examples).toHaveLength(850);
    const wanted = examples.map(({ isCopy }) => isCopy);
    expect(recall(wanted, found)).toBeGreaterThanOrEqual(0.95);
    expect(precision(wanted, found)).toBeGreaterThanOrEqual(0.95);
  });

  it('are found with recall and precision of at least 0.95 where exact Jaccard similarities of all pairs decide', () => {
    const { examples, found } = cleaned();
    const wanted = exactDuplicatesAmong(
      writing,
      examples.map(({ words }) => words),
      0.8,
    );
    expect(recall(wanted, found)).toBeGreaterThanOrEqual(0.95);
    expect(precision(wanted, found)).toBeGreaterThanOrEqual(0.95);
  });

  it('are judged right 0.9 of the times amid pairs close to the threshold, always from 0.12 off, by estimates off by 0.03', () => {
    const random = randomFrom(11);
    const pairs = Array.from({ length: 600 }, (_, at) => {
      const first = writtenText(writing, 60 + (at % 100), random);
      const second = edited(first, at % 13, writing, random);
      const cleaner = near();
      cleaner.judge(text(first.join(' ')));
      return {
        exact: exactSimilarity(writing, first, second),
        estimate: similarityOf(equalValues(signature(first), signature(second))),
        isFound: isDropped(cleaner, text(second.join(' '))),
      };
    });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(pairs.map(({ exact, estimate }) => Math.abs(exact - estimate)))).toBeLessThan(0.03);
    expect(Math.abs(mean(pairs.map(({ exact, estimate }) => estimate - exact)))).toBeLessThan(0.01);

    const wanted = pairs.map(({ exact }) => exact >= 0.8);
    const found = pairs.map(({ isFound }) => isFound);
    // Both sides of the threshold are well filled, or the shares would say little.
    expect(wanted.filter(Boolean).length).toBeGreaterThan(150);
    expect(wanted.filter((is) => !is).length).toBeGreaterThan(150);
    expect(recall(wanted, found)).toBeGreaterThanOrEqual(0.9);
    expect(precision(wanted, found)).toBeGreaterThanOrEqual(0.9);
    const clear = pairs.filter(({ exact }) => Math.abs(exact - 0.8) >= 0.12);
    expect(clear.filter(({ exact, isFound }) => isFound !== exact > 0.8)).toEqual([]);
  });
});

describe('near duplicates', () => {
  it('of Korean are the same however words are spaced', () => {
    const cleaner = near();
    cleaner.judge(text('어제 저녁에 친구와 함께 먹은 된장찌개가 정말 맛있었다'));
    expect(isDropped(cleaner, text('어제저녁에 친구와함께 먹은 된장찌개가 정말맛있었다!'))).toBe(true);
  });

  it('are no calculations with other signs or numbers', () => {
    const cleaner = near();
    const questions = ['What is 3 + 5?', 'What is 3 - 5?', 'What is 3 + 6?', 'what is 3.5?', 'what is 35?'];
    expect(questions.map((question) => isDropped(cleaner, text(question)))).toEqual(
      questions.map(() => false),
    );
  });

  it('are no conversations that share a long system text alone', () => {
    const cleaner = near();
    const system = 'You are a helpful assistant who answers in short sentences. '.repeat(20);
    cleaner.judge(asked('How tall is Hallasan?', '1,947 metres.', system));
    expect(isDropped(cleaner, asked('Who wrote Hamlet?', 'Shakespeare did.', system))).toBe(false);
  });

  it('are no texts of punctuation alone', () => {
    const cleaner = near();
    expect([text('...'), text('...'), text('!?')].map((example) => isDropped(cleaner, example))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('are found among many, whichever came first, and memory stays below its limit', () => {
    const random = randomFrom(3);
    const texts = Array.from({ length: 3000 }, () => writtenText('en', 30, random).join(' '));
    const cleaner = near();
    expect(texts.filter((value) => isDropped(cleaner, text(value)))).toEqual([]);
    expect(texts.every((value) => isDropped(cleaner, text(value)))).toBe(true);
    const bytesOfEntry = signatureLength + bandsFor(0.8).bands * 8;
    const small = nearDuplicatesCleaner({ on: true, compare: 'all', similarity: 0.8 }, bytesOfEntry * 1000);
    for (const value of texts) small.judge(text(value));
    expect(small.notRemembered).toBe(2000);
    expect(texts.map((value) => isDropped(small, text(value))).lastIndexOf(true)).toBe(999);
  });

  it('of any similarity that can be set share a band in 99 of 100 cases', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 1, noNaN: true }), (similarity) => {
        const { bands, rows } = bandsFor(similarity);
        expect(bands * rows).toBeLessThanOrEqual(signatureLength);
        expect((1 - similarity ** rows) ** bands).toBeLessThanOrEqual(0.01);
      }),
    );
  });
});
