import type { ExampleContent } from '../../shared/contract/index.ts';

/** So much of examples is read at once, in characters of JSON: some tenths of a second of tokenizing. A longer one comes alone. */
const readCharacters = 2_000_000;

/** The first of these rows with what they say, as many as are held in memory at once; none where there are none. */
export function wholeExamples<Row>(
  rows: Iterable<Row & { content: string }>,
): (Omit<Row, 'content'> & { content: ExampleContent })[] {
  const found: (Omit<Row, 'content'> & { content: ExampleContent })[] = [];
  let characters = 0;
  for (const { content, ...row } of rows) {
    found.push({ ...row, content: JSON.parse(content) as ExampleContent });
    characters += content.length;
    if (characters >= readCharacters) break;
  }
  return found;
}
