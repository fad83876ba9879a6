import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileError } from './file-error.ts';

/** The pieces of a file in their order; text is written as UTF-8. */
export type FilePieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Writes a file so that at every moment either the old or the new one is whole under its name: temporary file beside it,
 * fsync, rename, fsync of the folder. If the pieces throw or the signal is aborted, the target stays as it was and the
 * temporary file is removed. Errors: `disk-full`, `invalid-input` (the folder is missing or cannot be written), and
 * whatever the pieces throw.
 */
export async function writeAtomically(
  path: string,
  pieces: FilePieces,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    const handle = await open(temporary, 'wx');
    // `flush` is the fsync; the stream closes the handle in every case.
    const file = handle.createWriteStream({ flush: true });
    await pipeline(Readable.from(pieces), file, signal ? { signal } : {});
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw fileError(thrown, path);
  }
  await flushFolder(dirname(path));
}

/** Gives a file that is whole and flushed another name on the same disk, for good. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await flushFolder(dirname(to));
}

/** Hidden, and never the name of two writers at once. */
function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
}

/** Makes the renames in a folder last through a power cut, where the system has a way to say so (Windows has none). */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  if (!handle) return;
  try {
    await handle.sync();
  } catch {
    // Some network file systems refuse; the file itself is flushed all the same.
  } finally {
    await handle.close();
  }
}
