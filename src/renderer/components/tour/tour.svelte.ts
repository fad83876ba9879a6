import { toast } from 'svelte-sonner';
import { SvelteSet } from 'svelte/reactivity';
import type { TourState, TourStep } from '../../../shared/contract/index.ts';
import { failureText, type FailureWords, tellFailure } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { recall, remember } from '../../lib/remembered.ts';
import { currentRoute, goTo, type Route } from '../../lib/router.svelte.ts';
import { app } from '../../lib/stores/app.svelte.ts';
import { layout } from '../../lib/stores/layout.svelte.ts';
import { offerUndo } from '../../lib/undo.ts';
import { made } from './made.svelte.ts';
import { samples } from './samples.svelte.ts';
import type { Task } from './task.ts';
import { tasksOf } from './tasks.ts';

/** As in the contract (src/shared/contract/tour.ts); repeated here to keep the schemas out of the page. */
export const steps = ['chat', 'teach', 'compare', 'delta', 'model'] as const satisfies readonly TourStep[];

/** A walk through all that Puna does, in which a person does it. Where they are is a setting; what is done shows in what there is. */
class Tour {
  /** Whoever came here by keyboard goes on where the tour is. */
  takesFocus = $state(false);
  /** It shows as one line. */
  small = $state(recall('tour') === 'small');
  busy = $state(false);
  failure = $state.raw<FailureWords | null>(null);
  removing = $state(false);
  readonly #looked = new SvelteSet<Task['name']>();

  /** Where the person is; null where they are not on it, or it cannot be gone. */
  readonly step = $derived.by(() => {
    const state = app.settings?.tour;
    return samples.all ? (steps.find((step) => step === state) ?? null) : null;
  });
  readonly tasks = $derived(this.step && samples.all ? tasksOf[this.step](samples.all, this.#looked) : []);
  /** The next one to do. */
  readonly task = $derived(this.tasks.find(({ done }) => !done) ?? null);
  readonly at = $derived(steps.findIndex((step) => step === this.step));
  readonly isLast = $derived(this.at === steps.length - 1);
  /** To whoever has not been offered it yet, while they see the model that it is about. */
  readonly offered = $derived(app.settings?.tour === 'new' && samples.all !== null && samples.isInView);
  /** All that is done so far, of all that there is to do; the stations before count as gone through. */
  readonly share = $derived.by(() => {
    const done = this.tasks.filter((task) => task.done).length;
    return (Math.max(0, this.at) + done / Math.max(1, this.tasks.length)) / steps.length;
  });

  /** The page on which the last thing was done; null where there is nothing to see yet. */
  readonly place = $derived.by((): Route | null => {
    const { dataset, run, job, chats } = made;
    const chat = (conversation: { id: number } | null): Route | null =>
      conversation && { page: 'chat', conversationId: conversation.id };
    switch (this.step) {
      case 'chat':
        return chat(chats.first);
      case 'teach':
        if (run) return { page: 'teach', runId: run.id };
        return dataset && { page: 'teach', datasetId: dataset.id };
      case 'compare':
        return chat(chats.after) ?? (run && { page: 'teach', runId: run.id });
      case 'delta':
        return chat(chats.other) ?? (job && { page: 'weights' });
      case 'model':
        return { page: 'models', discover: true };
      case null:
        return null;
    }
  });

  /** Something else is in view. */
  readonly isElsewhere = $derived(
    this.place !== null && JSON.stringify(this.place) !== JSON.stringify(currentRoute()),
  );

  /** Begins it from the start; what an earlier one made stays and does not count. */
  begin(): void {
    made.beginAnew();
    this.#looked.clear();
    this.grow();
    goTo({ page: 'chat', conversationId: null });
    this.#go('chat');
  }

  goOn(): void {
    this.grow();
    if (this.place) goTo(this.place);
  }

  next(): void {
    this.#go(steps[this.at + 1] ?? 'done');
  }

  back(): void {
    const before = steps[this.at - 1];
    if (before) this.#go(before);
  }

  /** Also for whoever does not want to be asked. */
  leave(): void {
    const before = app.settings?.tour ?? 'new';
    this.#go('left');
    offerUndo(t('tour.left'), () => app.updateSettings({ tour: before }));
  }

  shrink(): void {
    this.small = true;
    remember('tour', 'small');
  }

  grow(): void {
    this.small = false;
    remember('tour', null);
    layout.closeDrawers();
  }

  /** Does what is next, for the person. What goes wrong is shown where the tour is. */
  async act(): Promise<void> {
    const { task } = this;
    if (!task || task.working || this.busy) return;
    this.busy = true;
    this.failure = null;
    try {
      await task.act();
    } catch (thrown) {
      this.failure = failureText(thrown);
    } finally {
      this.busy = false;
    }
  }

  /** Removes what it made. Never throws. */
  async removeMade(): Promise<void> {
    if (this.removing) return;
    this.removing = true;
    try {
      await made.remove();
      toast(t('tour.end.removed'));
    } catch (thrown) {
      tellFailure(thrown);
    } finally {
      this.removing = false;
    }
  }

  #go(state: TourState): void {
    this.failure = null;
    app.updateSettings({ tour: state }).catch(tellFailure);
  }
}

export const tour = new Tour();
