import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { peakMemoryBytes } from '../../engine/peak-memory.ts';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import type { WeightsEvent, WeightsOperation, WeightsPlan, WeightsResult } from '../messages.ts';
import { readModelFile, weightsOf } from '../model-file.ts';
import type { QuantizeInput } from './messages.ts';
import { bytesOfPlan, planQuantization } from './plan.ts';
import { quantizationNamed, quantizationTypes } from './quantization-types.ts';
import { quantizeGguf } from './quantize-gguf.ts';

type QuantizeOperation = Extract<WeightsOperation, { kind: 'quantize' }>;

/** Weights that one thread quantizes in a second to the K types, measured; the IQ types take ten times as long and more. */
const weightsPerSecond = 10e6;

/**
 * Says what quantizing will take and give. Errors: those of `readModelFile`, `invalid-input` (no such type), `file-missing`.
 */
export async function planQuantizing(operation: QuantizeOperation): Promise<WeightsPlan> {
  const { from, out, importance, importanceText } = operation;
  const file = await readModelFile(from);
  const hasImportance = importance !== null || importanceText !== null;
  const plan = planQuantization(file, typeOf(operation), { hasImportance });
  const { bavail, bsize } = await statfs(dirname(out)).catch((thrown: unknown) => {
    throw fileError(thrown, dirname(out));
  });
  const bytes = bytesOfPlan(file, plan);
  const weights = file.tensors.reduce((sum, tensor) => sum + weightsOf(tensor), 0);
  const notes = fallbackNotes(plan.filter(({ isFallback }) => isFallback).length);
  if (!hasImportance && plan.some(({ needsImportance }) => needsImportance)) {
    notes.push(`${operation.type} needs an importance matrix, or a text to compute one from.`);
  }
  return {
    ...{ bytes, neededBytes: bytes, freeBytes: bavail * bsize, begunBytes: 0, notes },
    seconds: weights / (weightsPerSecond * availableParallelism()),
  };
}

/**
 * Quantizes as an operation says. An importance matrix that is to be computed from a text must have been computed before, and
 * be named as `importance`. Errors: those of `quantizeGguf`.
 */
export async function runQuantizing(
  operation: QuantizeOperation,
  { signal, emit }: { signal: AbortSignal; emit: (event: WeightsEvent) => void },
): Promise<WeightsResult> {
  const { from, out, importance, requantize } = operation;
  const input: QuantizeInput = {
    ...{ from, to: out, type: typeOf(operation), imatrix: importance, requantize },
    ...{ threads: null, keepOutput: false, pure: false },
  };
  let total = 0;
  const { bytes, fallbacks, withoutImportance, seconds } = await quantizeGguf(input, {
    signal,
    onEvent: (event) => {
      if (event.type === 'plan') total = event.bytes;
      else emit({ type: 'progress', phase: 'quantizing', done: event.progress * total, total });
    },
  });
  return {
    ...{ out, bytes, seconds, changes: [] },
    proof: {
      kind: 'none',
      text: 'Quantizing rounds every weight: there is nothing to compare the result with.',
    },
    notes: [...fallbackNotes(fallbacks), ...importanceNotes(withoutImportance)],
    peakMemoryBytes: peakMemoryBytes(),
  };
}

/** What a person should know of matrices that could not get their type. */
export function fallbackNotes(fallbacks: number): string[] {
  if (fallbacks === 0) return [];
  const which = fallbacks === 1 ? '1 matrix has' : `${fallbacks} matrices have`;
  return [`${which} rows that are no whole blocks of the type, and another type that fits.`];
}

/** What a person should know of matrices that were never measured. */
export function importanceNotes(withoutImportance: number): string[] {
  if (withoutImportance === 0) return [];
  return [`The importance matrix says nothing of ${withoutImportance} of the matrices.`];
}

/** Errors: `invalid-input`, with the types that there are. */
function typeOf({ type }: QuantizeOperation): QuantizeInput['type'] {
  const known = quantizationNamed(type);
  if (known) return known.name;
  throw new PunaError(
    'invalid-input',
    `There is no type ${type} to quantize to.`,
    `Choose one of ${quantizationTypes.map(({ name }) => name).join(', ')}.`,
  );
}
