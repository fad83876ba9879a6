import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WeightsOperation } from '../messages.ts';
import { inputsOf } from './paths.ts';

/**
 * Tells whether what was begun can be gone on with: the same operation on the same files, by their sizes and times of change.
 * `further`: files that the operation's own words do not name.
 */
export async function signatureOf(
  operation: WeightsOperation,
  { further = [] }: { further?: readonly string[] } = {},
): Promise<string> {
  const inputs = await Promise.all(
    [...inputsOf(operation), ...further].map(async (path) => [path, await stateOf(path)]),
  );
  return createHash('sha256')
    .update(JSON.stringify([operation, inputs]))
    .digest('hex');
}

async function stateOf(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) return found && [found.size, found.mtimeMs];
  const names = (await readdir(path)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const file = await stat(join(path, name)).catch(() => null);
      return file && [name, file.size, file.mtimeMs];
    }),
  );
}
