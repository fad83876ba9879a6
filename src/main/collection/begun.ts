import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A hidden file beside a dataset's, while it is made. */
export function besideDataset(path: string, name: string): string {
  return join(dirname(path), `.${basename(path)}.${name}`);
}

/** Removes what was begun beside a dataset's file, by engines that were killed too. */
export async function clearBegun(path: string): Promise<void> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const start = basename(besideDataset(path, ''));
  for (const name of names) {
    // What is written beside a hidden file has two dots before it.
    if (name.startsWith(start) || name.startsWith(`.${start}`)) await rm(join(folder, name), { force: true });
  }
}

/** Removes a dataset's file, and what SQLite keeps beside it while it writes. */
export async function removeDataset(path: string): Promise<void> {
  await clearBegun(path);
  for (const ending of ['', '-journal']) await rm(`${path}${ending}`, { force: true });
}
