import type { PersonalKind } from '../../../../shared/contract/clean.ts';

/** Where personal data stands in a text, in UTF-16 code units. */
export interface Found {
  kind: PersonalKind;
  start: number;
  end: number;
}

/** All matches of a pattern (with the flag `g`) that pass a test, or the pattern's group `item` of them. */
export function* matches(
  kind: PersonalKind,
  pattern: RegExp,
  text: string,
  accepts: (match: string, before: string) => boolean = () => true,
): Generator<Found> {
  // Most texts have none, which is told without the copy of the pattern that `matchAll` makes.
  if (text.search(pattern) < 0) return;
  for (const match of text.matchAll(pattern)) {
    const item = match.groups?.['item'] ?? match[0];
    const start = match.index + match[0].lastIndexOf(item);
    if (!accepts(item, text.slice(Math.max(0, start - contextCharacters), start))) continue;
    yield { kind, start, end: start + item.length };
  }
}

/** What stands before may decide: "version 1.2.3.4". */
const contextCharacters = 24;
