import { PunaError } from '../../shared/error.ts';
import { maxJsonBytes } from './limits.ts';
import { readPieces } from './pieces.ts';

/** JSON a value a line, JSON as a whole, or no JSON. */
export type FileForm = 'lines' | 'document' | 'text';

/** What a file holds, by its first two lines that are not blank. Errors: `invalid-input` (empty, binary). */
export async function recogniseForm(path: string, signal?: AbortSignal): Promise<FileForm> {
  const { first, whole, next } = await readStart(path, signal);
  if (!beginsLikeJson(`${first}\n${next}`)) return 'text';
  if (first.startsWith('[') || next === '') return 'document';
  if (whole && isJson(first)) return 'lines';
  // No document goes on with an object here, so the lines are JSONL, the first of which is broken.
  return next.startsWith('{') && !/[[,:]$/.test(first) ? 'lines' : 'document';
}

/**
 * An object, or a list of objects, strings or lists. Prose, markdown ("[ ] to do", "[1] a footnote", "[[link]]"), code and
 * templates ("{{", "{%") begin in other ways; single numbers and words in quotes are taken for prose.
 */
function beginsLikeJson(start: string): boolean {
  return /^\{\s*(?:["}]|$)/.test(start) || /^\[[\s[]*(?:[{"]|$)/.test(start) || /^\[\s*\]\s*$/.test(start);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The first line (as far as a record may go) and the beginning of the next, both trimmed. */
async function readStart(
  path: string,
  signal?: AbortSignal,
): Promise<{ first: string; whole: boolean; next: string }> {
  let held: Buffer[] = [];
  let bytesHeld = 0;
  let first = '';
  for await (const { bytes, ends } of readPieces(path, signal)) {
    if (first !== '') {
      const next = bytes.toString().trim();
      if (next !== '') return { first, whole: true, next };
      continue;
    }
    held.push(bytes);
    bytesHeld += bytes.length;
    if (bytesHeld > maxJsonBytes) return { first: textOf(held), whole: false, next: '' };
    if (!ends) continue;
    first = textOf(held);
    held = [];
    bytesHeld = 0;
  }
  first ||= textOf(held);
  if (first !== '') return { first, whole: true, next: '' };
  throw new PunaError('invalid-input', `${path} is empty.`, 'Choose a file with training data.');
}

function textOf(held: Buffer[]): string {
  return Buffer.concat(held).toString().trim();
}
