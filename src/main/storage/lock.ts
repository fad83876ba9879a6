import Database from 'better-sqlite3';
import { join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError } from './file-error.ts';
import { makeFolder, tryToWrite } from './make-folder.ts';
import { nativeError } from './native-error.ts';

export interface FolderLock {
  release(): void;
}

const lockName = 'lock.db';

/**
 * Makes the data folder, if it is not there, and takes it for this process. The lock is SQLite's own, an exclusive
 * transaction on an empty database: the system frees it when the process ends in whatever way, so that no stale lock can
 * remain. Errors: `already-running`, `disk-full`, `invalid-input` (the folder cannot be written), `file-damaged` (the lock).
 */
export function lockDataFolder(folder: string): FolderLock {
  makeDataFolder(folder);
  let database: Database.Database | undefined;
  try {
    database = new Database(join(folder, lockName), { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    database?.close();
    throw lockError(thrown, folder);
  }
  return { release: () => database.close() };
}

/** Makes the data folder, and one in it. Errors: `disk-full`, `invalid-input` (it cannot be made, or written). */
export function makeDataFolder(folder: string, within?: string): void {
  try {
    makeFolder(folder);
  } catch (thrown) {
    throw folderError(thrown, folder);
  }
  try {
    // SQLite would open what is there for reading.
    tryToWrite(folder);
    if (within !== undefined) makeFolder(join(folder, within));
  } catch (thrown) {
    const error = fileError(thrown, folder);
    throw error instanceof PunaError && error.code === 'disk-full' ? error : cannotBeWritten(thrown, folder);
  }
}

/** A folder that cannot be made has many reasons, which systems name differently (a read-only disk as a missing folder). */
function folderError(thrown: unknown, folder: string): unknown {
  const error = fileError(thrown, folder);
  if (error instanceof PunaError && error.code === 'disk-full') return error;
  return new PunaError(
    'invalid-input',
    `The data folder ${folder} cannot be made.`,
    'Check its path and the permissions there, or name another folder with --data.',
    { cause: thrown },
  );
}

function lockError(thrown: unknown, folder: string): unknown {
  if (!(thrown instanceof Database.SqliteError)) return nativeError(thrown, 'SQLite');
  const cause = { cause: thrown };
  if (thrown.code.startsWith('SQLITE_BUSY') || thrown.code.startsWith('SQLITE_LOCKED')) {
    return new PunaError(
      'already-running',
      `Puna is already running with the data folder ${folder}.`,
      'Use the window or tab that is open, or name another folder with --data.',
      cause,
    );
  }
  if (thrown.code === 'SQLITE_FULL') {
    return new PunaError(
      'disk-full',
      `The disk of the data folder ${folder} is full.`,
      'Free some space on that disk and try again.',
      cause,
    );
  }
  if (thrown.code === 'SQLITE_NOTADB' || thrown.code.startsWith('SQLITE_CORRUPT')) {
    return new PunaError(
      'file-damaged',
      `The file ${join(folder, lockName)} is damaged, so that nobody can tell whether Puna is running.`,
      'Close Puna everywhere and remove that file: there is nothing in it.',
      cause,
    );
  }
  // The folder was written to just before.
  return new PunaError(
    'invalid-input',
    `The file ${join(folder, lockName)} cannot be written.`,
    'Check its permissions: it belongs to another user where Puna was once started as that one, such as with sudo.',
    cause,
  );
}

function cannotBeWritten(cause: unknown, folder: string): PunaError {
  return new PunaError(
    'invalid-input',
    `The data folder ${folder} cannot be written.`,
    'Check its permissions, or name another folder with --data.',
    { cause },
  );
}
