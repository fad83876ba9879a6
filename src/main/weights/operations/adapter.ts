import { PunaError } from '../../../shared/error.ts';
import type { WeightsOperation, WeightsPlan, WeightsResult } from '../messages.ts';
import type { Prepared } from './prepared.ts';
import type { RunOptions } from './run.ts';

type AdapterOperation = Extract<WeightsOperation, { kind: 'adapter-convert' | 'adapter-extract' }>;

export async function prepareAdapterMerge(
  operation: Extract<WeightsOperation, { kind: 'adapter-merge' }>,
  _opened: AsyncDisposableStack,
): Promise<Prepared> {
  throw new PunaError('internal', `${operation.kind} is not there yet.`);
}

export async function planAdapter(operation: AdapterOperation): Promise<WeightsPlan> {
  throw new PunaError('internal', `${operation.kind} is not there yet.`);
}

export async function runAdapter(operation: AdapterOperation, _options: RunOptions): Promise<WeightsResult> {
  throw new PunaError('internal', `${operation.kind} is not there yet.`);
}
