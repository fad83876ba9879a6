import { extensionOf } from './file-text.ts';
import type { FileStart } from './importer.ts';
import { importers } from './importers.ts';

/** Examples and texts, which no importer asks for. */
const readWithoutImporter = new Set(['.json', '.jsonl', '.ndjson', '.txt', '.text']);

/** Folders of programs, not of people. */
const foreignFolders = new Set(['node_modules', '__pycache__', '__MACOSX']);

/** Files that are looked at: a home folder has more, and somebody who chooses it has slipped. */
export const maxFiles = 50_000;

/** Whether a name, or a path in a folder or an archive, is neither hidden nor of a program. */
export function isShown(name: string): boolean {
  return !name.split('/').some((part) => part.startsWith('.') || foreignFolders.has(part));
}

/** Whether a file is read by what its name says, if no importer knows it. */
export function isPlain(name: string): boolean {
  return readWithoutImporter.has(extensionOf(name));
}

export function isImported(start: FileStart): boolean {
  return importers.some((importer) => importer.recognises(start));
}
