/** Where `text` ends with the beginning of one of these marks: the index of that beginning, else the text's length. */
export function partialMarkStart(text: string, marks: readonly string[]): number {
  const longest = Math.max(0, ...marks.map(({ length }) => length));
  for (let start = Math.max(0, text.length - longest + 1); start < text.length; start++) {
    const end = text.slice(start);
    if (marks.some((mark) => mark.startsWith(end))) return start;
  }
  return text.length;
}

/** The first of these marks in the text; null when there is none. */
export function findMark(text: string, marks: readonly string[]): { mark: string; start: number } | null {
  let first: { mark: string; start: number } | null = null;
  for (const mark of marks) {
    const start = text.indexOf(mark);
    if (start >= 0 && (first === null || start < first.start)) first = { mark, start };
  }
  return first;
}
