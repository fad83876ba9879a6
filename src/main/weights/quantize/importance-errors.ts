import { PunaError } from '../../../shared/error.ts';

export function damaged(name: string, reason: string): PunaError {
  return new PunaError(
    'file-damaged',
    `The importance matrix ${name} is damaged: ${reason}.`,
    'Get the file again, or compute it anew from a text.',
  );
}

export function notImportance(name: string, reason: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${name} is no importance matrix: ${reason}.`,
    'Choose a file of llama-imatrix, or give a text to compute it from.',
  );
}
