import type { Snippet } from '../../shared/contract/index.ts';
import { queryWords } from './segment.ts';

/** About three lines in a narrow list. */
const snippetLength = 200;
/** How much of it stands before the first match. */
const lead = 50;

/** A pattern over folded texts for every word of a query, whole or as a beginning; null when there is none. */
export function matchPattern(query: string): RegExp | null {
  const words = queryWords(query).map(wordPattern);
  return words.length === 0 ? null : new RegExp(words.join('|'), 'giu');
}

/** The part of a text with the most matches, each marked. */
export function snippet(text: string, pattern: RegExp): Snippet {
  const flat = text.normalize('NFC').replaceAll(/\s+/g, ' ').trim();
  const matches = [...folded(flat).matchAll(pattern)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
  }));
  const best = bestStart(matches);
  const start = wordStart(flat, Math.max(0, best - lead));
  const end = Math.min(flat.length, start + snippetLength);
  const pieces: Snippet = start > 0 ? [{ text: '…', match: false }] : [];
  let at = start;
  const add = (to: number, match: boolean) => {
    if (to > at) pieces.push({ text: flat.slice(at, to), match });
    at = Math.max(at, to);
  };
  for (const { from, to } of matches) {
    if (from < start || to > end) continue;
    add(from, false);
    add(to, true);
  }
  add(end, false);
  if (end < flat.length) pieces.push({ text: '…', match: false });
  return pieces;
}

/** Where the window with the most matches begins. */
function bestStart(matches: { from: number; to: number }[]): number {
  let best = { start: matches[0]?.from ?? 0, count: 0 };
  let last = 0;
  for (const [index, { from }] of matches.entries()) {
    while ((matches[last]?.to ?? Infinity) <= from + snippetLength - lead) last++;
    if (last - index > best.count) best = { start: from, count: last - index };
  }
  return best.start;
}

/** Does not begin in the middle of a word where a space is near. */
function wordStart(text: string, at: number): number {
  if (at === 0) return 0;
  const space = text.indexOf(' ', at);
  return space >= 0 && space < at + lead / 2 ? space + 1 : at;
}

/** Latin letters with an accent in one character. */
const accented = /[\u00C0-\u024F\u1E00-\u1EFF]/g;

/** The text without accents, as the index sees it, and of the same length, so that places are the same in both. */
export function folded(text: string): string {
  return text.replaceAll(accented, (letter) => letter.normalize('NFD').charAt(0));
}

/** The word as a pattern over folded texts; outside CJK it matches only at the start of a word, as the index does. */
function wordPattern(word: string): string {
  const cjk = /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(word);
  const letters = [...folded(word)].map((letter) => RegExp.escape(letter));
  return cjk ? letters.join('') : `(?<![\\p{L}\\p{N}])${letters.join('\\p{M}*')}`;
}
