import type { LayerChange, WeightsJob, WeightsProgress, WeightsResult } from '../../shared/contract/index.ts';
import type { PunaError } from '../../shared/error.ts';
import { Live, type LiveOptions, Pace } from '../runs/index.ts';
import type { WeightsEvent } from '../weights/messages.ts';

/** Pieces come thousands of times a second; their speed is measured over at least so many milliseconds. */
const measuredFor = 200;

/** An operation that waits or is at work. */
export class LiveJob extends Live<WeightsJob> {
  readonly #now: () => number;
  readonly #pace: Pace;
  /** How far it was when its speed was last measured. */
  #measured: { phase: WeightsProgress['phase']; done: number; at: number } | null = null;

  constructor(job: WeightsJob, options: LiveOptions<WeightsJob>) {
    super(job, options);
    this.#now = options.now;
    this.#pace = new Pace(options.now);
  }

  /** Its turn has come. */
  begin(): void {
    const startedAt = this.value.startedAt ?? this.#now();
    this.change({ state: 'running', startedAt, endedAt: null, error: null, notes: [] });
  }

  /** What the engine tells. */
  apply(event: WeightsEvent): void {
    switch (event.type) {
      case 'progress': {
        const { phase, done, total } = event;
        const secondsLeft = this.#secondsLeft({ phase, done, total });
        return this.changeSoon({ progress: { phase, done, total }, secondsLeft });
      }
      case 'note':
        return this.change({ notes: [...this.value.notes, event.text] });
      case 'change':
        return this.changeSoon({ changes: withChange(this.value.changes, event) });
    }
  }

  /** It has made what it was to make. */
  succeed({
    result,
    modelId,
    notes,
    speaking,
  }: {
    result: WeightsResult;
    modelId: number | null;
    notes: string[];
    speaking: boolean;
  }): void {
    const { changes } = result;
    this.settle({ ...this.#ended('done'), result, modelId, notes, changes, speaking });
  }

  /** It was stopped, or failed. */
  end(state: 'stopped' | 'failed', error: PunaError | null = null): void {
    this.settle({
      ...this.#ended(state),
      error: error && { code: error.code, message: error.message, remedy: error.remedy },
    });
  }

  /** What the model said first, if anything. */
  say(firstWords: string | null): void {
    this.change({ firstWords, speaking: false });
  }

  #ended(state: WeightsJob['state']): Partial<WeightsJob> {
    return { state, progress: null, secondsLeft: null, endedAt: this.#now() };
  }

  /** By the speed of the phase that it is in; null while that is not known. */
  #secondsLeft({ phase, done, total }: WeightsProgress): number | null {
    const now = this.#now();
    const last = this.#measured;
    if (last?.phase !== phase || done < last.done) {
      this.#pace.begin();
      this.#measured = { phase, done, at: now };
    } else if (now - last.at >= measuredFor) {
      this.#pace.mark(done - last.done);
      this.#measured = { phase, done, at: now };
    }
    return this.#pace.secondsFor(total - done);
  }
}

/** In the order of the layers, what lies outside of them last. */
function withChange(changes: readonly LayerChange[], { layer, change }: LayerChange): LayerChange[] {
  const order = (one: LayerChange) => one.layer ?? Infinity;
  const others = changes.filter((other) => other.layer !== layer);
  return [...others, { layer, change }].sort((one, other) => order(one) - order(other) || 0);
}
