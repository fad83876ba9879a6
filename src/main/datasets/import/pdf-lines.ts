import type { TextContent } from 'pdfjs-dist/types/src/display/api.js';

/** A line of a page. Lengths are in points. */
export interface PdfLine {
  readonly text: string;
  /** Where its text ends, from the left. */
  readonly right: number;
  /** Of its base, from below. */
  readonly base: number;
  /** Of its letters. */
  readonly height: number;
}

/** Share of the height of letters by which a base may lie apart on one line: indices, other fonts. */
const sameLine = 0.5;

/** The lines of a page from its pieces of text, in the order of the file, which is that of reading in nearly all of them. */
export function linesOfPage({ items }: TextContent): PdfLine[] {
  const lines: { text: string; right: number; base: number; height: number }[] = [];
  let ended = true;
  for (const item of items) {
    if (!('str' in item)) continue;
    const [x, base] = [Number(item.transform[4]), Number(item.transform[5])];
    const last = lines.at(-1);
    if (item.str !== '') {
      if (last && !ended && Math.abs(base - last.base) <= sameLine * Math.max(item.height, last.height)) {
        last.text += item.str;
        last.right = Math.max(last.right, x + item.width);
        last.height = Math.max(last.height, item.height);
      } else lines.push({ text: item.str, right: x + item.width, base, height: item.height });
      ended = false;
    }
    ended ||= item.hasEOL;
  }
  return lines
    .map((line) => ({ ...line, text: line.text.replaceAll(/\s+/g, ' ').trim() }))
    .filter(({ text }) => text !== '');
}
