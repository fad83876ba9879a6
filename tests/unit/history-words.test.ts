import { describe, expect, test } from 'vitest';
import { matchExpression, segment } from '../../src/main/history/segment.ts';
import { matchPattern, snippet } from '../../src/main/history/snippet.ts';

const words = (text: string) => segment(text).trim().split(/\s+/);
const shown = (text: string, query: string) => {
  const pattern = matchPattern(query);
  if (!pattern) throw new Error('no word in the query');
  return snippet(text, pattern)
    .map(({ text: piece, match }) => (match ? `[${piece}]` : piece))
    .join('');
};

describe('the index', () => {
  test('reads Korean, Chinese and Japanese as overlapping pairs, and other scripts as they are', () => {
    expect(words('기계학습을 배워요')).toEqual(['기계', '계학', '학습', '습을', '을', '배워', '워요', '요']);
    expect(words('東京へ行く')).toEqual(['東京', '京へ', 'へ行', '行く', 'く']);
    expect(words('GPU에서 fine-tuning')).toEqual(['GPU', '에서', '서', 'fine-tuning']);
  });

  test('reads decomposed Hangul, as macOS writes it, like composed', () => {
    expect(words('학습'.normalize('NFD'))).toEqual(words('학습'));
  });
});

describe('a query', () => {
  test('asks for every word, the last one perhaps unfinished', () => {
    expect(matchExpression('golden gra')).toBe('"golden" AND "gra" *');
    expect(matchExpression('a')).toBe('"a"');
  });

  test('finds Korean inside a word', () => {
    expect(matchExpression('학습')).toBe('"학습"');
    expect(matchExpression('기계학습')).toBe('"기계 계학 학습"');
    expect(matchExpression('학')).toBe('"학" *');
  });

  test.each(['"', 'AND OR NOT', 'text:x*', '( NEAR', "'; DROP TABLE messages; --"])(
    'is never syntax: %j',
    (query) => expect(matchExpression(query) ?? '').toMatch(/^("[^"]*"( \*)?( AND )?)*$/),
  );

  test('without a word asks nothing', () => {
    expect(matchExpression(' … !? ')).toBeNull();
  });
});

describe('a snippet', () => {
  test('marks what was found, in Korean inside a word', () => {
    expect(shown('오늘은 기계학습을 배워요', '학습')).toBe('오늘은 기계[학습]을 배워요');
    expect(shown('The grass is golden.', 'gra')).toBe('The [gra]ss is golden.');
  });

  test('does not mark the inside of a word that the index would not find', () => {
    expect(shown('program gram', 'gram')).toBe('program [gram]');
  });

  test('marks words with and without accents', () => {
    expect(shown('Un café', 'café')).toBe('Un [café]');
    expect(shown('Un cafe\u0301', 'cafe')).toContain('[');
  });

  test('of a long text is the part with the most matches', () => {
    const text = `${'filler words here. '.repeat(40)}alpha then alpha beta ${'and more. '.repeat(40)}alpha`;
    const found = shown(text, 'alpha beta');
    expect(found).toContain('[alpha] then [alpha] [beta]');
    expect(found.length).toBeLessThan(260);
    expect(found.startsWith('…') && found.endsWith('…')).toBe(true);
  });
});
