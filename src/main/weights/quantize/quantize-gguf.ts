import { open, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { openLlama } from '../../ggml/index.ts';
import { moveDurably, removeLeftovers, temporaryBeside } from '../../storage/atomic-file.ts';
import { fileError } from '../../storage/index.ts';
import { fileTypeNumber } from '../file-type.ts';
import { printable } from '../formats/gguf.ts';
import { readModelFile } from '../model-file.ts';
import { type ImportanceMatrix, meansOf } from './importance-matrix.ts';
import { readImportanceMatrix } from './importance-reader.ts';
import type { QuantizeEvent, QuantizeInput, QuantizeResult } from './messages.ts';
import { encodeOverrides, type Override } from './metadata-overrides.ts';
import { bytesOfPlan, planQuantization } from './plan.ts';
import {
  refuseForeignImportance,
  refuseOtherFiles,
  refuseOverwriting,
  refuseRequantizing,
  refuseWithoutImportance,
  refuseWithoutSpace,
} from './refusals.ts';

/** How often the growing output is looked at. */
const progressMs = 250;

/**
 * Quantizes a GGUF model with llama.cpp's own quantizer; the output appears under its name when it is whole. Aborting the signal
 * gives up at once, but llama.cpp does not stop in the middle: the caller ends this process. What a killed process has left is
 * removed when the same output is written the next time.
 * Errors: those of `readModelFile` and `readImportanceMatrix`, `invalid-input` (no model, quantized already, no importance matrix
 * where one is needed, another model's), `unsupported-model`, `file-damaged`, `disk-full`, `cancelled`.
 */
export async function quantizeGguf(
  input: QuantizeInput,
  { signal, onEvent }: { signal?: AbortSignal; onEvent?: (event: QuantizeEvent) => void } = {},
): Promise<QuantizeResult> {
  const begin = performance.now();
  const { from, to, type, keepOutput, pure } = input;
  const file = await readModelFile(from);
  refuseOtherFiles(file);
  await refuseOverwriting(input, file);
  const importance = input.imatrix === null ? null : await readImportanceMatrix(input.imatrix);
  const plan = planQuantization(file, type, { hasImportance: importance !== null, keepOutput, pure });
  refuseRequantizing(file, plan, input);
  const withoutImportance =
    importance && input.imatrix ? refuseForeignImportance(file, plan, importance, input.imatrix) : 0;
  refuseWithoutImportance(plan, importance, input);
  await removeLeftovers(to);
  const expectedBytes = bytesOfPlan(file, plan);
  await refuseWithoutSpace(to, expectedBytes);
  signal?.throwIfAborted();

  const fallbacks = plan.filter(({ isFallback }) => isFallback).length;
  onEvent?.({ type: 'plan', bytes: expectedBytes, fallbacks });
  const temporary = temporaryBeside(to);
  try {
    using watch = watchProgress(temporary, expectedBytes, onEvent);
    void watch;
    await untilAborted(quantizeTo(temporary, input, importance), signal);
    await flush(temporary);
    await moveDurably(temporary, to);
  } catch (thrown) {
    // Windows keeps a file that is still written; it is removed the next time.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(thrown, to);
  }
  return {
    ...{ path: to, bytes: (await stat(to)).size, bytesBefore: file.bytes },
    ...{ tensors: plan.length, fallbacks, withoutImportance },
    seconds: (performance.now() - begin) / 1000,
  };
}

async function quantizeTo(
  path: string,
  { from, type, threads, keepOutput, pure, requantize, imatrix }: QuantizeInput,
  importance: ImportanceMatrix | null,
): Promise<void> {
  const { done, complaints } = await openLlama().quantize(from, path, {
    nthread: threads ?? availableParallelism(),
    ftype: fileTypeNumber(type),
    allow_requantize: requantize,
    quantize_output_tensor: !keepOutput,
    pure,
    imatrix: importance && [...importance.entries].map(([name, entry]) => ({ name, data: meansOf(entry) })),
    kv_overrides: importance && encodeOverrides(provenance(basename(imatrix ?? ''), importance)),
  });
  if (!done) throw failure(from, complaints);
}

/** As llama.cpp's own tool notes what a file was quantized with. */
function provenance(file: string, { entries, datasets: [dataset], chunks }: ImportanceMatrix): Override[] {
  return [
    ['quantize.imatrix.file', file],
    ...(dataset === undefined ? [] : [['quantize.imatrix.dataset', basename(dataset)] satisfies Override]),
    ['quantize.imatrix.entries_count', entries.size],
    ...(chunks === 0 ? [] : [['quantize.imatrix.chunks_count', chunks] satisfies Override]),
  ];
}

/** llama.cpp's last words, as an error. */
function failure(from: string, complaints: readonly string[]): PunaError {
  const words = printable(complaints.at(-1) ?? 'it gave no reason')
    .replace(/^llama_model_quantize: failed to quantize: /, '')
    .trim();
  if (/iostream|ios_base|basic_ios/.test(words)) {
    return new PunaError(
      'disk-full',
      'The quantized model could not be written: the disk is full, or gone.',
      'Free some space on that disk and try again.',
    );
  }
  const message = `llama.cpp could not quantize ${from}: ${words.replace(/\.$/, '')}.`;
  if (/unknown model architecture/.test(words))
    return new PunaError('unsupported-model', message, 'Update Puna, or choose another model.');
  return new PunaError('file-damaged', message, 'Get the file again, or convert the model anew.');
}

async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r+');
  await handle.sync();
}

/** Tells how much of the output is there: llama.cpp writes it tensor by tensor. */
function watchProgress(
  path: string,
  expectedBytes: number,
  onEvent: ((event: QuantizeEvent) => void) | undefined,
): Disposable {
  let told = 0;
  const timer = setInterval(() => {
    void stat(path).then(
      ({ size }) => {
        const progress = Math.min(1, size / expectedBytes);
        if (progress > told) onEvent?.({ type: 'progress', progress });
        told = Math.max(told, progress);
      },
      () => undefined,
    );
  }, progressMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Waits for a promise or for the signal, whichever comes first. Errors: `cancelled`. */
async function untilAborted(running: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new PunaError('cancelled', 'Quantizing was stopped.'));
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    await Promise.race([running, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
