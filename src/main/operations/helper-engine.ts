import { Engine, type LaunchEngine } from '../engine/index.ts';
import type { WeightsJobs } from '../weights/messages.ts';

/** How long the process stays for the next question, in milliseconds: a person looks at one file after the other. */
const idleFor = 30_000;

/** Answers short questions on weights beside the operation that is at work; its process ends when nobody asks any more. */
export class HelperEngine {
  readonly #engine: Engine<WeightsJobs>;
  #running = 0;
  #idle: NodeJS.Timeout | undefined;
  #stopping: Promise<void> = Promise.resolve();

  constructor(launch: LaunchEngine) {
    this.#engine = new Engine<WeightsJobs>({ entry: 'weights-engine', launch });
  }

  /** Errors: those of the job, `engine-died`. */
  async run<Kind extends 'recognise' | 'plan' | 'discard'>(
    kind: Kind,
    input: WeightsJobs[Kind]['input'],
  ): Promise<WeightsJobs[Kind]['result']> {
    clearTimeout(this.#idle);
    this.#running++;
    try {
      await this.#stopping;
      return await this.#engine.run(kind, input);
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
