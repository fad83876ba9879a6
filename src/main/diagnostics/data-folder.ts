import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataFolder, type DataPart, dataParts } from '../../shared/contract/index.ts';
import { fileError } from '../storage/index.ts';

/** Which part of the data the things in the folder belong to; what is not named here is `other`. */
const partsByName: Readonly<Record<string, DataPart>> = {
  models: 'models',
  adapters: 'adapters',
  datasets: 'datasets',
  snapshots: 'datasets',
  'uploaded-data': 'datasets',
};

function partOf(name: string): DataPart {
  return partsByName[name] ?? (name.startsWith('puna.db') ? 'conversations' : 'other');
}

/**
 * How much of the disk the data folder takes, and what for. What links lead to lies elsewhere and does not count. Errors: `file-missing` (the
 * folder), others of the system.
 */
export async function measureDataFolder(path: string): Promise<Pick<DataFolder, 'path' | 'bytes' | 'parts'>> {
  const sums = new Map<DataPart, number>();
  const folder = await opendir(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  for await (const { name } of folder) {
    const part = partOf(name);
    sums.set(part, (sums.get(part) ?? 0) + (await sizeOf(join(path, name))));
  }
  const parts = dataParts
    .map((part) => ({ part, bytes: sums.get(part) ?? 0 }))
    .filter(({ bytes }) => bytes > 0);
  return { path, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0), parts };
}

/** Bytes of a file, or of all that is in a folder. What goes away meanwhile counts as nothing. */
async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => null);
  if (!found?.isDirectory()) return found?.size ?? 0;
  let sum = 0;
  const folder = await opendir(path).catch(() => null);
  if (folder) for await (const { name } of folder) sum += await sizeOf(join(path, name));
  return sum;
}
