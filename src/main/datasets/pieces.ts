import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { PunaError } from '../../shared/error.ts';
import { detectEncoding } from './encoding.ts';

/** Bytes of one line of a file: all of it, or what a read gave of it. */
export interface Piece {
  bytes: Buffer;
  /** From 1. */
  line: number;
  /** Whether the line ends with this piece, with its line feed. */
  ends: boolean;
}

const lineFeed = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * A file in pieces that never cross a line end, in UTF-8 and without its byte order mark. Lines end with a line feed alone: Node's
 * readline also ends them at U+2028, which may stand in a string of JSON. `onRead` is told how many bytes of the file have been
 * read. Errors: `invalid-input` (binary).
 */
export async function* readPieces(
  path: string,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Piece> {
  let line = 1;
  for await (const chunk of utf8Chunks(path, signal, onRead)) {
    let rest = chunk;
    while (rest.length > 0) {
      const end = rest.indexOf(lineFeed) + 1;
      const bytes = end > 0 ? rest.subarray(0, end) : rest;
      if (bytes.includes(0)) throw binary(path, line);
      yield { bytes, line, ends: end > 0 };
      if (end > 0) line++;
      rest = rest.subarray(bytes.length);
    }
  }
}

/** The bytes of a file, as UTF-8 where its beginning tells for certain that it is something else. */
async function* utf8Chunks(
  path: string,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null = null;
  let read = 0;
  for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    const encoding = read === 0 ? detectEncoding(chunk) : null;
    if (encoding !== null && !isVague(encoding)) decoder = new TextDecoder(encoding);
    if (decoder) yield Buffer.from(decoder.decode(chunk, { stream: true }));
    else yield read === 0 ? withoutMark(chunk) : chunk;
    read += chunk.length;
    onRead?.(read);
  }
  if (decoder) yield Buffer.from(decoder.decode());
}

/** UTF-8 itself, and what is taken for Western only because it is nothing else: there a broken byte is told. */
function isVague(encoding: string): boolean {
  return encoding === 'utf-8' || encoding === 'windows-1252';
}

function withoutMark(start: Buffer): Buffer {
  const marked = start.subarray(0, byteOrderMark.length).equals(byteOrderMark);
  return marked ? start.subarray(byteOrderMark.length) : start;
}

/** Decodes pieces as they come, and stops at the first that is not UTF-8. */
export class StrictDecoder {
  readonly #path: string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes that end a line end a character, too. */
  decode(bytes: Uint8Array, line: number, options: { more: boolean }): string {
    try {
      return this.#decoder.decode(bytes, { stream: options.more });
    } catch (thrown) {
      throw notUtf8(`Line ${line} of ${this.#path} is not UTF-8 text.`, thrown);
    }
  }
}

function notUtf8(sentence: string, cause?: unknown): PunaError {
  return new PunaError('invalid-input', sentence, 'Save it as UTF-8 in a text editor.', { cause });
}

function binary(path: string, line: number): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} is not a text: line ${line} has a NUL byte, as only binary files do.`,
    'Choose a text file, JSONL or JSON; unpack an archive, export a table or document as text.',
  );
}
