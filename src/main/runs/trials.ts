import type { Pair, TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background } from '../chat/index.ts';
import { databaseError } from '../history/index.ts';
import type { Library } from '../library/index.ts';
import { stepOfResult } from '../../shared/result-of-run.ts';
import { withHope, withoutHope } from './history.ts';
import { makePairs } from './pairs.ts';
import { trialPrompts } from './prompts.ts';
import { Sampler } from './sampler.ts';

export interface TrialsOptions {
  background: Pick<Background, 'reply'>;
  library: Pick<Library, 'list'>;
  /** A run as it is now. Errors: `not-found`. */
  find: (id: number) => TrainingRun;
  /** Changes a run. Errors: `not-found`. */
  change: (id: number, patch: (run: TrainingRun) => Partial<TrainingRun>) => TrainingRun;
  /** It waits, or is being trained. */
  isAtWork: (id: number) => boolean;
}

/** What models are asked to see what they have learnt: samples while a run is at work, and pairs afterwards. */
export class Trials {
  readonly #options: TrialsOptions;
  readonly #samplers = new Map<number, Sampler>();
  readonly #pairMakers = new Map<number, AbortController>();

  constructor(options: TrialsOptions) {
    this.#options = options;
  }

  /** A run begins, or goes on: what was asked of it before no longer matters. */
  async begin(id: number): Promise<Sampler> {
    await this.stop(id);
    const { background, library, find, change } = this.#options;
    change(id, ({ samples }) => ({ samples: withHope(samples) }));
    const sampler = new Sampler({
      ...{ background, library, run: () => find(id) },
      change: (patch) => void change(id, patch),
    });
    this.#samplers.set(id, sampler);
    return sampler;
  }

  /** A run has ended: its prompts are answered once more by what it hands out, if that is anything. */
  finish(run: TrainingRun): void {
    const { id, adapterPath: path, adapterId } = run;
    if (adapterId === null) this.#options.change(id, ({ samples }) => ({ samples: withoutHope(samples) }));
    else this.#samplers.get(id)?.add({ step: stepOfResult(run), path, isCopy: false });
  }

  /**
   * Has base and taught answer so many more prompts; the pairs come one by one. Errors: `not-found`, `invalid-input` (nothing was
   * taught, the run is at work, there are no further prompts).
   */
  async makePairs(id: number, count: number): Promise<TrainingRun> {
    const { find, change, isAtWork } = this.#options;
    const run = find(id);
    if (this.#pairMakers.has(id)) return run;
    if (isAtWork(id) || run.adapterId === null) {
      const what = isAtWork(id) ? 'is not done yet' : 'has taught nothing';
      throw new PunaError('invalid-input', `This training run ${what}.`, 'Wait until a run is done.');
    }
    const controller = new AbortController();
    this.#pairMakers.set(id, controller);
    try {
      const prompts = await trialPrompts(run, count);
      if (prompts.length === 0) throw noFurtherPrompts();
      const begun = change(id, () => ({ pairsComing: prompts.length }));
      void this.#makePairs(begun, prompts, controller);
      return begun;
    } catch (thrown) {
      this.#pairMakers.delete(id);
      throw thrown;
    }
  }

  /** Keeps which answer a person likes better; null takes the choice back. Errors: `not-found`. */
  choosePair(id: number, index: number, choice: Pair['choice']): TrainingRun {
    const { find, change } = this.#options;
    if (!find(id).pairs[index]) {
      throw new PunaError('not-found', 'There is no such pair of answers.', 'Have some made first.');
    }
    return change(id, ({ pairs }) => ({
      pairs: pairs.map((pair, at) => (at === index ? { ...pair, choice } : pair)),
    }));
  }

  /** Ends what is asked of a run; resolves when that is over. */
  async stop(id: number): Promise<void> {
    this.#pairMakers.get(id)?.abort();
    await this.#samplers.get(id)?.stop();
    this.#samplers.delete(id);
  }

  async close(): Promise<void> {
    const ids = [...this.#samplers.keys(), ...this.#pairMakers.keys()];
    await Promise.all(ids.map((id) => this.stop(id)));
  }

  /** Never throws: why pairs are missing is noted with the run. */
  async #makePairs(
    run: TrainingRun,
    prompts: Awaited<ReturnType<typeof trialPrompts>>,
    { signal }: AbortController,
  ): Promise<void> {
    const { background, library, change } = this.#options;
    const { id } = run;
    try {
      await makePairs(run, prompts, {
        ...{ background, library, signal },
        onPair: (pair) =>
          void change(id, ({ pairs, pairsComing }) => ({
            ...{ pairs: [...pairs, pair], pairsComing: Math.max(0, pairsComing - 1) },
          })),
      });
    } catch (thrown) {
      // Whoever ended it knows; a run that was removed needs no note.
      if (signal.aborted) return;
      const note = `Pairs of answers are missing: ${PunaError.from(databaseError(thrown)).message}`;
      change(id, ({ notes }) => ({ pairsComing: 0, notes: [...notes.filter((one) => one !== note), note] }));
    } finally {
      this.#pairMakers.delete(id);
    }
  }
}

function noFurtherPrompts(): PunaError {
  return new PunaError(
    'invalid-input',
    'There are no further questions that base and adapter could answer.',
    'Compare them in a conversation, with a question of your own.',
  );
}
