import { dirname } from 'node:path';
import { PunaError } from '../../shared/error.ts';

/**
 * What the system says about a file, as an error that a person can read. Anything that is not a system error on a file
 * (what a stream's source threw, a PunaError, an abort) comes back as it is.
 */
export function fileError(thrown: unknown, path: string): unknown {
  if (thrown instanceof PunaError || !isSystemError(thrown)) return thrown;
  const cause = { cause: thrown };
  switch (thrown.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PunaError(
        'disk-full',
        `The disk is full: ${path} could not be written.`,
        'Free some space on that disk and try again.',
        cause,
      );
    case 'ENOENT':
    case 'ENOTDIR':
      return new PunaError(
        'file-missing',
        `There is no file or folder ${path}.`,
        'Check the path, and that the disk it is on is connected.',
        cause,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PunaError(
        'invalid-input',
        `Puna is not allowed to use ${path}.`,
        `Check the permissions of the file and of ${dirname(path)}.`,
        cause,
      );
    case 'EFBIG':
      return new PunaError(
        'invalid-input',
        `The disk does not take a file as large as ${path}.`,
        'Use a disk with a file system for large files, such as exFAT, NTFS, APFS or ext4.',
        cause,
      );
    case 'EISDIR':
      return new PunaError('invalid-input', `${path} is a folder.`, 'Name a file.', cause);
    case 'EMFILE':
    case 'ENFILE':
      return new PunaError('internal', 'Too many files are open.', 'Restart Puna.', cause);
    case 'EIO':
      return new PunaError(
        'file-damaged',
        `The disk fails to read or write ${path}.`,
        'Check the disk for errors, and copy the file to another one.',
        cause,
      );
    default:
      return thrown;
  }
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException & { code: string } {
  return (
    thrown instanceof Error &&
    typeof (thrown as NodeJS.ErrnoException).code === 'string' &&
    'syscall' in thrown
  );
}
