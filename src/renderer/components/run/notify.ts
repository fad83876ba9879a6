import type { TrainingRun, TrainingState } from '../../../shared/contract/index.ts';
import { wordsOf } from '../../lib/failure.ts';
import { t } from '../../lib/i18n.svelte.ts';
import { goTo } from '../../lib/router.svelte.ts';
import { isActive } from './progress.ts';
import { titleOf } from './words.ts';

/** The desktop shell tells the end of a run by itself, and has no need of the page for it. */
const byPage = (): boolean => window.puna === undefined && 'Notification' in window;

/** Asks whether the end of a run may be told; browsers want a click for that, so this is called by one. */
export function askToNotify(): void {
  if (byPage() && Notification.permission === 'default') void Notification.requestPermission();
}

/** Sees runs end, and tells whoever looks at something else meanwhile. */
export class EndTeller {
  #states = new Map<number, TrainingState>();

  /** Takes in the runs as they are now. */
  see(runs: readonly TrainingRun[]): void {
    for (const run of runs) {
      const before = this.#states.get(run.id);
      const ended = before !== undefined && isActive({ state: before }) && !isActive(run);
      // Who has stopped it knows.
      if (ended && run.state !== 'stopped' && document.hidden) tellEnd(run);
    }
    this.#states = new Map(runs.map(({ id, state }) => [id, state]));
  }
}

function tellEnd(run: TrainingRun): void {
  if (!byPage() || Notification.permission !== 'granted') return;
  const done = run.state === 'done';
  const notification = new Notification(
    t(done ? 'runs.notifyDone' : 'runs.notifyFailed', { name: titleOf(run) }),
    {
      body: done ? t('runs.notifyTalk') : run.error ? wordsOf(run.error).sentence : '',
      tag: `puna-run-${run.id}`,
    },
  );
  notification.addEventListener('click', () => {
    window.focus();
    goTo({ page: 'teach', runId: run.id });
    notification.close();
  });
}
