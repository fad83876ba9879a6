import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { fileError } from '../storage/index.ts';

/** Read at once: enough that the disk is what takes the time. */
const pieceBytes = 4 * 1024 * 1024;
/** Told a few times a second. */
const tellEveryMs = 200;

/**
 * SHA-256 of a file in hexadecimal digits. `onProgress` is told how many bytes are read. Errors: `file-missing`, `file-damaged` (the disk
 * fails), `invalid-input`, and the signal's reason.
 */
export async function hashFile(
  path: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (bytes: number) => void } = {},
): Promise<string> {
  const hash = createHash('sha256');
  let read = 0;
  let toldAt = 0;
  try {
    const stream = createReadStream(path, { highWaterMark: pieceBytes, signal });
    for await (const piece of stream as AsyncIterable<Buffer>) {
      hash.update(piece);
      read += piece.length;
      if (performance.now() - toldAt < tellEveryMs) continue;
      toldAt = performance.now();
      onProgress?.(read);
    }
  } catch (thrown) {
    throw fileError(thrown, path);
  }
  return hash.digest('hex');
}
