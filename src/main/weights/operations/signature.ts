import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WeightsOperation } from '../messages.ts';
import { splitEnding } from '../model-file.ts';
import { inputsOf } from './paths.ts';

/**
 * Tells whether what was begun can be gone on with: the same operation on the same files, by their sizes and times of change. Hidden
 * ones do not count: what was begun may lie among them.
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
  if (found?.isDirectory()) return statesOf(path, () => true);
  if (!splitEnding.test(path)) return found && [found.size, found.mtimeMs];
  const start = basename(path).replace(splitEnding, '');
  return statesOf(dirname(path), (name) => splitEnding.test(name) && name.startsWith(start));
}

async function statesOf(folder: string, counts: (name: string) => boolean): Promise<unknown> {
  const names = await readdir(folder).catch((): string[] => []);
  return Promise.all(
    names
      .filter((name) => !name.startsWith('.') && counts(name))
      .toSorted()
      .map(async (name) => {
        const file = await stat(join(folder, name)).catch(() => null);
        return file && [name, file.size, file.mtimeMs];
      }),
  );
}
