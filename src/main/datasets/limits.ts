import { PunaError } from '../../shared/error.ts';

const mebibyte = 2 ** 20;

/** A row of a table, or a line of a chat, is held in memory as a whole. More than any model reads at once: a million tokens are about five megabytes. */
export const maxRecordBytes = 8 * mebibyte;

/** A text that is no JSON is one example, in memory as a whole: some sixteen million tokens, a hundred novels. */
export const maxTextBytes = 64 * mebibyte;

/**
 * One line of JSON, or one object of a list, is held in memory as a whole too. Puna writes texts in that way, whose quotes and line
 * ends are then two characters each; a file that is larger without a line end is no JSONL.
 */
export const maxJsonBytes = 2 * maxTextBytes;

/** No known kind nests deeper than five; brackets alone, each of which costs memory, must not fill it. */
export const maxDepth = 100;

export function tooLong(where: string, maxBytes: number): PunaError {
  return new PunaError(
    'invalid-input',
    `${where}: this is longer than the ${maxBytes / mebibyte} MiB that one example may have.`,
    'Split it into several examples.',
  );
}

/** A day of Slack is a file, and so is a picture: many years of a company, and no more than a list in memory. */
export const maxFilesOfExport = 200_000;

/**
 * One conversation with a model, or one message between people, in memory as a whole. Exports keep every branch of a
 * conversation, with what the tools have given, so that the longest have tens of megabytes.
 */
export const maxExportedCharacters = 64 * mebibyte;
