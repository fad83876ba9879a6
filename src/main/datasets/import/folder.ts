import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { startOfExport } from '../export-files.ts';
import { addArchive, mostUnpackedBytes } from './archive.ts';
import { ImportFiles, nothingIn } from './import-files.ts';
import { isImported, isPlain, isShown, maxFiles } from './readable.ts';

/** People nest some ten deep; deeper ones are made by programs. */
const maxDepth = 40;

/**
 * The files that are to be read: those that are named, as they are, and of a folder or a ZIP archive all that can be read, below it too, by
 * name. Hidden files and links are left out. What is an export as a whole stands for itself. `maxUnpackedBytes`: of an archive. Errors:
 * `file-missing`; `invalid-input` (too many files, too large, or none); `disk-full`; the signal's reason. Then nothing is left behind.
 */
export async function importFiles(
  paths: readonly string[],
  signal?: AbortSignal,
  maxUnpackedBytes = mostUnpackedBytes,
): Promise<ImportFiles> {
  const found = new ImportFiles();
  try {
    for (const path of new Set(paths)) {
      const stats = await stat(path).catch((thrown: unknown) => {
        throw fileError(thrown, path);
      });
      if (stats.isDirectory()) await addFolder(path, found, signal);
      else if (!stats.isFile() || !(await addArchive(path, found, { maxUnpackedBytes, signal })))
        found.add(path);
    }
    return found;
  } catch (thrown) {
    await found[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function addFolder(folder: string, found: ImportFiles, signal: AbortSignal | undefined): Promise<void> {
  if (await isKnown(folder)) return found.add(folder);
  const before = found.files.length;
  for (const file of await filesBelow(folder, signal)) {
    signal?.throwIfAborted();
    if (isPlain(file) || (await isKnown(file))) found.add(file);
    else found.passedOver++;
  }
  if (found.files.length === before) throw nothingIn(folder);
}

/** What cannot be opened, such as a broken archive among other files, is passed over. */
async function isKnown(path: string): Promise<boolean> {
  return startOfExport(path)
    .then(isImported)
    .catch(() => false);
}

async function filesBelow(folder: string, signal: AbortSignal | undefined): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(path, { withFileTypes: true }).catch((thrown: unknown) => {
      throw fileError(thrown, path);
    });
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      if (!isShown(entry.name)) continue;
      const inside = join(path, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await visit(inside, depth + 1);
      else if (entry.isFile()) files.push(inside);
      if (files.length > maxFiles) throw tooMany(folder);
    }
  };
  await visit(folder, 0);
  return files;
}

function tooMany(folder: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${folder} has more than ${maxFiles} files.`,
    'Choose a folder inside of it, or the files themselves.',
  );
}
