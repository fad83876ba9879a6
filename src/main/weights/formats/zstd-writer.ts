import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { PunaError } from '../../../shared/error.ts';
import {
  entryBytes,
  footerBytes,
  maxFrames,
  seekableMagic,
  skippableHeaderBytes,
  skippableMagic,
} from './zstd-seekable.ts';

const compress = promisify(zstdCompress);

/** Unpacked at once: large enough to pack well, small enough that a read from anywhere unpacks little. */
const frameBytes = 4 * 1024 * 1024;

/**
 * Packs a stream in Zstandard's seekable format (`openZstdSource` reads it, `zstd -d` unpacks it). A piece is taken over before
 * the next one is asked for. Errors: `invalid-input` (8 TiB and more), and whatever the pieces throw.
 */
export async function* zstdSeekable(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { level = constants.ZSTD_CLEVEL_DEFAULT }: { level?: number } = {},
): AsyncGenerator<Uint8Array> {
  const sizes: number[] = [];
  for await (const frame of inFrames(pieces)) {
    if (sizes.length === maxFrames * 2) {
      throw new PunaError('invalid-input', 'This model is too large to be packed with Zstandard.');
    }
    const packed = await compress(frame, {
      pledgedSrcSize: frame.byteLength,
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    sizes.push(packed.byteLength, frame.byteLength);
    yield packed;
  }
  yield seekTable(sizes);
}

/** The same bytes in pieces of one size but the last; each is a view of one buffer. */
async function* inFrames(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const frame = new Uint8Array(frameBytes);
  let filled = 0;
  let frames = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.byteLength;) {
      const part = piece.subarray(at, at + frameBytes - filled);
      frame.set(part, filled);
      at += part.byteLength;
      filled += part.byteLength;
      if (filled === frameBytes) {
        yield frame;
        frames++;
        filled = 0;
      }
    }
  }
  // A frame even for no bytes at all: by its first bytes the file is known.
  if (filled > 0 || frames === 0) yield frame.subarray(0, filled);
}

/** From packed and unpacked size of each frame in turn. */
function seekTable(sizes: readonly number[]): Uint8Array {
  const count = sizes.length / 2;
  const table = Buffer.alloc(skippableHeaderBytes + count * entryBytes + footerBytes);
  let at = table.writeUInt32LE(skippableMagic);
  at = table.writeUInt32LE(table.byteLength - skippableHeaderBytes, at);
  for (const size of sizes) at = table.writeUInt32LE(size, at);
  at = table.writeUInt32LE(count, at);
  at = table.writeUInt8(0, at);
  table.writeUInt32LE(seekableMagic, at);
  return table;
}
