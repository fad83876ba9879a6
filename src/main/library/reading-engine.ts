import { HelperEngine, type LaunchEngine } from '../engine/index.ts';
import type { WeightsJobs } from '../weights/messages.ts';
import type { Reader } from './take-in.ts';
import type { Hasher } from './verify.ts';

/** Reads files for the library in a process of its own: files come from strangers, and thousands of them take a while. */
export class ReadingEngine implements Reader, Hasher {
  readonly #helper: HelperEngine<WeightsJobs>;

  constructor(launch: LaunchEngine) {
    this.#helper = new HelperEngine({ entry: 'weights-engine', launch });
  }

  facts(path: string, signal: AbortSignal) {
    return this.#helper.run('facts', { path }, { signal });
  }

  recognise(path: string, signal: AbortSignal) {
    return this.#helper.run('recognise', { path }, { signal });
  }

  hash(path: string, signal: AbortSignal, onProgress: (bytes: number) => void) {
    return this.#helper.run('hash', { path }, { signal, onEvent: ({ bytes }) => onProgress(bytes) });
  }

  close(): Promise<void> {
    return this.#helper.close();
  }
}
