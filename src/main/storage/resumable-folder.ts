import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { type FilePieces, moveDurably, writeAtomically } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { type ResumableOptions, type Unit, writeResumably } from './resumable-file.ts';

/** A file of a folder: units, after which writing can go on, or pieces that are written as a whole. */
export interface FolderFile {
  /** A plain file name. */
  readonly name: string;
  /** What progress counts; of small files it may be 0. */
  readonly bytes: number;
  readonly content:
    | { readonly units: readonly Unit[] }
    /** `results`: of the units of all files before. Gives what counts as this file's own results, or null for no such file. */
    | {
        pieces(results: ReadonlyMap<string, readonly string[]>): {
          pieces: FilePieces;
          results?: () => readonly string[];
        } | null;
      };
}

const journalSchema = z.object({ signature: z.string(), files: z.record(z.string(), z.array(z.string())) });
type Journal = z.infer<typeof journalSchema>;
const journalName = '.journal';

/**
 * Writes a folder file by file, so that it appears under its name only when all are whole. A process that dies loses at most
 * what `writeResumably` loses of one file; the next one that writes the same folder (`signature`) goes on. What was begun stays when
 * the signal is aborted or a file throws; `discardBegunFolder` removes it. `check` may refuse what was written, before it gets its name.
 * Gives the results of all files' units.
 * Errors: `invalid-input` (the folder is there and not empty, or cannot be written), `disk-full`, and those of `writeResumably`.
 */
export async function writeFolderResumably(
  folder: string,
  files: readonly FolderFile[],
  { signature, signal, onProgress }: ResumableOptions,
  check?: (begun: string) => Promise<void>,
): Promise<Map<string, readonly string[]>> {
  await refuseExisting(folder);
  const begun = begunFolder(folder);
  const journal = await readJournal(begun, signature);
  const results = new Map<string, readonly string[]>();
  try {
    if (!journal) await rm(begun, { recursive: true, force: true });
    await mkdir(begun, { recursive: true });
    await writeJournal(begun, signature, new Map(Object.entries(journal?.files ?? {})));
    let position = 0;
    for (const file of files) {
      const path = join(begun, file.name);
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
        await writeJournal(begun, signature, results);
      }
      position += file.bytes;
      onProgress?.(position);
    }
    await check?.(begun);
    await rm(join(begun, journalName), { force: true });
    // An empty folder of that name may be there.
    await rm(folder, { recursive: true, force: true });
    await moveDurably(begun, folder);
  } catch (thrown) {
    throw fileError(thrown, folder);
  }
  return results;
}

/** How much of a folder has been begun and can be gone on with; null where nothing was. In bytes. */
export async function begunFolderBytes(folder: string): Promise<number | null> {
  const begun = begunFolder(folder);
  const names = await readdir(begun).catch(() => null);
  if (!names) return null;
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(begun, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Removes what `writeFolderResumably` has begun and not finished. */
export async function discardBegunFolder(folder: string): Promise<void> {
  await rm(begunFolder(folder), { recursive: true, force: true });
}

/** Hidden, beside the folder. */
function begunFolder(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.part`);
}

async function refuseExisting(folder: string): Promise<void> {
  const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return [];
    throw fileError(thrown, folder);
  });
  if (names.length > 0) {
    throw new PunaError('invalid-input', `The folder ${folder} is there already.`, 'Choose another name.');
  }
}

async function writeFile(
  path: string,
  { content }: FolderFile,
  results: ReadonlyMap<string, readonly string[]>,
  options: ResumableOptions,
): Promise<readonly string[]> {
  if ('units' in content) return writeResumably(path, content.units, options);
  const made = content.pieces(results);
  if (!made) return [];
  const { pieces, results: own } = made;
  await writeAtomically(path, pieces, options.signal ? { signal: options.signal } : {});
  return own?.() ?? [];
}

async function readJournal(begun: string, signature: string): Promise<Journal | null> {
  try {
    const journal = journalSchema.parse(JSON.parse(await readFile(join(begun, journalName), 'utf8')));
    return journal.signature === signature ? journal : null;
  } catch {
    return null;
  }
}

async function writeJournal(
  begun: string,
  signature: string,
  results: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const journal: Journal = {
    signature,
    files: Object.fromEntries([...results].map(([name, own]) => [name, [...own]])),
  };
  await writeAtomically(join(begun, journalName), [JSON.stringify(journal)]);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}
