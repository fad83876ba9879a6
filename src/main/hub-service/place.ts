import { existsSync } from 'node:fs';
import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Download } from '../../shared/contract/index.ts';
import { discardDownload, placeBelow, placeIn } from '../downloads/index.ts';
import { namesOf } from '../downloads/begun.ts';
import { whileLocked } from '../storage/resumable-lock.ts';
import { type Meant, modelFolder, type Plan } from './plan.ts';

/**
 * Gives what an order means a place. A folder of weights gets one of its own, since it appears as a whole; models lie side by side in
 * that of their repository. `unfinished`: folders that other downloads will make. Errors: `invalid-input` (a name that leads out of the
 * folder).
 */
export async function placed(
  meant: Meant,
  modelsFolder: string,
  unfinished: readonly string[],
): Promise<Plan> {
  const { revision } = meant;
  const usual = modelFolder(modelsFolder, meant);
  const folder =
    meant.file === null
      ? await freeFolder(usual, unfinished)
      : unfinished.includes(usual)
        ? `${usual}-gguf`
        : usual;
  return { revision, folder, files: withThere(meant, folder) };
}

/** The files of an order, each with whether there was something in its place before. */
export function withThere({ file, files }: Pick<Meant, 'file' | 'files'>, folder: string): Plan['files'] {
  return files.map(({ path, name, bytes, digest }) => {
    const place = file === null ? placeBelow(folder, name) : placeIn(folder, name);
    return { path, name, bytes, digest, wasThere: existsSync(place) };
  });
}

async function freeFolder(usual: string, taken: readonly string[]): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? usual : `${usual}-folder${number === 2 ? '' : `-${number}`}`;
    const names = await readdir(folder).catch((thrown: NodeJS.ErrnoException) =>
      thrown.code === 'ENOENT' ? [] : [folder],
    );
    if (names.length === 0 && !taken.includes(folder)) return folder;
  }
}

/** Whether a folder has all files already: the program ended between its last moment and the note of that. */
export async function isWhole({ folder, files }: Plan): Promise<boolean> {
  for (const { name, bytes } of files) {
    const size = await stat(placeBelow(folder, name)).then(
      (found) => found.size,
      () => null,
    );
    if (size !== bytes) return false;
  }
  return true;
}

/**
 * Removes what a download that is not done has left, and folders that are empty then. What was there before stays, and so does all
 * that `isNeeded`. Errors: `already-running` (another process downloads the same), those of the system.
 */
export async function discard(
  { file }: Pick<Download, 'file'>,
  { folder, files }: Plan,
  { modelsFolder, isNeeded }: { modelsFolder: string; isNeeded: (path: string) => boolean },
): Promise<void> {
  if (existsSync(dirname(folder)) && file === null) {
    await whileLocked(folder, async () => {
      for (const path of namesOf(folder)) await rm(path, { recursive: true, force: true });
    });
  }
  if (existsSync(folder) && file !== null) {
    for (const { name, wasThere } of files) {
      const path = placeIn(folder, name);
      await whileLocked(path, async () => {
        await discardDownload(path);
        if (!wasThere && !isNeeded(path)) await rm(path, { force: true });
      });
    }
  }
  await removeEmpty(file === null ? dirname(folder) : folder, modelsFolder);
}

async function removeEmpty(folder: string, top: string): Promise<void> {
  for (let at = folder; isBelow(at, top); at = dirname(at)) {
    const isGone = await rmdir(at).then(
      () => true,
      (thrown: NodeJS.ErrnoException) => thrown.code === 'ENOENT',
    );
    if (!isGone) return;
  }
}

function isBelow(path: string, top: string): boolean {
  const way = relative(top, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && join(top, way) === path;
}
