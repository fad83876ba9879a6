import { access } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface FreePathOptions {
  /** Places that will be taken, though there is nothing yet. */
  taken?: readonly string[];
  /** A folder's name has no ending: what is behind its last dot belongs to it. */
  isFolder?: boolean;
}

/** A place in the folder where nothing is: that of the name or, where it is taken, with a number after it. */
export async function freePath(
  folder: string,
  name: string,
  { taken = [], isFolder = false }: FreePathOptions = {},
): Promise<string> {
  const ending = isFolder ? '' : extname(name);
  const stem = name.slice(0, name.length - ending.length);
  for (let number = 1; ; number++) {
    const path = join(folder, number === 1 ? name : `${stem} (${number})${ending}`);
    if (taken.includes(path)) continue;
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (!there) return path;
  }
}
