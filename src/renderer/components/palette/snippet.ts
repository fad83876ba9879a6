import type { Snippet } from '../../../shared/contract/index.ts';

/** Marks of markdown that nobody wants to read in a line or two of text, and what stands for them there. */
const marks: [RegExp, string][] = [
  [/`{3,}[\w+#-]*/g, ''],
  [/`/g, ''],
  // The line under the head of a table, then the borders of its cells.
  [/\|?(?:\s*:?-{3,}:?\s*\|)+(?:\s*:?-{3,}:?)?/g, ' '],
  [/(?:\s*\|)+\s*/g, ' · '],
  [/(^|\s)#{1,6}\s+/g, '$1'],
  [/\*\*|__|~~/g, ''],
  // Emphasis, but not the sign between two numbers.
  [/\*(?=\S)|(?<=\S)\*/g, ''],
  [/\s+/g, ' '],
];

/** What was found in a reply, as text: a snippet is cut out of markdown, mostly in the middle of it. */
export function asText(snippet: Snippet): Snippet {
  return snippet.map(({ text, match }) => ({
    text: marks.reduce((rest, [mark, instead]) => rest.replaceAll(mark, instead), text),
    match,
  }));
}
