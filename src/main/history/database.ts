import Database from 'better-sqlite3';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError, makeFolder, tryToWrite } from '../storage/index.ts';
import { databaseError } from '../storage/database-error.ts';
import { migrations } from './migrations/index.ts';

export type { Database } from 'better-sqlite3';

/** Where the history of a data folder lies. */
export function databaseFile(dataFolder: string): string {
  return join(dataFolder, 'puna.db');
}

/** Of the tables, as this Puna knows them. */
export const historyVersion = migrations.length;

/** Long enough for another process to end a transaction of its own, short enough to say so soon. */
const usualBusyTimeoutMs = 2_000;

/** Backups of earlier versions that are kept beside the database. */
const keptBackups = 3;

export interface OpenOptions {
  busyTimeoutMs?: number;
  /** Another list than the released one, for tests of migrations to come. */
  migrations?: readonly string[];
}

/**
 * Opens the database, makes it if it is not there, and brings it to the current version, after a backup of an older one.
 * Errors: `database-locked`, `database-damaged`, `database-newer`, `disk-full`, `invalid-input` (not writable). The file
 * is never deleted or replaced.
 */
export function openDatabase(file: string, options: OpenOptions = {}): Database.Database {
  const { busyTimeoutMs = usualBusyTimeoutMs, migrations: steps = migrations } = options;
  let database: Database.Database | undefined;
  try {
    makeFolder(dirname(file));
    database = new Database(file, { timeout: busyTimeoutMs });
    database.pragma('journal_mode = WAL');
    // What a person did must survive a power cut. Autosaves lower it for themselves (messages.ts).
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database, file, steps);
    return database;
  } catch (thrown) {
    database?.close();
    throw fullDisk(thrown, file) ?? databaseError(fileError(thrown, dirname(file)), file);
  }
}

/** SQLite cannot say that a file does not open because the disk has no room for one more; whoever tries to write one is told. */
function fullDisk(thrown: unknown, file: string): PunaError | null {
  if (!(thrown instanceof Database.SqliteError) || !thrown.code.startsWith('SQLITE_CANTOPEN')) return null;
  try {
    tryToWrite(dirname(file));
    return null;
  } catch (refused) {
    const error = fileError(refused, file);
    return error instanceof PunaError && error.code === 'disk-full' ? error : null;
  }
}

function migrate(database: Database.Database, file: string, steps: readonly string[]): void {
  const version = versionOf(database);
  if (version > steps.length) {
    throw new PunaError(
      'database-newer',
      `${file} was made by a newer Puna (version ${version} of the history; this one knows ${steps.length}).`,
      'Install that newer Puna, or name another data folder with --data.',
    );
  }
  if (version === steps.length) return;
  if (version > 0) backUp(database, file, version);
  // One transaction for each step, entered only by whoever still finds it undone: two processes may start at once.
  steps.forEach((sql, index) => {
    database
      .transaction(() => {
        if (versionOf(database) !== index) return;
        database.exec(sql);
        database.pragma(`user_version = ${index + 1}`);
      })
      .immediate();
  });
}

function versionOf(database: Database.Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}

/** SQLite leaves that to us: what is migrated next must not be on the disk before its backup. */
function flush(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function backUp(database: Database.Database, file: string, version: number): void {
  const backup = `${file}.version-${version}.backup`;
  const temporary = `${backup}.part`;
  rmSync(temporary, { force: true });
  try {
    database.prepare('VACUUM INTO ?').run(temporary);
    flush(temporary);
    renameSync(temporary, backup);
  } catch (thrown) {
    // Half a backup is none, and on a full disk it would keep everything else from being written.
    rmSync(temporary, { force: true });
    throw fileError(thrown, backup);
  }
  const pattern = new RegExp(`^${RegExp.escape(basename(file))}\\.version-(\\d+)\\.backup$`);
  const old = readdirSync(dirname(file))
    .map((name) => ({ name, version: Number(pattern.exec(name)?.[1]) }))
    .filter(({ version: of }) => Number.isInteger(of))
    .sort((one, other) => other.version - one.version)
    .slice(keptBackups);
  for (const { name } of old) if (existsSync(join(dirname(file), name))) rmSync(join(dirname(file), name));
}
