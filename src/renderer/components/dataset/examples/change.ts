import { toast } from 'svelte-sonner';
import type { Dataset, ExampleChoice, ExampleRow } from '../../../../shared/contract/index.ts';
import { tellFailure } from '../../../lib/failure.ts';
import { whole } from '../../../lib/figures.ts';
import { t } from '../../../lib/i18n.svelte.ts';
import { app } from '../../../lib/stores/app.svelte.ts';
import { offerUndo } from '../../../lib/undo.ts';

/** What can be done with examples in a row. */
export const changes = {
  exclude: { patch: { excluded: true }, undo: { excluded: false }, done: 'excluded' },
  include: { patch: { excluded: false }, undo: { excluded: true }, done: 'included' },
  toValidation: { patch: { validation: true }, undo: { validation: false }, done: 'movedToValidation' },
  toLearnt: { patch: { validation: false }, undo: { validation: true }, done: 'movedToLearnt' },
} as const;
export type Change = keyof typeof changes;

/** Whether it would change that example. */
export function wouldChange(change: Change, { excluded, validation }: ExampleRow): boolean {
  return { exclude: !excluded, include: excluded, toValidation: !validation, toLearnt: validation }[change];
}

/**
 * Changes examples and says so. Those that were chosen one by one can be undone; of all that a filter finds, nobody knows any
 * more how each has been.
 */
export async function changeExamples(
  datasetId: number,
  change: Change,
  { choice, count }: { choice: ExampleChoice; count: number },
): Promise<void> {
  const { patch, undo, done } = changes[change];
  const apply = async (how: { excluded?: boolean; validation?: boolean }): Promise<Dataset> => {
    const dataset = await app.client.datasets.change({ datasetId, choice, ...how });
    app.datasets.put(dataset);
    return dataset;
  };
  try {
    await apply(patch);
    const said = t(`datasets.examples.${done}`, { count, number: whole(count) });
    if ('ids' in choice) offerUndo(said, () => apply(undo));
    else toast(said);
  } catch (thrown) {
    tellFailure(thrown);
  }
}
