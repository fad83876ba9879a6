import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { startOfExport } from '../export-files.ts';
import { extensionOf } from './file-text.ts';
import { importers } from './importers.ts';

/** Files that are looked at: a home folder has more, and somebody who chooses it has slipped. */
const maxFiles = 50_000;

/** People nest some ten deep; deeper ones are made by programs. */
const maxDepth = 40;

/** Examples and texts, which no importer asks for. */
const readWithoutImporter = new Set(['.json', '.jsonl', '.ndjson', '.txt', '.text']);

/** Folders of programs, not of people. */
const foreignFolders = new Set(['node_modules', '__pycache__', '__MACOSX']);

/** The files that paths stand for. */
export interface ImportFiles {
  readonly files: string[];
  /** Files of folders that nothing can be read from, such as pictures. */
  readonly passedOver: number;
}

/**
 * The files that are to be read: those that are named, as they are, and of a folder all that can be read, below it too, by name. Hidden
 * files and links are left out. A folder that is an export as a whole stands for itself. Errors: `file-missing`; `invalid-input` (too many
 * files, or none).
 */
export async function importFiles(paths: readonly string[], signal?: AbortSignal): Promise<ImportFiles> {
  const files = new Set<string>();
  let passedOver = 0;
  for (const path of paths) {
    if (!(await isFolder(path)) || (await isImported(path))) {
      files.add(path);
      continue;
    }
    const found = await filesBelow(path, signal);
    const before = files.size;
    for (const file of found) {
      signal?.throwIfAborted();
      if (readWithoutImporter.has(extensionOf(file)) || (await isImported(file))) files.add(file);
      else passedOver++;
    }
    if (files.size === before) throw nothingIn(path);
  }
  return { files: [...files], passedOver };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** What cannot be opened, such as a broken archive among other files, is passed over. */
async function isImported(path: string): Promise<boolean> {
  try {
    const start = await startOfExport(path);
    return importers.some((importer) => importer.recognises(start));
  } catch {
    return false;
  }
}

async function filesBelow(folder: string, signal: AbortSignal | undefined): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    signal?.throwIfAborted();
    const entries = await readdir(path, { withFileTypes: true }).catch((thrown: unknown) => {
      throw fileError(thrown, path);
    });
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || foreignFolders.has(entry.name)) continue;
      const inside = join(path, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await visit(inside, depth + 1);
      else if (entry.isFile()) files.push(inside);
      if (files.length > maxFiles) throw tooMany(folder);
    }
  };
  await visit(folder, 0);
  return files;
}

function nothingIn(folder: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${folder} has no file that Puna can read.`,
    'Choose a folder with texts, tables, mails, documents or exports of chats.',
  );
}

function tooMany(folder: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${folder} has more than ${maxFiles} files.`,
    'Choose a folder inside of it, or the files themselves.',
  );
}
