import { rm } from 'node:fs/promises';
import type { Sample, TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background } from '../chat/index.ts';
import { databaseError } from '../history/index.ts';
import type { Library } from '../library/index.ts';
import { withoutHope, withReply } from './history.ts';
import { baseOf, question, type Speaker, taughtBy } from './speakers.ts';

/** As long as such a reply gets, in tokens: enough to see what changes, and soon there. */
const longestReply = 160;

/** What a run has taught so far. */
export interface Snapshot {
  step: number;
  path: string;
  /** It is there only to be asked, and goes then. */
  isCopy: boolean;
}

export interface SamplerOptions {
  background: Pick<Background, 'reply'>;
  library: Pick<Library, 'list'>;
  /** The run as it is now. */
  run: () => TrainingRun;
  change: (patch: (run: TrainingRun) => Partial<TrainingRun>) => void;
}

/** Has a model answer a person's prompts while it is taught. Training never waits for that, and never fails by it. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #controller = new AbortController();
  /** The newest one, which has not been asked yet. */
  #next: Snapshot | null = null;
  #working: Promise<void> = Promise.resolve();
  #busy = false;
  /** There is no room for the model beside training. */
  #crowded = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Has it answer as soon as there is time; one that has not begun by then makes way for a newer one. */
  add(snapshot: Snapshot): void {
    const isVain = this.#controller.signal.aborted || (snapshot.isCopy && this.#crowded);
    const replaced = isVain ? snapshot : this.#next;
    if (!isVain) this.#next = snapshot;
    if (replaced) void discard(replaced);
    if (this.#next && !this.#busy) this.#working = this.#work();
  }

  /** Ends it; resolves when nothing is asked any more, and no copy is left. */
  async stop(): Promise<void> {
    this.#controller.abort();
    const next = this.#take();
    if (next) await discard(next);
    await this.#working;
  }

  /** Never throws. */
  async #work(): Promise<void> {
    this.#busy = true;
    for (let snapshot = this.#take(); snapshot; snapshot = this.#take()) {
      await this.#ask(snapshot).catch((thrown: unknown) => {
        this.#fail(PunaError.from(databaseError(thrown)));
      });
      await discard(snapshot);
    }
    this.#busy = false;
  }

  #take(): Snapshot | null {
    const next = this.#next;
    this.#next = null;
    return next;
  }

  async #ask({ step, path }: Snapshot): Promise<void> {
    const { library } = this.#options;
    const run = this.#options.run();
    if (run.samples.length === 0) return;
    const base = await baseOf(run, library);
    const taught = await taughtBy(run, path, library);
    for (const { prompt } of run.samples.filter((sample) => sample.base === null)) {
      await this.#askFor(prompt, base, (text) => ({ base: text }));
    }
    for (const { prompt } of run.samples) {
      await this.#askFor(prompt, taught, (text, { replies }) => ({
        replies: withReply(replies, { step, text }),
      }));
    }
  }

  /** A prompt that cannot be answered, such as one that is too long, keeps none of the others from it. */
  async #askFor(
    prompt: string,
    speaker: Speaker,
    patch: (text: string, sample: Sample) => Partial<Sample>,
  ): Promise<void> {
    const request = question(speaker, { prompt }, longestReply);
    try {
      const text = await this.#options.background.reply(request, this.#controller.signal);
      this.#changeSample(prompt, (sample) => patch(text, sample));
    } catch (thrown) {
      const error = PunaError.from(thrown);
      if (error.code !== 'invalid-input') throw thrown;
      this.#note(error);
      this.#changeSample(prompt, () => ({ missing: true }));
    }
  }

  #changeSample(prompt: string, patch: (sample: Sample) => Partial<Sample>): void {
    this.#options.change(({ samples }) => ({
      samples: samples.map((sample) => (sample.prompt === prompt ? { ...sample, ...patch(sample) } : sample)),
    }));
  }

  /** No failure: what is taught is worth more than a look at it. */
  #fail(error: PunaError): void {
    if (this.#controller.signal.aborted) return;
    if (error.code === 'out-of-memory') this.#crowded = true;
    this.#note(error);
    this.#options.change(({ samples }) => ({ samples: withoutHope(samples) }));
  }

  /** The same once. */
  #note({ message }: PunaError): void {
    const note = `Sample replies are missing: ${message}`;
    this.#options.change(({ notes }) => (notes.includes(note) ? {} : { notes: [...notes, note] }));
  }
}

async function discard({ isCopy, path }: Snapshot): Promise<void> {
  // What stays all the same goes with the next start.
  if (isCopy) await rm(path, { force: true }).catch(console.error);
}
