import { maxTextBytes, tooLong } from './limits.ts';
import { readLines } from './lines.ts';

/** A file as one text, with Unix line ends. Errors: `invalid-input` (not UTF-8, too long). */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const lines: string[] = [];
  let characters = 0;
  for await (const { text } of readLines(path, maxTextBytes, signal)) {
    lines.push(text);
    // A character has at least one byte; the line end is one, too.
    characters += text.length + 1;
    if (characters - 1 > maxTextBytes) throw tooLong(path, maxTextBytes);
  }
  return lines.join('\n');
}
