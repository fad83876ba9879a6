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

  constructor(options: EngineOptions) {
    this.#engine = new Engine<Jobs>(options);
  }

  /** Errors: those of the job, `engine-died`. */
  async run<Kind extends keyof Jobs & string>(
    kind: Kind,
    input: Jobs[Kind]['input'],
    options: RunOptions<Jobs[Kind]['event']> = {},
  ): Promise<Jobs[Kind]['result']> {
    clearTimeout(this.#idle);
    this.#running++;
    try {
      await this.#stopping;
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
}
