import { promisify } from 'node:util';
import { constants, zstdDecompress } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { PunaError } from '../../../shared/error.ts';
import {
  checksumFlag,
  entryBytes,
  footerBytes,
  maxFrameBytes,
  maxFrames,
  reservedFlags,
  seekableMagic,
  skippableHeaderBytes,
  skippableMagic,
  zstdMagic,
} from './zstd-seekable.ts';

const decompress = promisify(zstdDecompress);

/** Longest that Zstandard may make a frame of that many bytes (ZSTD_compressBound), generously. */
const maxPackedBytes = maxFrameBytes + maxFrameBytes / 128;
/** Decoded frames that are kept: those that a few readers go through side by side. */
const keptFrames = 4;

interface Frame {
  /** In the packed source and in the whole that it unpacks to, in bytes. */
  packedStart: number;
  packedBytes: number;
  start: number;
  bytes: number;
}

/** Whether a source begins as a file does that was packed with Zstandard. */
export async function isZstd(source: ByteSource): Promise<boolean> {
  const start = Buffer.alloc(4);
  return (await source.read(start, 0)) === start.byteLength && start.readUInt32LE() === zstdMagic;
}

/**
 * What a file in Zstandard's seekable format unpacks to, read from any place: only the frames that are asked for are unpacked,
 * and the last few are kept. The file may come from a stranger: the seek table is checked against the file's size, and no frame
 * may unpack to more than 8 MiB. It reads from `packed`, which stays open.
 * Errors: `file-damaged`, `unsupported-model` (packed without a seek table); reading: `file-damaged`.
 * Format: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
 */
export async function openZstdSource(packed: ByteSource, name: string): Promise<ByteSource> {
  const frames = await readSeekTable(packed, name);
  const last = frames.at(-1);
  const size = last ? last.start + last.bytes : 0;
  const kept = new Map<Frame, Promise<Uint8Array>>();

  /** A frame's bytes, unpacked once though several ask at the same time. */
  const unpacked = (frame: Frame): Promise<Uint8Array> => {
    const bytes = kept.get(frame) ?? unpackFrame(packed, frame, name);
    // Anew at the end: the front one is the one that nobody has used for longest.
    kept.delete(frame);
    kept.set(frame, bytes);
    bytes.catch(() => kept.delete(frame));
    for (const old of kept.keys()) {
      if (kept.size <= keptFrames) break;
      kept.delete(old);
    }
    return bytes;
  };

  return {
    size,
    async read(target, offset) {
      const end = Math.min(offset + target.byteLength, size);
      let filled = 0;
      for (let at = frameAt(frames, offset); offset + filled < end; at++) {
        const frame = frames[at];
        if (!frame) break;
        const from = offset + filled - frame.start;
        const piece = (await unpacked(frame)).subarray(from, end - frame.start);
        target.set(piece, filled);
        filled += piece.byteLength;
      }
      return filled;
    },
  };
}

/** Index of the frame in which an offset lies. */
function frameAt(frames: readonly Frame[], offset: number): number {
  let [low, high] = [0, frames.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((frames[middle]?.start ?? Infinity) <= offset) low = middle;
    else high = middle;
  }
  return low;
}

async function unpackFrame(packed: ByteSource, frame: Frame, name: string): Promise<Uint8Array> {
  const input = new Uint8Array(frame.packedBytes);
  if ((await packed.read(input, frame.packedStart)) < input.byteLength) {
    throw damagedFile(name, `it ends inside the frame at ${frame.packedStart}`);
  }
  const output = await decompress(input, {
    maxOutputLength: frame.bytes,
    params: { [constants.ZSTD_d_windowLogMax]: Math.log2(maxFrameBytes) },
  }).catch((thrown: unknown) => {
    throw damagedFile(name, `the frame at ${frame.packedStart} cannot be unpacked`, thrown);
  });
  if (output.byteLength !== frame.bytes) {
    throw damagedFile(
      name,
      `the frame at ${frame.packedStart} unpacks to ${output.byteLength} bytes instead of ${frame.bytes}`,
    );
  }
  return output;
}

async function readSeekTable(packed: ByteSource, name: string): Promise<Frame[]> {
  const footer = Buffer.alloc(footerBytes);
  const footerStart = packed.size - footerBytes;
  if (footerStart < skippableHeaderBytes || (await packed.read(footer, footerStart)) < footerBytes) {
    throw damagedFile(name, `it ends after ${packed.size} bytes`);
  }
  if (footer.readUInt32LE(5) !== seekableMagic) {
    throw new PunaError(
      'unsupported-model',
      `${name} is cut off, or was packed with Zstandard without a table to find places in it.`,
      'Unpack it with "zstd -d", and choose the file that comes out.',
    );
  }
  const count = footer.readUInt32LE();
  const flags = footer.readUInt8(4);
  if (flags & reservedFlags) throw damagedFile(name, 'its seek table has unknown flags');
  if (count > maxFrames) throw damagedFile(name, `its seek table claims ${count} frames`);
  const stride = entryBytes + (flags & checksumFlag ? 4 : 0);
  const tableStart = footerStart - count * stride - skippableHeaderBytes;
  if (tableStart < 0) {
    throw damagedFile(name, `its seek table claims ${count} frames, more than the file has room for`);
  }
  const table = Buffer.alloc(skippableHeaderBytes + count * stride);
  if ((await packed.read(table, tableStart)) < table.byteLength) {
    throw damagedFile(name, 'it ends inside its seek table');
  }
  const tableBytes = table.byteLength - skippableHeaderBytes + footerBytes;
  if (table.readUInt32LE() !== skippableMagic || table.readUInt32LE(4) !== tableBytes) {
    throw damagedFile(name, 'its seek table has no sound beginning');
  }
  return readFrames(table.subarray(skippableHeaderBytes), { stride, tableStart, name });
}

/** Frames in their order, those left out that unpack to nothing. */
function readFrames(
  table: Buffer,
  { stride, tableStart, name }: { stride: number; tableStart: number; name: string },
): Frame[] {
  const frames: Frame[] = [];
  let [packedStart, start] = [0, 0];
  for (let at = 0; at < table.byteLength; at += stride) {
    const packedBytes = table.readUInt32LE(at);
    const bytes = table.readUInt32LE(at + 4);
    if (bytes > maxFrameBytes || (bytes > 0 && packedBytes > maxPackedBytes)) {
      throw damagedFile(
        name,
        `the frame at ${packedStart} claims ${bytes} bytes, more than the ${maxFrameBytes} that Puna unpacks at once`,
      );
    }
    if (bytes > 0) frames.push({ packedStart, packedBytes, start, bytes });
    packedStart += packedBytes;
    start += bytes;
  }
  if (packedStart !== tableStart) {
    throw damagedFile(
      name,
      `its frames take ${packedStart} bytes, but its seek table begins at ${tableStart}`,
    );
  }
  return frames;
}
