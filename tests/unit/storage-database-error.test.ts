import { SqliteError } from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { databaseError } from '../../src/main/storage/database-error.ts';

describe('what SQLite says', () => {
  test.each([
    ['SQLITE_BUSY_SNAPSHOT', 'database-locked'],
    ['SQLITE_FULL', 'disk-full'],
    // Seen on a disk with some kilobytes left: there is a place for the database, but not for the log's index.
    ['SQLITE_IOERR_SHMSIZE', 'disk-full'],
    ['SQLITE_IOERR_READ', 'database-damaged'],
    ['SQLITE_CORRUPT_INDEX', 'database-damaged'],
    ['SQLITE_READONLY_DIRECTORY', 'invalid-input'],
    ['SQLITE_CONSTRAINT_FOREIGNKEY', 'not-found'],
  ])('%s becomes %s, one sentence with a remedy', (sqlite, code) => {
    expect(databaseError(new SqliteError('as SQLite says it', sqlite))).toMatchObject({
      ...{
        code,
        message: expect.stringMatching(/\.$/) as string,
        remedy: expect.stringMatching(/\.$/) as string,
      },
    });
  });
});
