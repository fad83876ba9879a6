import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { WeightsOperation } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { freePath, safeFileName } from '../storage/index.ts';

/** Where results go that have a name and no place. */
export interface ResultFolders {
  adapters: string;
  models: string;
}

/**
 * The operation with a place for its result where nothing is: a name without folders is one in Puna's own folders, with a number
 * after it where it is taken. `taken` has the places of operations that have not ended. Errors: `invalid-input` (a whole path
 * where something is, or a relative one).
 */
export async function placed<Operation extends WeightsOperation>(
  operation: Operation,
  folders: ResultFolders,
  taken: readonly string[],
): Promise<Operation> {
  const { out } = operation;
  if (!isAbsolute(out)) {
    const isAdapter = operation.kind === 'adapter-convert' || operation.kind === 'adapter-extract';
    const folder = isAdapter ? folders.adapters : folders.models;
    const isFolder = !isFile(out);
    return { ...operation, out: await freePath(folder, safeFileName(out), { taken, isFolder }) };
  }
  if (existsSync(out) || taken.includes(join(out))) {
    throw new PunaError('invalid-input', `There is something at ${out} already.`, 'Choose another name.');
  }
  return operation;
}

/** Whether a result is one file, by its name; otherwise it is a folder. */
function isFile(out: string): boolean {
  return /\.(gguf|zst)$/i.test(out);
}
