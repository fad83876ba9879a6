import { LayerChanges } from '../delta/changes.ts';
import type { WeightsOperation } from '../messages.ts';
import { openModelSource } from '../sources/open.ts';
import { nameOf } from './paths.ts';
import type { Prepared } from './prepared.ts';

export async function prepareConvert(
  { from }: Extract<WeightsOperation, { kind: 'convert' }>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const source = opened.use(await openModelSource(from));
  return {
    ...{ source, notes: source.notes ?? [], changes: new LayerChanges(), keepsName: true },
    prove: () => ({
      kind: 'exact',
      text: 'Every weight is that of the original, rounded once where the type is another.',
    }),
    madeFrom: { operation: 'conversion', inputs: { original: nameOf(from) } },
  };
}
