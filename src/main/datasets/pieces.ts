import { createReadStream } from 'node:fs';
import { PunaError } from '../../shared/error.ts';

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
const utf16Marks = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];

/**
 * A file in pieces that never cross a line end, without its byte order mark. Lines end with a line feed alone: Node's
 * readline also ends them at U+2028, which may stand in a string of JSON. Errors: `invalid-input` (binary).
 */
export async function* readPieces(path: string, signal?: AbortSignal): AsyncGenerator<Piece> {
  let line = 1;
  let atStart = true;
  for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    let rest = atStart ? withoutMark(chunk, path) : chunk;
    atStart = false;
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

function withoutMark(start: Buffer, path: string): Buffer {
  if (utf16Marks.some((mark) => start.subarray(0, mark.length).equals(mark))) {
    throw notUtf8(`${path} is UTF-16 text, not UTF-8.`);
  }
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
