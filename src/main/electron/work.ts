import { createRouterClient } from '@orpc/server';
import type { BrowserWindow, Notification, NotificationConstructorOptions } from 'electron';
import type { Dataset, PunaEvent, TrainingRun } from '../../shared/contract/index.ts';
import type { AppRouter } from '../rpc/router.ts';
import type { Words } from './words.ts';

/** The few things that the desktop is asked for. */
export interface Desktop {
  window: () => Pick<BrowserWindow, 'setProgressBar' | 'isFocused'> | undefined;
  createNotification: (options: NotificationConstructorOptions) => Pick<Notification, 'on' | 'show'>;
  /** Brings the window to the front, or opens one. */
  show: () => void;
  words: () => Words;
}

/** How Electron calls no bar at all, and one that only says that something is done. */
const [noBar, endlessBar] = [-1, 2];

/**
 * Shows on the desktop what takes its time: how far training is, or the making of a dataset, and when a run has ended while the
 * person was elsewhere. Resolves when events are heard; the signal ends that.
 */
export async function followWork(router: AppRouter, desktop: Desktop, signal: AbortSignal): Promise<void> {
  const events = await createRouterClient(router).system.events(undefined, { signal });
  const board = new WorkBoard(desktop);
  const follow = async () => {
    for await (const event of events) board.apply(event);
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) console.error(error);
  });
}

/** What is at work, as far as events have told. */
export class WorkBoard {
  readonly #desktop: Desktop;
  /** How far each is, as Electron counts it. */
  readonly #runs = new Map<number, number>();
  readonly #datasets = new Map<number, number>();
  #shown = noBar;
  /** What nobody holds is collected, and hears no click. */
  readonly #notifications = new Set<object>();

  constructor(desktop: Desktop) {
    this.#desktop = desktop;
  }

  apply(event: PunaEvent): void {
    switch (event.type) {
      case 'training': {
        const { run } = event;
        const wasAtWork = this.#runs.has(run.id);
        put(this.#runs, run.id, shareOfRun(run));
        if (wasAtWork && (run.state === 'done' || run.state === 'failed')) this.#tellEnd(run);
        break;
      }
      case 'training-removed':
        this.#runs.delete(event.runId);
        break;
      case 'dataset':
        put(this.#datasets, event.dataset.id, shareOfDataset(event.dataset));
        break;
      case 'dataset-removed':
        this.#datasets.delete(event.datasetId);
        break;
      default:
        return;
    }
    this.#showBar();
  }

  #showBar(): void {
    const [share = noBar] = [...this.#runs.values(), ...this.#datasets.values()];
    if (share === this.#shown) return;
    this.#shown = share;
    this.#desktop.window()?.setProgressBar(share);
  }

  #tellEnd({ state, name, modelName, error }: TrainingRun): void {
    const { window, words, createNotification, show } = this.#desktop;
    if (window()?.isFocused()) return;
    const { trainingDone, trainingFailed } = words();
    const whose = name || modelName;
    const notification = createNotification({
      title: state === 'done' ? trainingDone : trainingFailed,
      body: error ? `${whose}: ${error.message}` : whose,
    });
    this.#notifications.add(notification);
    const forget = () => void this.#notifications.delete(notification);
    notification.on('close', forget);
    notification.on('click', () => {
      forget();
      show();
    });
    notification.show();
  }
}

function put(shares: Map<number, number>, id: number, share: number | null): void {
  if (share === null) shares.delete(id);
  else shares.set(id, share);
}

/** Null: it is not at work. */
function shareOfRun({ state, plan, step }: TrainingRun): number | null {
  if (state === 'preparing') return endlessBar;
  if (state !== 'running' && state !== 'paused') return null;
  return plan && plan.steps > 0 ? (step?.step ?? plan.doneSteps) / plan.steps : endlessBar;
}

function shareOfDataset({ state, progress }: Dataset): number | null {
  return state === 'working' ? (progress?.share ?? endlessBar) : null;
}
