import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { BrowsedKind, FolderListing } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { fileEndings } from '../../shared/file-endings.ts';
import { fileError } from '../storage/index.ts';

/**
 * The folders and the files of some kind in a folder (null: the person's home), hidden folders last. What cannot be looked at
 * is left out. Errors: `file-missing`, `invalid-input` (a file, or no permission).
 */
export async function browse(
  path: string | null,
  { show = 'gguf' }: { show?: BrowsedKind } = {},
): Promise<FolderListing> {
  const folder = expandHome(path ?? '~');
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    throw folderError(thrown, folder);
  });
  const wanted = (name: string) => fileEndings[show].test(name);
  const seen = await Promise.all(
    entries.filter((entry) => mayMatter(entry, wanted)).map((entry) => look(folder, entry, wanted)),
  );
  const parent = dirname(folder);
  return {
    path: folder,
    parent: parent === folder ? null : parent,
    folders: seen.flatMap((entry) => (entry?.kind === 'folder' ? [entry.name] : [])).toSorted(byName),
    files: seen
      .flatMap((entry) => (entry?.kind === 'file' ? [{ name: entry.name, bytes: entry.bytes }] : []))
      .toSorted((a, b) => byName(a.name, b.name)),
  };
}

/** An absolute path; `~` is the person's home, as in a terminal. */
export function expandHome(path: string): string {
  return resolve(path.replace(/^~(?=$|[/\\])/, homedir()));
}

type Wanted = (name: string) => boolean;

/** Only what can be listed is looked at: a folder of pictures has thousands of other files. */
function mayMatter(entry: Dirent, wanted: Wanted): boolean {
  return entry.isDirectory() || entry.isSymbolicLink() || (entry.isFile() && wanted(entry.name));
}

/** Links are followed: download caches are made of them. */
async function look(folder: string, entry: Dirent, wanted: Wanted) {
  const { name } = entry;
  if (entry.isDirectory()) return { kind: 'folder', name } as const;
  const stats = await stat(join(folder, name)).catch(() => null);
  if (stats?.isDirectory()) return { kind: 'folder', name } as const;
  return stats?.isFile() && wanted(name) ? ({ kind: 'file', name, bytes: stats.size } as const) : null;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function byName(a: string, b: string): number {
  return Number(a.startsWith('.')) - Number(b.startsWith('.')) || collator.compare(a, b);
}

function folderError(thrown: unknown, folder: string): unknown {
  if ((thrown as NodeJS.ErrnoException).code === 'ENOTDIR') {
    return new PunaError('invalid-input', `${folder} is not a folder.`, 'Choose a folder.', {
      cause: thrown,
    });
  }
  return fileError(thrown, folder);
}
