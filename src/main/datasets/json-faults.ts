import { PunaError } from '../../shared/error.ts';
import { maxDepth } from './limits.ts';

/** Where it takes more than this to find the way again, it is no export with a few faults. */
export const maxBroken = 1000;

/** Line ends in a text. */
export function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

export function tooDeep(where: string): PunaError {
  const sentence = `${where} nests more than ${maxDepth} lists and objects.`;
  return new PunaError('invalid-input', sentence, 'Export the data again.');
}

export function tooBroken(where: string, line: number): PunaError {
  return new PunaError(
    'invalid-input',
    `${where} is broken in more than ${maxBroken} places, the last one on line ${line}.`,
    'Export or download the data again.',
  );
}
