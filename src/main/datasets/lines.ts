import { tooLong } from './limits.ts';
import { readPieces, StrictDecoder } from './pieces.ts';

/** The lines of a file without their ends, each with its number; after a line end at the end, an empty one. */
export async function* readLines(
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<{ text: string; line: number }> {
  const decoder = new StrictDecoder(path);
  let held: Buffer[] = [];
  let bytesHeld = 0;
  let last = 1;
  for await (const { bytes, line, ends } of readPieces(path, signal, onRead)) {
    held.push(bytes);
    bytesHeld += bytes.length;
    if (bytesHeld > maxBytes) throw tooLong(`${path}, line ${line}`, maxBytes);
    if (!ends) continue;
    const text = decoder.decode(Buffer.concat(held), line, { more: false });
    yield { text: text.slice(0, text.endsWith('\r\n') ? -2 : -1), line };
    held = [];
    bytesHeld = 0;
    last = line + 1;
  }
  yield { text: decoder.decode(Buffer.concat(held), last, { more: false }), line: last };
}
