import type { WeightsOperation } from '../messages.ts';
import { openModelSource } from '../sources/open.ts';
import { nameOf } from './paths.ts';
import { noChanges, type Prepared } from './prepared.ts';

export async function prepareConvert(
  { from }: Extract<WeightsOperation, { kind: 'convert' }>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const source = opened.use(await openModelSource(from));
  return {
    ...{ source, notes: source.notes ?? [], changes: noChanges, keepsName: true },
    prove: () => ({
      kind: 'exact',
      text: 'Every weight is that of the original, rounded once where the type is another.',
    }),
    madeFrom: { operation: 'conversion', inputs: { original: nameOf(from) } },
  };
}
