import { toast } from 'svelte-sonner';
import type { TrainingRun, TrainingSettings } from '../../../shared/contract/index.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { titleOf } from './words.ts';

/** What a run was ordered with, for the form that orders the next one. */
export interface Repeated {
  /** What the run is called. */
  title: string;
  modelId: number | null;
  settings: TrainingSettings;
  prompts: string[];
}

/** Settings that wait for a form to take them over. */
class Repeat {
  waiting = $state.raw<Repeated | null>(null);

  /** Fills the form of the dataset that the run learnt from; where that is gone, of whichever is opened next. */
  from(run: TrainingRun): void {
    this.waiting = {
      title: titleOf(run),
      modelId: app.chatModels.some(({ id }) => id === run.modelId) ? run.modelId : null,
      settings: run.settings,
      prompts: run.samples.map(({ prompt }) => prompt),
    };
    const dataset = run.datasets.find(({ id }) => id !== null && app.datasets.find(id));
    goTo(dataset?.id ? { page: 'teach', datasetId: dataset.id } : { page: 'teach' });
    if (!dataset) toast(t('runs.repeatWaits'));
  }

  /** Gives it to one form. */
  take(): Repeated | null {
    const taken = this.waiting;
    this.waiting = null;
    return taken;
  }
}

export const repeat = new Repeat();
