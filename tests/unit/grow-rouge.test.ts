import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rougeL, unitsOf, Unlike } from '../../src/main/datasets/grow/rouge.ts';

const fixture = join(import.meta.dirname, '../fixtures/datasets/rouge/rouge.json');
const scored = JSON.parse(readFileSync(fixture, 'utf8')) as { one: string; other: string; rougeL: number }[];

/** The table of the textbook. */
function longestCommon(one: readonly string[], other: readonly string[]): number {
  let above = Array<number>(other.length + 1).fill(0);
  for (const unit of one) {
    const row = [0];
    for (const [at, unlike] of other.entries()) {
      const longer = Math.max(above[at + 1] ?? 0, row[at] ?? 0);
      row.push(unit === unlike ? (above[at] ?? 0) + 1 : longer);
    }
    above = row;
  }
  return above.at(-1) ?? 0;
}

describe('ROUGE-L', () => {
  test.each(scored)("is rouge_score's of: $one | $other", ({ one, other, rougeL: score }) => {
    expect(rougeL(one, other)).toBeCloseTo(score, 12);
  });

  test('is that of the longest common subsequence, of texts of any length', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 150 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        const common = longestCommon(one, other);
        const expected = common === 0 ? 0 : (2 * common) / (one.length + other.length);
        expect(rougeL(one.join(' '), other.join(' '))).toBe(expected);
      }),
    );
  });

  test('compares Korean and Chinese by pairs of signs, whatever stands between', () => {
    expect(unitsOf('다음 문장을, 3개!')).toEqual(['다음', '문장', '장을', '3', '개']);
    expect(unitsOf('ABC漢字表')).toEqual(['abc', '漢字', '字表']);
    // Composed or not: the same.
    expect(unitsOf('한글'.normalize('NFD'))).toEqual(['한글']);
    expect(rougeL('다음 문장을 영어로 번역하세요', '다음 문장은 영어로 번역하세요.')).toBeGreaterThan(0.7);
    expect(rougeL('다음 문장을 영어로 번역하세요', '이번 주 식단을 짜 주세요')).toBeLessThan(0.2);
  });
});

describe('a set of texts that are unlike each other', () => {
  test('finds exactly what is as similar as the threshold to one of them', () => {
    const text = fc.array(fc.constantFrom('list', 'write', 'a', 'poem', 'dog', '고양이에', '고양이를'), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 8 }),
        text,
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (known, asked, threshold) => {
          const set = new Unlike(threshold);
          for (const words of known) set.add(words.join(' '));
          const expected = known.some((words) => rougeL(words.join(' '), asked.join(' ')) >= threshold);
          expect(set.isLike(asked.join(' '))).toBe(expected);
        },
      ),
    );
  });

  test('takes a text without words for known', () => {
    expect(new Unlike(0.7).isLike('?!…')).toBe(true);
  });

  test('leaves out nothing but the same words at 1', () => {
    const set = new Unlike(1);
    set.add('Write a poem about the sea');
    expect(set.isLike('write a poem, about the SEA!')).toBe(true);
    expect(set.isLike('Write a poem about the seas')).toBe(false);
  });
});
