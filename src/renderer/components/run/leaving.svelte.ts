import { SvelteSet } from 'svelte/reactivity';
import type { TrainingRun } from '../../../shared/contract/index.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { doUnlessUndone } from '../../lib/undo.ts';
import { titleOf } from './words.ts';

/** Runs that are about to be deleted, while that can still be undone. */
export const leavingRuns = new SvelteSet<number>();

/** Only in the end: what a run has learnt leaves the disk with it. */
export function deleteRun(run: TrainingRun): void {
  const { id: runId } = run;
  leavingRuns.add(runId);
  const back = (): void => void leavingRuns.delete(runId);
  doUnlessUndone(t('runs.deleted', { name: titleOf(run) }), {
    really: () => app.client.training.remove({ runId }).finally(back),
    undo: back,
  });
}
