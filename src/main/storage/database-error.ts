import { SqliteError } from 'better-sqlite3';
import { PunaError } from '../../shared/error.ts';
import { nativeError } from './native-error.ts';

const historyRemedy =
  'Close Puna and put a backup in its place (those that Puna made lie beside it and end in .backup); the damaged file was left as it is.';

/**
 * What SQLite says, as an error that a person can read; anything else comes back as it is. `remedy`: what to do about a file that
 * is damaged, if it is not the history.
 */
export function databaseError(
  thrown: unknown,
  file = 'the database',
  { remedy = historyRemedy }: { remedy?: string } = {},
): unknown {
  if (!(thrown instanceof SqliteError)) return nativeError(thrown, 'SQLite');
  const cause = { cause: thrown };
  const code = thrown.code;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    const sentence = `Another program holds ${file}.`;
    return new PunaError(
      'database-locked',
      sentence,
      'Close other windows of Puna or tools that have it open.',
      cause,
    );
  }
  // The second one: the index of the write-ahead log finds no place.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') {
    const sentence = `The disk is full: ${file} cannot grow.`;
    return new PunaError('disk-full', sentence, 'Free some space on that disk and try again.', cause);
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    const sentence = `${capitalized(file)} is damaged.`;
    return new PunaError('database-damaged', sentence, remedy, cause);
  }
  if (
    code.startsWith('SQLITE_READONLY') ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code.startsWith('SQLITE_PERM')
  ) {
    const sentence = `${capitalized(file)} cannot be written.`;
    return new PunaError('invalid-input', sentence, 'Check its permissions and those of its folder.', cause);
  }
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') {
    const sentence = 'Something that this refers to no longer exists.';
    return new PunaError('not-found', sentence, 'It may have been deleted in another window.', cause);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    const sentence = `The disk fails to read or write ${file}.`;
    return new PunaError(
      'database-damaged',
      sentence,
      'Check the disk, and copy the data folder to another one.',
      cause,
    );
  }
  return thrown;
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
