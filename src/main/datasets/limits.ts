import { PunaError } from '../../shared/error.ts';

const mebibyte = 2 ** 20;

/**
 * One line of JSON, or one object of a list, is held in memory as a whole. More than any model reads at once: a million
 * tokens are about five megabytes. A file that is larger without a line end is no JSONL.
 */
export const maxRecordBytes = 8 * mebibyte;

/** A text that is no JSON is one example, in memory as a whole: some sixteen million tokens, a hundred novels. */
export const maxTextBytes = 64 * mebibyte;

/** No known kind nests deeper than five; brackets alone, each of which costs memory, must not fill it. */
export const maxDepth = 100;

export function tooLong(where: string, maxBytes: number): PunaError {
  return new PunaError(
    'invalid-input',
    `${where}: this is longer than the ${maxBytes / mebibyte} MiB that one example may have.`,
    'Split it into several examples.',
  );
}
