import type { PdfLine } from './pdf-lines.ts';

/** Lines at the top and the bottom of a page that may be the same on every page. */
const edgeLines = 2;
/** Pages on which a line stands before it is taken for a header or footer. */
const minRepeats = 3;
/** Share of pages: headers are often on every second one only, and not on the first of a chapter. */
const minShare = 0.4;
/** A line that ends this near the right edge of the text, as a share of its width, ends because there is no more room. */
const fullLine = 0.82;
/** Distance of two lines, of that which is usual on the page, from which on a paragraph ends between them. */
const paragraphGap = 1.35;

/** An item of a list begins a line of its own, however full the one above is. */
const listItem = /^[•▪◦‣●○■*-] /;

/** Pages as one text: without what is on every page, and with paragraphs as lines, as people write them. */
export function joinPages(pages: readonly (readonly PdfLine[])[]): string {
  let text = '';
  let isOpen = false;
  for (const lines of withoutRepeated(pages)) {
    const gap = usualGap(lines);
    const width = Math.max(0, ...lines.map(({ right }) => right));
    for (const [index, line] of lines.entries()) {
      const above = lines[index - 1];
      // On a new page, a sentence goes on; so does one in the next column.
      const apart = above && above.base - line.base > paragraphGap * gap;
      const resized = above && Math.abs(above.height - line.height) > 0.15 * above.height;
      if (text === '') text = line.text;
      else if (!apart && !resized && isOpen && !listItem.test(line.text)) text = joined(text, line.text);
      else text += above && !apart && !resized ? `\n${line.text}` : `\n\n${line.text}`;
      const columnWidth = columnOf(lines, index) ?? width;
      isOpen =
        line.right >= fullLine * columnWidth &&
        (index + 1 < lines.length || !/[.!?。:]["'”’)]?$/.test(line.text));
    }
  }
  return text;
}

/** The right edge of the lines around one that go down the page in one column. */
function columnOf(lines: readonly PdfLine[], at: number): number | undefined {
  let [first, last] = [at, at];
  const below = (upper: number) => (lines[upper]?.base ?? 0) > (lines[upper + 1]?.base ?? Infinity);
  while (first > 0 && below(first - 1)) first--;
  while (last + 1 < lines.length && below(last)) last++;
  return Math.max(...lines.slice(first, last + 1).map(({ right }) => right));
}

/** Words that a line end divides become whole again; scripts without spaces get none. */
function joined(text: string, line: string): string {
  if (/\p{Ll}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(line)) return text.slice(0, -1) + line;
  if (/[\p{L}\d][-\u2010]$/u.test(text) && /^[\p{Lu}\d]/u.test(line)) return text + line;
  const unspaced =
    /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}、。]$/u.test(text) &&
    /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]/u.test(line);
  return unspaced ? text + line : `${text} ${line}`;
}

function usualGap(lines: readonly PdfLine[]): number {
  const gaps = lines.flatMap(({ base, height }, index) => {
    const gap = (lines[index - 1]?.base ?? 0) - base;
    return gap > 0 && gap < 4 * height ? [gap] : [];
  });
  // The median: most lines are in paragraphs.
  return gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? Infinity;
}

function withoutRepeated(pages: readonly (readonly PdfLine[])[]): PdfLine[][] {
  const counts = new Map<string, number>();
  for (const lines of pages) {
    for (const key of new Set(edgesOf(lines).map(keyOf))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const needed = Math.max(minRepeats, minShare * pages.length);
  return pages.map((lines) => {
    const dropped = new Set(edgesOf(lines).filter((line) => (counts.get(keyOf(line)) ?? 0) >= needed));
    return lines.filter((line) => !dropped.has(line));
  });
}

/** By where they stand, not by the order of the file: some programs write the footer first. */
function edgesOf(lines: readonly PdfLine[]): PdfLine[] {
  const downwards = lines.toSorted((one, other) => other.base - one.base);
  return [...downwards.slice(0, edgeLines), ...downwards.slice(-edgeLines)];
}

/** Numbers of pages differ. The place counts: a line of verse that comes again does not stand where a header does. */
function keyOf({ text, base }: PdfLine): string {
  return `${Math.round(base / 4)} ${text.replaceAll(/\d+/g, '#')}`;
}
