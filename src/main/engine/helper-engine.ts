import { PunaError } from '../../shared/error.ts';
import { Engine, type EngineOptions, type RunOptions } from './engine.ts';
import type { JobTable } from './messages.ts';

/** How long the process stays for the next question, in milliseconds: a person looks at one thing after the other. */
const idleFor = 30_000;

/** An engine for short questions; its process ends when nobody asks any more. */
export class HelperEngine<Jobs extends JobTable> {
  readonly #engine: Engine<Jobs>;
  #running = 0;
  #idle: NodeJS.Timeout | undefined;
  #stopping: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.#engine = new Engine<Jobs>(options);
  }

  /** Errors: those of the job, `engine-died`, `cancelled` (it was stopped or closed). */
  async run<Kind extends keyof Jobs & string>(
    kind: Kind,
    input: Jobs[Kind]['input'],
    options: RunOptions<Jobs[Kind]['event']> = {},
  ): Promise<Jobs[Kind]['result']> {
    clearTimeout(this.#idle);
    this.#running++;
    try {
      await this.#stopping;
      if (this.#isClosed) throw new PunaError('cancelled', 'Puna is closing.');
      return await this.#engine.run(kind, input, options);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#idle = setTimeout(() => void this.stop(), idleFor).unref();
    }
  }

  /** Ends the process; questions that are not answered yet fail with `cancelled`. */
  stop(): Promise<void> {
    clearTimeout(this.#idle);
    this.#stopping = this.#engine.stop();
    return this.#stopping;
  }

  /** The same, for good: whoever waits for an earlier answer to ask the next question starts no process any more. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.stop();
  }
}
