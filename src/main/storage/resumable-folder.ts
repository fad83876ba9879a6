import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { type FilePieces, moveDurably, writeAtomically } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { whileLocked } from './resumable-lock.ts';
import { type ResumableOptions, type Unit, writeResumably } from './resumable-file.ts';

/** A file of a folder: units, after which writing can go on, or pieces that are written as a whole. */
export interface FolderFile {
  /** A plain file name. */
  readonly name: string;
  /** What progress counts; of small files it may be 0. */
  readonly bytes: number;
  readonly content:
    | { readonly units: readonly Unit[] }
    /**
     * `results`: of the units of all files before; `onProgress` may be told how many of the file's `bytes` are done. Gives what
     * counts as this file's own results, or null for no such file.
     */
    | {
        pieces(
          results: ReadonlyMap<string, readonly string[]>,
          onProgress: (bytes: number) => void,
        ): {
          pieces: FilePieces;
          results?: () => readonly string[];
        } | null;
      };
}

const journalSchema = z.object({ signature: z.string(), files: z.record(z.string(), z.array(z.string())) });
type Journal = z.infer<typeof journalSchema>;

/**
 * Writes a folder file by file, so that it appears under its name only when all are whole. A process that dies loses at most
 * what `writeResumably` loses of one file; the next one that writes the same folder (`signature`) goes on. What was begun stays when
 * the signal is aborted or a file throws; `discardBegunFolder` removes it. `check` may refuse what was written, before it gets its name.
 * Gives the results of all files' units.
 * Errors: `invalid-input` (the folder is there and not empty, or cannot be written), `disk-full`, and those of `writeResumably`.
 */
export function writeFolderResumably(
  folder: string,
  files: readonly FolderFile[],
  options: ResumableOptions,
  check?: (begun: string) => Promise<void>,
): Promise<Map<string, readonly string[]>> {
  return whileLocked(folder, () => writeLocked(folder, files, options, check));
}

async function writeLocked(
  folder: string,
  files: readonly FolderFile[],
  { signature, signal, onProgress }: ResumableOptions,
  check: ((begun: string) => Promise<void>) | undefined,
): Promise<Map<string, readonly string[]>> {
  await refuseExisting(folder);
  const begun = begunNames(folder);
  const journal = await readJournal(begun.journal, signature);
  const results = new Map<string, readonly string[]>();
  try {
    if (!journal) await rm(begun.folder, { recursive: true, force: true });
    await mkdir(begun.folder, { recursive: true });
    await removeStrangers(begun.folder, files);
    await writeJournal(begun.journal, signature, new Map(Object.entries(journal?.files ?? {})));
    let position = 0;
    for (const file of files) {
      const path = join(begun.folder, file.name);
      const earlier = journal?.files[file.name];
      if (earlier && (await isFile(path))) {
        results.set(file.name, earlier);
      } else {
        const written = await writeFile(path, file, results, {
          signature,
          ...(signal && { signal }),
          onProgress: (bytes) => onProgress?.(position + bytes),
        });
        results.set(file.name, written);
        await writeJournal(begun.journal, signature, results);
      }
      position += file.bytes;
      onProgress?.(position);
    }
    await check?.(begun.folder);
    // Somebody may have put something there meanwhile.
    await refuseExisting(folder);
    await removeEmpty(folder);
    await moveDurably(begun.folder, folder);
    await rm(begun.journal, { force: true });
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
  return results;
}

/** How much of a folder has been begun and can be gone on with; null where nothing was. In bytes. */
export async function begunFolderBytes(folder: string): Promise<number | null> {
  const begun = begunNames(folder).folder;
  const names = await readdir(begun).catch(() => null);
  if (!names) return null;
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(begun, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Removes what `writeFolderResumably` has begun and not finished. */
export async function discardBegunFolder(folder: string): Promise<void> {
  const begun = begunNames(folder);
  await rm(begun.folder, { recursive: true, force: true });
  await rm(begun.journal, { force: true });
}

/** Hidden, beside the folder. The journal is not inside: whoever dies before the folder has its name finds it whole. */
function begunNames(folder: string): { folder: string; journal: string } {
  const hidden = join(dirname(folder), `.${basename(folder)}`);
  return { folder: `${hidden}.part`, journal: `${hidden}.journal` };
}

/** Removes temporary files of writers that were killed, which would else become a part of the result. */
async function removeStrangers(begun: string, files: readonly FolderFile[]): Promise<void> {
  const known = new Set(files.flatMap(({ name }) => [name, `.${name}.part`, `.${name}.journal`]));
  for (const name of await readdir(begun)) {
    if (!known.has(name)) await rm(join(begun, name), { recursive: true, force: true });
  }
}

async function refuseExisting(folder: string): Promise<void> {
  const names = await readdir(folder).catch(async (thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return [];
    throw (await isFile(folder)) ? isThere(`The file ${folder}`) : fileError(thrown, folder);
  });
  if (names.length > 0) throw isThere(`The folder ${folder}`);
}

function isThere(what: string): PunaError {
  return new PunaError('invalid-input', `${what} is there already.`, 'Choose another name.');
}

async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'ENOENT') throw thrown;
  });
}

async function writeFile(
  path: string,
  { content }: FolderFile,
  results: ReadonlyMap<string, readonly string[]>,
  options: ResumableOptions,
): Promise<readonly string[]> {
  if ('units' in content) return writeResumably(path, content.units, options);
  const made = content.pieces(results, (bytes) => options.onProgress?.(bytes));
  if (!made) return [];
  const { pieces, results: own } = made;
  await writeAtomically(path, pieces, options.signal ? { signal: options.signal } : {});
  return own?.() ?? [];
}

async function readJournal(path: string, signature: string): Promise<Journal | null> {
  try {
    const journal = journalSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return journal.signature === signature ? journal : null;
  } catch {
    return null;
  }
}

async function writeJournal(
  path: string,
  signature: string,
  results: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const journal: Journal = {
    signature,
    files: Object.fromEntries([...results].map(([name, own]) => [name, [...own]])),
  };
  await writeAtomically(path, [JSON.stringify(journal)]);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
