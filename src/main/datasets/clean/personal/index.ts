import type { PersonalKind } from '../../../../shared/contract/clean.ts';
import { addresses, passwords } from './addresses.ts';
import type { Found } from './found.ts';
import { keys } from './keys.ts';
import { numbers } from './numbers.ts';
import { phones } from './phones.ts';

/** Where two find something in the same place, the first one has it: a key holds digits, a card number those of a phone. */
const finders: readonly ((text: string) => Iterable<Found>)[] = [keys, passwords, addresses, numbers, phones];

export interface Masked {
  text: string;
  /** Kinds of what was masked, once for each time. */
  found: PersonalKind[];
}

/**
 * The text with "[email]", "[phone] …" in the place of the personal data that is looked for. Masking it again finds nothing:
 * what the first masks bring to light, as by standing no longer amid letters, is masked, too.
 */
export function mask(text: string, looked: (kind: PersonalKind) => boolean): Masked {
  const found: PersonalKind[] = [];
  let current = text;
  // Ends, since no pattern takes a mask for data, and each mask takes away what is none.
  for (;;) {
    const items = findPersonalData(current).filter(({ kind }) => looked(kind));
    if (items.length === 0) return { text: current, found };
    let result = '';
    let end = 0;
    for (const item of items) {
      result += `${current.slice(end, item.start)}[${item.kind}]`;
      end = item.end;
      found.push(item.kind);
    }
    current = result + current.slice(end);
  }
}

/** Everything of every kind masked, for what is shown. */
export function maskAll(text: string): string {
  return mask(text, () => true).text;
}

/** Personal data in a text, in order, none over another. */
export function findPersonalData(text: string): Found[] {
  let taken: Found[] = [];
  for (const find of finders) {
    const sorted = [...find(text)].sort((a, b) => a.start - b.start || b.end - a.end);
    taken = merged(taken, sorted);
  }
  return taken;
}

/** Two sorted lists as one, without what overlaps something of the first, or something before it of its own. */
function merged(first: Found[], second: Found[]): Found[] {
  const all: Found[] = [];
  let at = 0;
  let end = 0;
  for (const item of second) {
    for (let next = first[at]; next && next.start <= item.start; next = first[++at]) {
      all.push(next);
      end = next.end;
    }
    const next = first[at];
    if (item.start < end || (next && next.start < item.end)) continue;
    all.push(item);
    end = item.end;
  }
  return [...all, ...first.slice(at)];
}
