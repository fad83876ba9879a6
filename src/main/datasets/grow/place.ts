import type { NewExample } from '../../dataset-engine/messages.ts';

const separator = ' · ';

/**
 * Where an example came from, and which one of that it is: `notes.md · 3.2.1` is the first question of the second passage of
 * the third text. From the last of them a later run knows where to go on.
 */
export function sourceAt(name: string, place: readonly number[]): string {
  return `${name}${separator}${place.join('.')}`;
}

/** The place that a source names, of so many numbers; null where it names none, as in what a person has added. */
export function placeOf({ source }: NewExample, numbers: number): number[] | null {
  const found = source.slice(source.lastIndexOf(separator) + separator.length);
  if (!source.includes(separator) || !/^\d+(?:\.\d+)*$/.test(found)) return null;
  const place = found.split('.').map(Number);
  return place.length === numbers ? place : null;
}

/** The last place among those of earlier examples; zeros where there is none. */
export function lastPlace(written: readonly NewExample[], numbers: number): number[] {
  const beginning = Array<number>(numbers).fill(0);
  return written.reduce((last, example) => {
    const place = placeOf(example, numbers);
    return place && comparePlaces(place, last) > 0 ? place : last;
  }, beginning);
}

/** Negative where the first is before the second, 0 where they are the same. */
export function comparePlaces(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((number, at) => number !== other[at]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
}
