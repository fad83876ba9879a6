import { access, constants, lstat, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Model } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { readModelFile } from '../weights/model-file.ts';
import { isBelow } from './library.ts';

/** Moves a file or a folder to the system's trash. */
export type Trash = (path: string) => Promise<void>;

interface DeleteOptions {
  ownFolders: readonly string[];
  /** Null: they are removed for good. */
  trash: Trash | null;
  /** What is in the library, for folders of weights: models may lie in them. */
  items?: readonly Pick<Model, 'path' | 'name'>[];
}

/**
 * Moves the files of a model that lie in Puna's own folders to the trash, or removes them for good. Folders that are empty then go with
 * them. What a link leads to stays where it is. Errors: `invalid-input` (files that are not Puna's, or a folder with another model in
 * it), `no-trash` (it does not take them, though they could be removed for good), those of the system.
 */
export async function deleteModelFiles(
  model: Pick<Model, 'path' | 'kind'>,
  { ownFolders, trash, items = [] }: DeleteOptions,
): Promise<void> {
  const within = items.find(({ path }) => isBelow(path, model.path));
  if (within) {
    throw new PunaError(
      'invalid-input',
      `${within.name} lies in the folder ${model.path}, too, and would be deleted with it.`,
      'Delete that model first, or move it elsewhere.',
    );
  }
  const paths = await pathsOf(model);
  const own = await Promise.all(paths.map((path) => ownFolderOf(path, ownFolders)));
  if (own.includes(null)) {
    throw new PunaError(
      'invalid-input',
      `${model.path} does not belong to Puna.`,
      'Take it off the list, or delete it where it lies.',
    );
  }
  for (const path of paths) await (trash ? moveToTrash(path, trash) : removeForGood(path));
  const [top] = own;
  if (top) await removeEmpty(dirname(model.path), top);
}

/** Whether the files of a model lie in Puna's own folders, also by the real paths of these, so that they may be deleted. */
export async function belongsToPuna(
  model: Pick<Model, 'path' | 'kind'>,
  ownFolders: readonly string[],
): Promise<boolean> {
  const paths = [model.path, ...(await pathsOf(model))];
  const own = await Promise.all(paths.map((path) => ownFolderOf(path, ownFolders)));
  return !own.includes(null);
}

async function pathsOf({ path, kind }: Pick<Model, 'path' | 'kind'>): Promise<string[]> {
  if (kind === 'weights') return [path];
  const files = await readModelFile(path).then(
    (model) => model.files.map((file) => file.path),
    // Damaged, or parts are missing: the one that is known.
    () => [path],
  );
  const there = await Promise.all(files.map((file) => lstat(file).catch(() => null)));
  return files.filter((_, index) => there[index]);
}

/** The folder that a path lies in, also where a folder on the way is a link. */
async function ownFolderOf(path: string, ownFolders: readonly string[]): Promise<string | null> {
  const inFolder = await realpath(dirname(path)).catch(() => null);
  for (const folder of ownFolders) {
    const real = await realpath(folder).catch(() => null);
    if (!real || !inFolder || !isBelow(path, folder)) continue;
    if (inFolder === real || isBelow(inFolder, real)) return folder;
  }
  return null;
}

async function moveToTrash(path: string, trash: Trash): Promise<void> {
  try {
    await trash(path);
    // Some say that they have done it, and have not.
    if (await lstat(path).catch(() => null)) throw new Error('It is still there.');
  } catch (cause) {
    await refuseUnremovable(path, cause);
    throw new PunaError(
      'no-trash',
      `The system's trash does not take ${path}.`,
      'Delete it for good, or leave it where it is.',
      { cause },
    );
  }
}

/** Another program has the file open, which on Windows keeps it from being removed. */
const busyCodes = ['EBUSY', 'ETXTBSY'];

/** Errors: what the system says of a file that cannot be removed in any way. */
async function refuseUnremovable(path: string, cause: unknown): Promise<void> {
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  if (code && busyCodes.includes(code)) {
    throw new PunaError(
      'invalid-input',
      `Another program uses ${path}.`,
      'Close it there, and delete it again.',
      { cause },
    );
  }
  // To remove a name, one must be allowed to change the folder that it is in.
  for (const [known, mode] of [
    [path, constants.F_OK],
    [dirname(path), constants.W_OK | constants.X_OK],
  ] as const) {
    await access(known, mode).catch((thrown: unknown) => {
      throw fileError(thrown, path);
    });
  }
}

async function removeForGood(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
}

async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; isBelow(at, top); at = dirname(at)) {
    if ((await readdir(at).catch(() => ['?'])).length > 0) return;
    await rmdir(at).catch(() => undefined);
  }
}
