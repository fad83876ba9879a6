import type { TrainingRun, TrainingState } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import type { TrainingEvent } from '../training/messages.ts';
import { hasCheckpoint } from './adapter-files.ts';
import { upTo, withLoss, withValidation } from './history.ts';
import { Live, type LiveOptions } from './live.ts';
import { Pace } from './pace.ts';

/** A training run that waits or is at work. */
export class LiveRun extends Live<TrainingRun> {
  readonly #now: () => number;
  readonly #pace: Pace;
  /** Since when it is held; null: it is not. */
  #heldAt: number | null = null;

  constructor(run: TrainingRun, options: LiveOptions<TrainingRun>) {
    super(run, options);
    this.#now = options.now;
    this.#pace = new Pace(options.now);
  }

  get paused(): boolean {
    return this.value.state === 'paused';
  }

  /** Its turn has come. */
  begin(): void {
    const { startedAt, endedAt } = this.value;
    const worked = startedAt === null || endedAt === null ? 0 : endedAt - startedAt;
    this.change({ state: 'preparing', startedAt: this.#now() - worked, endedAt: null, error: null });
  }

  /** The engine begins, or begins once more. */
  prepare(): void {
    this.change({ ...(!this.paused && { state: 'preparing' }), progress: 0, plan: null, notes: [] });
  }

  /** Holds it, or lets it go on. */
  hold(paused: boolean): void {
    this.#pace.begin();
    const startedAt = this.#startedAt();
    this.#heldAt = paused ? this.#now() : null;
    this.change({
      startedAt,
      state: paused ? 'paused' : this.value.plan ? 'running' : 'preparing',
      secondsLeft: null,
    });
  }

  /** What the engine tells. */
  apply(event: Exclude<TrainingEvent, { type: 'snapshot' }>): void {
    switch (event.type) {
      case 'loading':
        return this.changeSoon({ progress: Math.min(1, event.progress) });
      case 'note':
        return this.change({ notes: [...this.value.notes, event.text] });
      case 'plan': {
        const { type, ...plan } = event;
        void type;
        this.#pace.begin();
        const state = this.paused ? 'paused' : 'running';
        return this.change({ state, plan, progress: null, ...upTo(plan.doneSteps, this.value) });
      }
      case 'step':
        return this.#applyStep(event);
      case 'validation': {
        const { step, validationLoss: loss, best } = event;
        // An infinite one cannot be told, and says nothing that the next step does not.
        if (!Number.isFinite(loss)) return;
        return this.changeSoon({
          validations: withValidation(
            this.value.validations,
            { step, loss, best },
            this.value.settings.evaluateEvery,
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
      adapterId = this.value.adapterId,
    }: { error?: PunaError | null; adapterId?: number | null } = {},
  ): void {
    const { adapterPath } = this.value;
    // One that never had its turn has not been at work since.
    const endedAt = this.waiting ? (this.value.endedAt ?? this.#now()) : this.#now();
    this.settle({
      ...{ state, startedAt: this.#startedAt(), adapterId, progress: null, secondsLeft: null, endedAt },
      error: error && { code: error.code, message: error.message, remedy: error.remedy },
      hasCheckpoint: hasCheckpoint({ state, adapterPath }),
    });
  }

  /** What it is held for does not count. */
  #startedAt(): number | null {
    const { startedAt } = this.value;
    return startedAt === null || this.#heldAt === null ? startedAt : startedAt + this.#now() - this.#heldAt;
  }

  #applyStep(event: Extract<TrainingEvent, { type: 'step' }>): void {
    const { type, ...step } = event;
    void type;
    this.#pace.mark();
    const steps = this.value.plan?.steps ?? step.step;
    this.changeSoon({
      step,
      losses: withLoss(this.value.losses, { step: step.step, loss: step.loss }),
      secondsLeft: this.paused ? null : this.#pace.secondsFor(steps - step.step),
    });
  }
}
