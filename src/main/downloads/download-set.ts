import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError, moveDurably } from '../storage/index.ts';
import { whileLocked } from '../storage/resumable-lock.ts';
import { begunDownloadBytes, namesOf } from './begun.ts';
import { checkSpace } from './disk-space.ts';
import { download, type DownloadOptions } from './download.ts';
import { placeBelow, placeIn } from './file-name.ts';
import type { Digest } from './verifier.ts';

/** A file of several that belong together. */
export interface SetFile {
  /** Its name, or its path below the folder with `/` between; one that leads elsewhere is refused. */
  name: string;
  url: string | readonly string[];
  bytes: number;
  digest: Digest | null;
}

export interface SetOptions extends Pick<
  DownloadOptions,
  'headers' | 'connections' | 'limiter' | 'signal' | 'retries' | 'patience'
> {
  files: readonly SetFile[];
  /** Called after each piece, with the bytes of all files that are there, and the file that is arriving. */
  onProgress?: (bytes: number, total: number, name: string) => void;
}

/**
 * Downloads files that belong together, such as the parts of a split model, into a folder, which is made. The first one is what they are opened
 * by: it comes last, so that whoever finds it finds them all. Gives their paths in the given order. Errors: those of
 * `download`; `invalid-input` (a name that leads out of the folder).
 */
export async function downloadSet(folder: string, options: SetOptions): Promise<string[]> {
  const paths = options.files.map(({ name }) => placeIn(folder, name));
  await makeFolder(folder);
  const [first, ...others] = options.files.map((file, index) => ({ ...file, out: paths[index] ?? '' }));
  if (first) await downloadAll([...others, first], folder, options);
  return paths;
}

/**
 * Downloads a whole folder, so that it appears under its name only when all of it is there and verified. What was begun goes on the next
 * time. Errors: those of `download`; `invalid-input` (a name that leads out of the folder, or the folder is there and not empty).
 */
export async function downloadFolder(folder: string, options: SetOptions): Promise<void> {
  const begun = join(dirname(folder), `.${basename(folder)}.download`);
  const files = options.files.map((file) => ({ ...file, out: placeBelow(begun, file.name) }));
  await makeFolder(dirname(folder));
  await whileLocked(folder, async () => {
    await refuseExisting(folder);
    await removeStrangers(
      begun,
      files.map(({ out }) => out),
    );
    for (const { out } of files) await makeFolder(dirname(out));
    await downloadAll(files, begun, { ...options, replaces: true });
    await rmdir(folder).catch(() => undefined);
    await moveDurably(begun, folder).catch((thrown: unknown) => {
      throw fileError(thrown, folder);
    });
  });
}

async function downloadAll(
  files: readonly (SetFile & { out: string })[],
  folder: string,
  set: SetOptions & Pick<DownloadOptions, 'replaces'>,
): Promise<void> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const there = await Promise.all(files.map(({ out, bytes }) => bytesThere(out, bytes)));
  const missing = total - there.reduce((sum, bytes) => sum + bytes, 0);
  await checkSpace(
    folder,
    missing,
    files.length === 1 ? (files[0]?.name ?? '') : `The whole of ${files.length} files`,
  );
  let before = 0;
  for (const { name, url, bytes, digest, out } of files) {
    await download({
      ...{ ...set, url, bytes, digest, out },
      onProgress: (arrived) => set.onProgress?.(before + arrived, total, name),
    });
    before += bytes;
    set.onProgress?.(before, total, name);
  }
}

async function bytesThere(out: string, bytes: number): Promise<number> {
  const size = await stat(out).then(
    (found) => found.size,
    () => null,
  );
  return Math.min(bytes, size ?? (await begunDownloadBytes(out)));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((thrown: unknown) => {
    throw fileError(thrown, folder);
  });
}

async function refuseExisting(folder: string): Promise<void> {
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return [];
    throw fileError(thrown, folder);
  });
  if (names.length === 0) return;
  throw new PunaError(
    'invalid-input',
    `The folder ${folder} is there already.`,
    'Move it away, or name another one.',
  );
}

/** Removes what an earlier time has left that is no part of the folder any more. */
async function removeStrangers(begun: string, outs: readonly string[]): Promise<void> {
  const known = new Set(outs.flatMap((out) => [out, ...namesOf(out)]));
  const entries = await readdir(begun, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory() && !known.has(path)) await rm(path, { force: true });
  }
}
