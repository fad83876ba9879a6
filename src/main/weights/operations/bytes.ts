import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Size of a file, or of all files in a folder. */
export async function folderOrFileBytes(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const names = await readdir(path);
  const sizes = await Promise.all(names.map((name) => folderOrFileBytes(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
