import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../storage/index.ts';

/** The number of a process may be of another machine that shares the folder; no import takes as long, in milliseconds. */
const forgottenAfter = 24 * 60 * 60 * 1000;

/** A folder for what is unpacked, which only its owner can look into. Those of processes that were killed are removed first. */
export async function newUnpackFolder(): Promise<string> {
  const root = tmpdir();
  for (const name of await readdir(root).catch(() => [])) {
    const [, pid] = /^puna-zip-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const folder = join(root, name);
    // Whatever cannot be removed is another person's.
    const isForgotten = await stat(folder).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > forgottenAfter,
      () => false,
    );
    if (isForgotten) await removeUnpackFolder(folder).catch(() => undefined);
  }
  return mkdtemp(join(root, `puna-zip-${process.pid}-`));
}

export async function removeUnpackFolder(folder: string): Promise<void> {
  // Windows keeps a file for a moment after it is closed.
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
