import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PunaError } from '../../shared/error.ts';
import { fileError } from './file-error.ts';

/** An engine whose program was killed notices that within a second, and ends; so long the next one waits for it. */
const patienceMs = 3_000;
const lookAgainMs = 50;

/**
 * Does something while no other process of this system writes the same path. The lock is SQLite's own, as that of the data folder: the
 * system frees it when the process ends in whatever way, where a number of a process would mean another one after a restart. It lies among the
 * temporary files, since disks in the network know locks of many kinds. Errors: `already-running`, `file-missing` (the folder).
 */
export async function whileLocked<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  const lock = await lockPath(path);
  const database = await taken(lock, path);
  try {
    return await write();
  } finally {
    // Whoever waits looks for a file of this name after it got the lock, and so does not take one that is gone.
    rmSync(lock, { force: true, maxRetries: 0 });
    database?.close();
  }
}

async function lockPath(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch((thrown: unknown) => {
    throw fileError(thrown, dirname(path));
  });
  const hash = createHash('sha256')
    .update(join(folder, basename(path)))
    .digest('hex');
  return join(tmpdir(), `puna-writing-${hash.slice(0, 32)}.lock`);
}

/** Null where the temporary folder takes no locks: then nothing is held, which is better than that nothing is written. */
async function taken(lock: string, path: string): Promise<Database.Database | null> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const database = tried(lock);
    if (database !== 'busy') return database;
    if (performance.now() > until) {
      throw new PunaError(
        'already-running',
        `Another Puna is writing ${path}.`,
        'Wait until it has finished, or choose another name.',
      );
    }
    await wait(lookAgainMs);
  }
}

function tried(lock: string): Database.Database | null | 'busy' {
  let database: Database.Database | undefined;
  try {
    database = new Database(lock, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    if (existsSync(lock)) return database;
    database.close();
    return 'busy';
  } catch (thrown) {
    database?.close();
    const isBusy = thrown instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(thrown.code);
    return isBusy ? 'busy' : null;
  }
}
