import { createHash } from 'node:crypto';
import { bytesOf } from '../../src/main/weights/formats/tensor.ts';
import type { WeightsEvent, WeightsOperation, WeightsResult } from '../../src/main/weights/messages.ts';
import { runWeights } from '../../src/main/weights/operations/index.ts';
import { openModelSource } from '../../src/main/weights/sources/open.ts';

/** Runs an operation on weights in this process. */
export function runHere(
  operation: WeightsOperation,
  { signal = new AbortController().signal, emit = () => undefined }: Partial<RunHereOptions> = {},
): Promise<WeightsResult> {
  return runWeights(operation, { signal, emit });
}

interface RunHereOptions {
  signal: AbortSignal;
  emit: (event: WeightsEvent) => void;
}

/** SHA-256 of every tensor of a model as Hugging Face has it, by name. */
export async function tensorHashes(path: string): Promise<Record<string, string>> {
  await using source = await openModelSource(path);
  const hashes: [string, string][] = [];
  for (const [name, tensor] of source.tensors) {
    const bytes = new Uint8Array(bytesOf(tensor));
    await tensor.read(bytes, 0);
    hashes.push([name, createHash('sha256').update(bytes).digest('hex')]);
  }
  return Object.fromEntries(hashes.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
