import { PunaError } from '../../../shared/error.ts';

/** The error for a file that is not what it claims to be; `what` says where, as the end of a sentence. */
export function damagedFile(name: string, what: string, cause?: unknown): PunaError {
  return new PunaError('file-damaged', `${name} is damaged: ${what}.`, 'Download or copy the file again.', {
    cause,
  });
}
