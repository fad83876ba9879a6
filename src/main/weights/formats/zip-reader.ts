import { Readable } from 'node:stream';
import { RandomAccessReader } from 'yauzl';
import type { ByteSource } from './byte-source.ts';

/** As much as Node reads of a file at once. */
const pieceBytes = 64 * 1024;

/** A source as the ZIP library wants to read it. */
export class ZipReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const piece = Buffer.alloc(Math.min(pieceBytes, end - at));
      const bytesRead = await this.#source.read(piece, at);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    // Nothing is beyond the end, and there the system would refuse some positions.
    if (position >= this.#source.size) return callback(null, 0);
    this.#source.read(buffer.subarray(offset, offset + length), position).then(
      (bytesRead) => callback(null, bytesRead),
      (thrown: unknown) => callback(thrown instanceof Error ? thrown : new Error(String(thrown))),
    );
  }
}

/** Whether the path of a file in an archive leads out of the folder that it would be unpacked to, on any system. */
export function leadsOut(path: string): boolean {
  return /^\/|^[a-z]:|\\|\0/i.test(path) || path.split('/').includes('..');
}
