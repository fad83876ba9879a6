import { existsSync } from 'node:fs';
import type { TrainingRun, TrainingState } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import { checkpointPath, type TrainingEvent } from '../training/messages.ts';
import { upTo, withLoss, withValidation } from './history.ts';
import { Pace } from './pace.ts';

/** How often windows are told of steps, in milliseconds. */
const tellEvery = 250;
/** How often steps are saved, in milliseconds; what a power cut takes is lost to the chart, not to the run. */
const saveEvery = 5_000;

export interface LiveRunOptions {
  save: (run: TrainingRun) => void;
  tell: (run: TrainingRun) => void;
  /** ms since 1970 */
  now: () => number;
}

/** A run that waits or is at work, as it changes from moment to moment. */
export class LiveRun {
  /** Aborted when it is to stop. */
  readonly controller = new AbortController();
  readonly #options: LiveRunOptions;
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #pace: Pace;
  #run: TrainingRun;
  #telling: NodeJS.Timeout | null = null;
  #savedAt = 0;

  constructor(run: TrainingRun, options: LiveRunOptions) {
    this.#run = run;
    this.#options = options;
    this.#pace = new Pace(options.now);
  }

  get run(): TrainingRun {
    return this.#run;
  }

  get paused(): boolean {
    return this.#run.state === 'paused';
  }

  /** Resolves when it is neither waiting nor at work any more. */
  get ended(): Promise<undefined> {
    return this.#ended.promise;
  }

  /** Changes it, saves that, and tells it at once. */
  change(patch: Partial<TrainingRun>): void {
    this.#run = { ...this.#run, ...patch };
    this.#save();
    this.#tell();
  }

  /** Its turn has come. */
  begin(): void {
    const startedAt = this.#run.startedAt ?? this.#options.now();
    this.change({ state: 'preparing', startedAt, endedAt: null, error: null });
  }

  /** The engine begins, or begins once more. */
  prepare(): void {
    this.change({ ...(!this.paused && { state: 'preparing' }), progress: 0, plan: null, notes: [] });
  }

  /** Holds it, or lets it go on. */
  hold(paused: boolean): void {
    this.#pace.begin();
    this.change({ state: paused ? 'paused' : this.#run.plan ? 'running' : 'preparing', secondsLeft: null });
  }

  /** What the engine tells. */
  apply(event: TrainingEvent): void {
    switch (event.type) {
      case 'loading':
        return this.#changeSoon({ progress: Math.min(1, event.progress) });
      case 'note':
        return this.change({ notes: [...this.#run.notes, event.text] });
      case 'plan': {
        const { type, ...plan } = event;
        void type;
        this.#pace.begin();
        const state = this.paused ? 'paused' : 'running';
        return this.change({ state, plan, progress: null, ...upTo(plan.doneSteps, this.#run) });
      }
      case 'step':
        return this.#applyStep(event);
      case 'validation': {
        const { step, validationLoss: loss, best } = event;
        // An infinite one cannot be told, and says nothing that the next step does not.
        if (!Number.isFinite(loss)) return;
        return this.#changeSoon({
          validations: withValidation(
            this.#run.validations,
            { step, loss, best },
            this.#run.settings.evaluateEvery,
          ),
        });
      }
    }
  }

  /** How it ended. */
  end(
    state: TrainingState,
    {
      error = null,
      adapterId = this.#run.adapterId,
    }: { error?: PunaError | null; adapterId?: number | null } = {},
  ): void {
    const { adapterPath } = this.#run;
    this.change({
      ...{ state, adapterId, progress: null, secondsLeft: null, endedAt: this.#options.now() },
      error: error && { code: error.code, message: error.message, remedy: error.remedy },
      hasCheckpoint: existsSync(checkpointPath(adapterPath)),
    });
    this.#ended.resolve(undefined);
  }

  #applyStep(event: Extract<TrainingEvent, { type: 'step' }>): void {
    const { type, ...step } = event;
    void type;
    this.#pace.mark();
    const steps = this.#run.plan?.steps ?? step.step;
    this.#changeSoon({
      step,
      losses: withLoss(this.#run.losses, { step: step.step, loss: step.loss }),
      secondsLeft: this.paused ? null : this.#pace.secondsFor(steps - step.step),
    });
  }

  /** Changes it, and tells and saves that with what follows within a moment. */
  #changeSoon(patch: Partial<TrainingRun>): void {
    this.#run = { ...this.#run, ...patch };
    this.#telling ??= setTimeout(() => this.#tell(), tellEvery);
    if (this.#options.now() - this.#savedAt >= saveEvery) this.#save();
  }

  #save(): void {
    this.#savedAt = this.#options.now();
    this.#options.save(this.#run);
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    this.#options.tell(this.#run);
  }
}
