import type { Model } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { MemoryRival } from '../chat/index.ts';

/** What is known of the memory that training and the chat model share: who holds it, and what does not fit beside. */
export class MemoryShare implements MemoryRival {
  #run: { limit: number | null; taken: number } | null = null;
  /** The model that made room. */
  #displaced: Model | null = null;

  /** A run begins. `limit`: what it may take together with a chat model, in bytes. */
  begin(limit: number | null): void {
    this.#run = { limit, taken: 0 };
  }

  /** The run takes that many bytes. */
  take(bytes: number): void {
    if (this.#run) this.#run.taken = bytes;
  }

  /** The model makes room for the run. */
  displace(model: Model): void {
    this.#displaced = model;
  }

  /** The run has ended. */
  end(): void {
    this.#run = null;
  }

  /** No further run follows: gives the model that had made room, if one had. */
  giveBack(): Model | null {
    const model = this.#displaced;
    this.#displaced = null;
    return model;
  }

  /** Whether the model may be in memory beside the run, as far as a limit says. */
  fitsBeside(model: Model): boolean {
    if (!this.#run || this.#run.limit === null) return true;
    return this.#run.taken + model.bytes <= this.#run.limit;
  }

  /** Errors: `out-of-memory` where it is known that the model has no place beside the run. */
  check(model: Model): void {
    const tooLarge = this.#displaced !== null && model.bytes >= this.#displaced.bytes;
    if (tooLarge || !this.fitsBeside(model)) throw noRoomBesideTraining(model);
  }

  /** The failure of loading or using a model, which training may be the reason for. */
  explain(model: Model, error: PunaError): PunaError {
    return this.#run && error.code === 'out-of-memory' ? noRoomBesideTraining(model, error) : error;
  }
}

function noRoomBesideTraining(model: Model, cause?: PunaError): PunaError {
  return new PunaError(
    'out-of-memory',
    `There is no room in memory for ${model.name} while training is running.`,
    'Wait until the training ends, or stop it; it can be resumed later.',
    { cause },
  );
}
