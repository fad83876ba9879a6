import { removeLeftovers } from '../../storage/index.ts';
import { discardSpool } from '../delta/make.ts';
import { isXorDelta } from '../delta/xor.ts';
import type { WeightsOperation, WeightsPlan, WeightsResult } from '../messages.ts';
import { planQuantizing, runQuantizing } from '../quantize/operation.ts';
import { discardExtraction, planAdapter, prepareAdapterMerge, runAdapter } from './adapter.ts';
import { type ModelOperation, planOperation, type RunOptions, runPrepared } from './run.ts';
import { discardXor, planXor, runXor } from './xor.ts';
import { discardOutput, refuseExisting } from './output.ts';
import { refuseInputAsOutput } from './paths.ts';
import { prepareConvert } from './prepare-convert.ts';
import { prepareDeltaApply, prepareDeltaMake, spoolOf } from './prepare-delta.ts';
import { prepareMerge, prepareRecipeFile } from './prepare-merge.ts';
import type { Prepared } from './prepared.ts';

/** Says what an operation will take and give. Errors: those of whatever it reads. */
export async function planWeights(operation: WeightsOperation): Promise<WeightsPlan> {
  await refuseInputAsOutput(operation);
  if (operation.kind === 'quantize') return planQuantizing(operation);
  if (operation.kind === 'adapter-convert' || operation.kind === 'adapter-extract')
    return planAdapter(operation);
  if (operation.kind === 'delta-apply' && (await isXorDelta(operation.base, operation.delta))) {
    return planXor(operation);
  }
  return planOperation(operation, (opened) => prepare(operation, opened));
}

/** Does an operation. Errors: those of whatever it reads and writes, `disk-full`, `cancelled`. */
export async function runWeights(operation: WeightsOperation, options: RunOptions): Promise<WeightsResult> {
  await refuseInputAsOutput(operation);
  if (operation.kind === 'quantize') {
    await refuseExisting(operation.out);
    return runQuantizing(operation, options);
  }
  if (operation.kind === 'adapter-convert' || operation.kind === 'adapter-extract') {
    return runAdapter(operation, options);
  }
  if (operation.kind === 'delta-apply' && (await isXorDelta(operation.base, operation.delta))) {
    return runXor(operation, options);
  }
  return runPrepared(operation, (opened) => prepare(operation, opened), options);
}

/** Removes what an operation that did not end has left. */
export async function discardWeights({ out }: WeightsOperation): Promise<void> {
  await discardOutput(out);
  await discardXor(out);
  await discardSpool(spoolOf(out));
  await removeLeftovers(out);
  await discardExtraction(out);
}

function prepare(operation: ModelOperation, opened: AsyncDisposableStack): Promise<Prepared> {
  switch (operation.kind) {
    case 'delta-apply':
      return prepareDeltaApply(operation, opened);
    case 'delta-make':
      return prepareDeltaMake(operation, opened);
    case 'merge':
      return prepareMerge(operation, opened);
    case 'recipe':
      return prepareRecipeFile(operation, opened);
    case 'convert':
      return prepareConvert(operation, opened);
    case 'adapter-merge':
      return prepareAdapterMerge(operation, opened);
  }
}
