import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { PunaError } from '../../shared/error.ts';

/** `PunD`: what makes an SQLite file a dataset of Puna. */
const applicationId = 0x5075_6e44;
const version = 1;

/** Long enough for another job to end its transaction, short enough to say so soon. */
const busyTimeoutMs = 2_000;

/** In bytes. Most examples then lie in one page, so that reading all of them is reading on. */
const pageSize = 16_384;

/** For reading all words of a large dataset, and for replacing examples of a sample, with few calls of the system; in KiB. */
const cacheKibibytes = 64 * 1024;

// Examples apart from what they say, so that counting and filtering does not read that; words apart from both.
const tables = `
  CREATE TABLE examples (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    turns INTEGER NOT NULL,
    validation INTEGER NOT NULL DEFAULT 0,
    excluded INTEGER NOT NULL DEFAULT 0,
    -- How often it was edited.
    edits INTEGER NOT NULL DEFAULT 0,
    -- By the tokenizer that state.measured names; NULL: not measured.
    tokens INTEGER,
    learnt INTEGER
  ) STRICT;
  CREATE TABLE contents (
    id INTEGER PRIMARY KEY,
    asked TEXT NOT NULL,
    answer TEXT NOT NULL,
    source TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE TABLE words (id INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT;
  -- One row. revision: rises with every change of what is learnt from or measured on, from anywhere, so that a new file at an old
  -- path is not taken for the old one.
  CREATE TABLE state (revision INTEGER NOT NULL, measured TEXT) STRICT;
  INSERT INTO state VALUES (abs(random() % 1000000000000), NULL);
`;

/** Makes an empty dataset at a path that nobody else knows yet: it is quick, and may be lost until it has its name. */
export function createTables(path: string): Database.Database {
  const database = new Database(path);
  try {
    database.pragma(`page_size = ${pageSize}`);
    database.pragma('journal_mode = MEMORY');
    database.pragma('synchronous = OFF');
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma(`cache_size = -${cacheKibibytes}`);
    database.pragma(`application_id = ${applicationId}`);
    database.pragma(`user_version = ${version}`);
    database.exec(tables);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** Opens a dataset. Errors: `file-missing`, `invalid-input` (no dataset), `database-newer`, and SQLite's own. */
export function openTables(path: string): Database.Database {
  if (!existsSync(path)) {
    throw new PunaError(
      'file-missing',
      `The dataset file ${path} is not there.`,
      'Put it back, or remove the dataset and make it again.',
    );
  }
  const database = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    check(database, path);
    database.pragma('synchronous = FULL');
    database.pragma(`cache_size = -${cacheKibibytes}`);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function check(database: Database.Database, path: string): void {
  if (idOf(database) !== applicationId) {
    throw new PunaError(
      'invalid-input',
      `${path} is not a dataset of Puna.`,
      'Import it to make a dataset of what it holds.',
    );
  }
  const found = database.pragma('user_version', { simple: true });
  if (typeof found === 'number' && found > version) {
    throw new PunaError(
      'database-newer',
      `The dataset ${path} was made by a newer Puna (version ${found}; this one knows ${version}).`,
      'Install that newer Puna.',
    );
  }
}

/** Null where it is no SQLite file at all. */
function idOf(database: Database.Database): unknown {
  try {
    return database.pragma('application_id', { simple: true });
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code === 'SQLITE_NOTADB') return null;
    throw thrown;
  }
}
