import { createReadStream } from 'node:fs';

/** Letters with pictures and files have up to 25 to 50 MB, since servers take no larger ones. */
const maxMailBytes = 64 * 2 ** 20;

/** A mail of an mbox file, without the line that separates it. */
export interface MailBytes {
  /** From 1. */
  readonly number: number;
  /** Where it begins in the file. */
  readonly start: number;
  /** How many bytes of the file it has. */
  readonly length: number;
  /** Null: it is larger than any mail. */
  readonly bytes: Buffer | null;
}

const separator = Buffer.from('From ');
const lineFeed = 0x0a;

/**
 * The mails of an mbox file, one at a time. Each begins behind a line "From …" that stands at the beginning or behind an empty line.
 * What ">" protects from being such a line is given as it was written.
 */
export async function* splitMbox(
  path: string,
  options: { signal?: AbortSignal | undefined; onProgress?: ((bytes: number) => void) | undefined } = {},
): AsyncGenerator<MailBytes> {
  let [number, start, length, position] = [0, 0, 0, 0];
  let held: Buffer[] = [];
  let behindEmpty = true;
  const mail = (): MailBytes => {
    const bytes = length > maxMailBytes ? null : unprotected(Buffer.concat(held));
    return { number, start, length, bytes };
  };
  for await (const line of linesOf(path, options.signal)) {
    position += line.length;
    if (behindEmpty && line.subarray(0, separator.length).equals(separator)) {
      if (number > 0) yield mail();
      options.onProgress?.(position);
      [number, start, length, held] = [number + 1, position, 0, []];
    } else {
      length += line.length;
      if (length <= maxMailBytes) held.push(line);
      else held = [];
    }
    behindEmpty = line.length <= 2 && (line[0] === lineFeed || line[1] === lineFeed);
  }
  if (number > 0) yield mail();
  options.onProgress?.(position);
}

/** Lines with their ends; one that is longer than any mail comes in parts. */
async function* linesOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let bytesHeld = 0;
  const take = (): Buffer => {
    const line = held.length === 1 && held[0] ? held[0] : Buffer.concat(held);
    [held, bytesHeld] = [[], 0];
    return line;
  };
  for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    let rest = chunk;
    while (rest.length > 0) {
      const end = rest.indexOf(lineFeed) + 1;
      const piece = end > 0 ? rest.subarray(0, end) : rest;
      held.push(piece);
      bytesHeld += piece.length;
      if (end > 0 || bytesHeld > maxMailBytes) yield take();
      rest = rest.subarray(piece.length);
    }
  }
  if (bytesHeld > 0) yield take();
}

/** As mboxrd has it: a line that begins with "From ", behind any number of ">", has got one more of them. */
export function unprotected(bytes: Buffer): Buffer {
  if (!bytes.includes('>From ')) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll(/^>(>*From )/gm, '$1'), 'latin1');
}
