import { peakMemoryBytes } from '../../engine/peak-memory.ts';
import { discardSpool } from '../delta/make.ts';
import type { WeightsEvent, WeightsOperation, WeightsPlan, WeightsResult } from '../messages.ts';
import { folderOrFileBytes } from './bytes.ts';
import {
  begunOutputBytes,
  discardOutput,
  freeBytes,
  outputSize,
  refuseExisting,
  refuseWithoutSpace,
  writeOutput,
} from './output.ts';
import { spoolOf } from './prepare-delta.ts';
import type { Prepared } from './prepared.ts';
import { signatureOf } from './signature.ts';
import { isGoneOnWith } from './failure.ts';

/** How an operation is stopped, and whom it tells how it goes. */
export interface RunOptions {
  signal: AbortSignal;
  emit: (event: WeightsEvent) => void;
}

type Prepare = (opened: AsyncDisposableStack) => Promise<Prepared>;
/** Those that write a model tensor by tensor. */
export type ModelOperation = Exclude<
  WeightsOperation,
  { kind: 'quantize' | 'adapter-convert' | 'adapter-extract' }
>;

/** Bytes in a second that an ordinary disk reads, and Puna computes and writes; what runs tells its own pace. */
export const usualBytesPerSecond = 300e6;

export async function planOperation(operation: ModelOperation, prepare: Prepare): Promise<WeightsPlan> {
  await using opened = new AsyncDisposableStack();
  const prepared = await prepare(opened);
  const size = await outputSize(prepared, wishOf(operation));
  return {
    ...{ bytes: size.bytes, neededBytes: size.neededBytes, freeBytes: await freeBytes(operation.out) },
    seconds: size.neededBytes / usualBytesPerSecond,
    begunBytes: (await begunOutputBytes(operation.out)) ?? 0,
    notes: [...prepared.notes, ...size.notes],
  };
}

export async function runPrepared(
  operation: ModelOperation,
  prepare: Prepare,
  { signal, emit }: RunOptions,
): Promise<WeightsResult> {
  const startedAt = performance.now();
  const { out } = operation;
  await refuseExisting(out);
  await using opened = new AsyncDisposableStack();
  const prepared = await prepare(opened);
  const wish = wishOf(operation);
  await refuseWithoutSpace(wish, await outputSize(prepared, wish));
  for (const text of prepared.notes) emit({ type: 'note', text });
  try {
    const { said, notes } = await writeOutput(prepared, wish, {
      signature: await signatureOf(operation, prepared),
      signal,
      onProgress: (progress) => emit({ type: 'progress', ...progress }),
    });
    const changes = prepared.changes(said);
    for (const change of changes) emit({ type: 'change', ...change });
    await discardSpool(spoolOf(out));
    return {
      ...{ out, bytes: await folderOrFileBytes(out), changes, proof: prepared.prove(said) },
      seconds: (performance.now() - startedAt) / 1000,
      notes: [...prepared.notes, ...notes],
      peakMemoryBytes: peakMemoryBytes(),
    };
  } catch (thrown) {
    if (!isGoneOnWith(thrown)) {
      await discardOutput(out);
      await discardSpool(spoolOf(out));
    }
    throw thrown;
  }
}

function wishOf(operation: ModelOperation): { out: string; type: string | null } {
  return { out: operation.out, type: 'type' in operation ? operation.type : null };
}
