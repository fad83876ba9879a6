import { realpath } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import type { WeightsOperation } from '../messages.ts';

/** Files and folders that an operation reads. */
export function inputsOf(operation: WeightsOperation): string[] {
  switch (operation.kind) {
    case 'delta-apply':
      return [operation.base, operation.delta];
    case 'delta-make':
    case 'adapter-extract':
      return [operation.base, operation.target];
    case 'merge':
      return [
        ...operation.models.map(({ path }) => path),
        ...(operation.base === null ? [] : [operation.base]),
      ];
    case 'recipe':
      return [operation.recipe];
    case 'adapter-merge':
      return [operation.base, ...operation.adapters.map(({ path }) => path)];
    case 'adapter-convert':
      return [operation.adapter, ...(operation.base === null ? [] : [operation.base])];
    case 'convert':
      return [operation.from];
    case 'quantize':
      return [operation.from, operation.importance, operation.importanceText].filter((path) => path !== null);
  }
}

/** Whether a path names a GGUF file; anything else names a folder. */
export function isGgufPath(path: string): boolean {
  return extname(path).toLowerCase() === '.gguf';
}

/** What a file or folder is called in a sentence and in what is made of it. */
export function nameOf(path: string): string {
  return basename(resolve(path)).replace(/\.gguf$/i, '');
}

/** Errors: `invalid-input` where the output is one of the inputs. It may lie in one of them, as beside the weights that are converted. */
export async function refuseInputAsOutput(operation: WeightsOperation): Promise<void> {
  const out = await realPath(operation.out);
  for (const input of inputsOf(operation)) {
    const path = await realPath(input);
    if (path === out) {
      throw new PunaError(
        'invalid-input',
        `${operation.out} is to be read and written at once.`,
        'Choose another name for the result.',
      );
    }
  }
}

async function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
