import { InsufficientMemoryError } from 'node-llama-cpp';
import { basename } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { newComplaints } from './llama.ts';

const memoryRemedy =
  'Close other programs, choose a smaller context, or take a smaller model or quantization.';

/** Whether something failed because memory ran out. */
export function isOutOfMemory(thrown: unknown, complaints: string): boolean {
  if (thrown instanceof InsufficientMemoryError) return true;
  return /failed to allocate|unable to allocate|out of memory|bad_alloc/i.test(
    `${messageOf(thrown)}\n${complaints}`,
  );
}

/** What keeps a model from being loaded, in words. */
export async function loadError(
  thrown: unknown,
  { path, signal, architecture }: { path: string; signal: AbortSignal; architecture: string | null },
): Promise<PunaError> {
  const complaints = await newComplaints();
  const cause = { cause: complaints === '' ? thrown : new Error(complaints, { cause: thrown }) };
  const name = basename(path);
  if (thrown instanceof PunaError) return thrown;
  if (signal.aborted) return new PunaError('cancelled', 'Loading was cancelled.', '', cause);
  if (isOutOfMemory(thrown, complaints)) {
    return new PunaError(
      'out-of-memory',
      `There is too little free memory for ${name}.`,
      memoryRemedy,
      cause,
    );
  }
  if (/unknown (model )?architecture/i.test(complaints)) {
    return new PunaError(
      'unsupported-model',
      `${name} is a kind of model (${architecture ?? 'unnamed'}) that this version of Puna cannot run.`,
      'Take another model, or a newer version of Puna.',
      cause,
    );
  }
  const reason = reasonIn(complaints, thrown);
  return new PunaError(
    'unsupported-model',
    `llama.cpp cannot load ${name} (architecture ${architecture ?? 'unknown'}): ${reason}.`,
    'The file may be damaged, or of a kind that this version of Puna does not know yet. Download it again, or take another model.',
    cause,
  );
}

/** What keeps a context from being made, in words. */
export async function contextError(thrown: unknown): Promise<PunaError> {
  const complaints = await newComplaints();
  if (thrown instanceof PunaError) return thrown;
  if (isOutOfMemory(thrown, complaints)) {
    return new PunaError('out-of-memory', 'There is too little free memory for the context.', memoryRemedy, {
      cause: thrown,
    });
  }
  return new PunaError('internal', `${reasonIn(complaints, thrown)}.`, '', { cause: thrown });
}

/** What keeps an adapter from being used, in words. */
export async function adapterError(thrown: unknown, paths: readonly string[]): Promise<PunaError> {
  const complaints = await newComplaints();
  if (thrown instanceof PunaError) return thrown;
  if (isOutOfMemory(thrown, complaints)) return contextError(thrown);
  const names = paths.map((path) => basename(path)).join(', ');
  return new PunaError(
    'invalid-input',
    `The adapter ${names} does not fit this model: ${reasonIn(complaints, thrown)}.`,
    'Choose the model that it was trained on, or switch the adapter off.',
    { cause: thrown },
  );
}

/** That it failed is what llama.cpp says last, and least. */
const merelyFailed = /failed to (?:load|initialize|create)(?: the)? (?:model|context|adapter)$/i;

/**
 * Why something failed, without the full stop: the last complaint that says more than that it did, without the names of
 * functions before it; else the error's own words.
 */
function reasonIn(complaints: string, thrown: unknown): string {
  const lines = complaints
    .split('\n')
    .map((line) => line.trim().replace(/^(?:\w+: |error loading model: )+/, ''))
    .filter((line) => line !== '');
  const reason = lines.findLast((line) => !merelyFailed.test(line)) ?? lines.at(-1) ?? messageOf(thrown);
  return reason.replace(/\.$/, '');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
