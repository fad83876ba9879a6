import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';

/** The pieces of a file in their order; text is written as UTF-8. */
export type FilePieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Writes a file so that at every moment either the old or the new one is whole under its name: temporary file beside it,
 * fsync, rename, fsync of the folder. A piece is taken over before the next one is asked for, so a source may use one
 * buffer again and again. If the pieces throw or the signal is aborted, the target stays as it was and the temporary file
 * is removed. Errors: `disk-full`, `file-missing` (the folder), `invalid-input` (it cannot be written), and whatever the
 * pieces throw.
 */
export async function writeAtomically(
  path: string,
  pieces: FilePieces,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await writeDurably(temporary, pieces, signal);
    await moveDurably(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw fileError(thrown, path);
  }
}

/** Gives a file that is whole and flushed another name on the same disk, for good. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await flushFolder(dirname(to));
}

/** Small pieces are gathered to this size: a header has thousands of them, and each write is a call of the system. */
const gatheredBytes = 256 * 1024;

async function writeDurably(
  path: string,
  pieces: FilePieces,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using handle = await open(path, 'wx');
  const gathered = Buffer.alloc(gatheredBytes);
  let used = 0;
  const flush = async () => {
    await handle.writeFile(gathered.subarray(0, used));
    used = 0;
  };
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (used + bytes.byteLength > gatheredBytes) await flush();
    if (bytes.byteLength >= gatheredBytes) {
      await handle.writeFile(bytes);
    } else {
      gathered.set(bytes, used);
      used += bytes.byteLength;
    }
  }
  await flush();
  await handle.sync();
}

/** A name to write to until the file is whole: hidden, and never that of two writers at once. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.part`);
}

/** Removes what writers of this path have left behind that were killed; those that still write are left alone. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `.${basename(path)}.`;
  for (const name of await readdir(folder)) {
    const writer = name.startsWith(start) && /^(\d+)-[0-9a-f]{12}\.part$/.exec(name.slice(start.length));
    if (writer && !isRunning(Number(writer[1]))) await rm(join(folder, name), { force: true });
  }
}

/** Whether there is a process of this number. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    // Another person's process is there, but may not be asked.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
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
