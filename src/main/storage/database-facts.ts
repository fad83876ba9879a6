import Database from 'better-sqlite3';
import { stat } from 'node:fs/promises';
import { databaseError } from './database-error.ts';

/** What can be told of Puna's database without a word of what is in it. */
export interface DatabaseFacts {
  /** With what waits in its log to be written into it. */
  bytes: number;
  /** Of its tables; 0: none yet. */
  version: number;
  conversations: number;
  messages: number;
  /** The latest time that a conversation has, in milliseconds since 1970. */
  newest: number | null;
  /** By SQLite's own check; null: not checked. */
  problems: string[] | null;
}

/** One tells enough, and a badly damaged file has no end of them. */
const mostProblems = 10;

/**
 * Looks at a database that others may be writing. `check` reads all of it. Errors: `database-damaged`, `database-locked`,
 * `invalid-input` (it cannot be opened), `file-missing`.
 */
export async function readDatabaseFacts(file: string, { check }: { check: boolean }): Promise<DatabaseFacts> {
  const sizes = await Promise.all([file, `${file}-wal`].map((path) => stat(path).catch(() => ({ size: 0 }))));
  const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true });
    const version = Number(database.pragma('user_version', { simple: true }));
    const problems = check ? problemsOf(database) : null;
    if (version === 0) return { bytes, version, conversations: 0, messages: 0, newest: null, problems };
    const one = (sql: string) => numberOf(database, sql);
    return {
      ...{ bytes, version, problems },
      conversations: one('SELECT count(*) FROM conversations WHERE deleted_at IS NULL') ?? 0,
      messages: one('SELECT count(*) FROM messages') ?? 0,
      newest: one('SELECT max(updated_at) FROM conversations WHERE deleted_at IS NULL'),
    };
  } catch (thrown) {
    throw databaseError(thrown, file);
  } finally {
    database?.close();
  }
}

/** Null also where a newer Puna has other tables. */
function numberOf(database: Database.Database | undefined, sql: string): number | null {
  try {
    return database?.prepare<[], number | null>(sql).pluck().get() ?? null;
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code === 'SQLITE_ERROR') return null;
    throw thrown;
  }
}

function problemsOf(database: Database.Database): string[] {
  const rows = database.pragma(`quick_check(${mostProblems})`) as Record<string, unknown>[];
  return rows.flatMap((row) => Object.values(row).map(String)).filter((line) => line !== 'ok');
}

/** SQLite's version; null where its native package does not work. */
export function sqliteVersion(): string | null {
  try {
    const database = new Database(':memory:');
    const version = database.prepare<[], string>('SELECT sqlite_version()').pluck().get() ?? null;
    database.close();
    return version;
  } catch {
    return null;
  }
}
