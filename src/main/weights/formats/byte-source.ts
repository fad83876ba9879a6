import { open, stat } from 'node:fs/promises';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/file-error.ts';

/** Bytes that can be read from any place: a file, or a buffer. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Fills the target with the bytes from `offset` on; gives how many there were, fewer than asked for only at the end. */
  read(target: Uint8Array, offset: number): Promise<number>;
}

export function bufferSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.byteLength,
    async read(target, offset) {
      const piece = bytes.subarray(offset, offset + target.byteLength);
      target.set(piece);
      return piece.byteLength;
    },
  };
}

/** A file that stays open until it is disposed of. */
export interface FileSource extends ByteSource, AsyncDisposable {
  readonly path: string;
}

/** Opens a file while `use` reads from it. Errors: those of `openFileSource`. */
export async function withFileSource<Result>(
  path: string,
  use: (source: ByteSource) => Promise<Result>,
): Promise<Result> {
  await using source = await openFileSource(path);
  return await use(source);
}

/** Opens a file to be read from. Errors: `file-missing`, `invalid-input` (a folder, a device, no permission). */
export async function openFileSource(path: string): Promise<FileSource> {
  try {
    // Before it is opened: opening a named pipe would wait for its writer, possibly for ever.
    if (!(await stat(path)).isFile()) {
      throw new PunaError(
        'invalid-input',
        `${path} is not a file.`,
        'Choose a model file, which ends in .gguf.',
      );
    }
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return {
      ...{ path, size },
      read: (target, offset) =>
        readFully(handle, target, offset).catch((thrown: unknown) => {
          throw fileError(thrown, path);
        }),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** One read of a file may give less than asked for, though more is there. */
async function readFully(
  handle: Awaited<ReturnType<typeof open>>,
  target: Uint8Array,
  offset: number,
): Promise<number> {
  let filled = 0;
  while (filled < target.byteLength) {
    const { bytesRead } = await handle.read(target, filled, target.byteLength - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
