import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { decodeStream } from '../encoding.ts';
import { tooLong } from '../limits.ts';
import type { ImportOptions } from './importer.ts';

interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ImportOptions['onProgress'] | undefined;
}

/** A line of a text. */
export interface TextLine {
  /** Without its end; null where it is longer than it may be. */
  readonly text: string | null;
  /** From 1. */
  readonly line: number;
}

/** A text as it is read, in whatever encoding. Errors: `invalid-input` (not text). */
async function* textPieces(path: string, { signal, onProgress }: ReadOptions): AsyncGenerator<string> {
  for await (const piece of decodeStream(read())) {
    if (piece === null) throw notText(path);
    yield piece;
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const piece of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
      yield piece;
      bytes += piece.length;
      onProgress?.(bytes);
    }
  }
}

/**
 * The lines of a text in whatever encoding; those longer than `maxCharacters` are passed over. Lines end as the first one does:
 * some programs for the Mac write a carriage return alone. Errors: `invalid-input` (not text).
 */
export async function* textLines(
  path: string,
  maxCharacters: number,
  options: ReadOptions,
): AsyncGenerator<TextLine> {
  let line = 1;
  let lineEnd: string | null = null;
  let [held, length]: [held: string[], length: number] = [[], 0];
  const take = (): TextLine => {
    const text = length > maxCharacters ? null : held.join('').replace(/\r$/, '');
    [held, length] = [[], 0];
    return { text, line: line++ };
  };
  for await (const piece of textPieces(path, options)) {
    lineEnd ??= /[\r\n]/.test(piece) ? (piece.includes('\n') ? '\n' : '\r') : null;
    let from = 0;
    for (;;) {
      const end = lineEnd === null ? -1 : piece.indexOf(lineEnd, from);
      const part = piece.slice(from, end < 0 ? piece.length : end);
      length += part.length;
      if (length <= maxCharacters) held.push(part);
      else held = [];
      if (end < 0) break;
      yield take();
      from = end + 1;
    }
  }
  if (length > 0) yield take();
}

/** A text in whatever encoding, with Unix line ends. Errors: `invalid-input` (not text, too long). */
export async function wholeText(path: string, maxBytes: number, options: ReadOptions): Promise<string> {
  const held: string[] = [];
  let characters = 0;
  for await (const piece of textPieces(path, options)) {
    held.push(piece);
    // A character has at least one byte.
    characters += piece.length;
    if (characters > maxBytes) throw tooLong(path, maxBytes);
  }
  return held.join('').replaceAll(/\r\n?/g, '\n');
}

/** The end of a file's name that tells its kind, in small letters and with its dot. */
export function extensionOf(path: string): string {
  return extname(path).toLowerCase();
}

function notText(path: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} is not a text: it has bytes as only binary files do.`,
    'Choose a text, or one of the other files that Puna reads.',
  );
}
