import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import type { ContextPool } from './context-pool.ts';
import type { ContextPools } from './context-pools.ts';
import type { AdapterFile } from './messages.ts';
import type { ReadingPace } from './reading-pace.ts';
import { Rendezvous } from './rendezvous.ts';
import { cancelledError, unlessAborted } from './side-work.ts';

/** How long the context stays when nobody writes in it any more, in milliseconds: programs ask one thing after the other. */
const idleFor = 5 * 60_000;

/** A sequence that is somebody's until it is given back. */
export interface Loan {
  sequence: LlamaContextSequence;
  pace: ReadingPace;
  /** The sequence's number among those of the context. */
  place: number;
  /** Waits until all borrowers are at their next step. */
  together(): Promise<void>;
  giveBack(): void;
}

export interface Borrowing {
  signal: AbortSignal;
  /** Does something while no conversation is answered, whose contexts may have to go. */
  exclusively: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/**
 * Lends the sequences of one context, in which llama.cpp computes what several texts need next in one go. It is beside those of
 * conversations, made when it is needed, and freed when it was not for a while. There is one for one choice of adapters at a time.
 */
export class SharedSequences {
  readonly #pools: ContextPools;
  readonly #steps = new Rendezvous();
  readonly #lent = new Set<LlamaContextSequence>();
  #current: { key: string; pool: ContextPool } | null = null;
  #making: Promise<void> | null = null;
  #changed = Promise.withResolvers<null>();
  #idle: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(pools: ContextPools) {
    this.#pools = pools;
  }

  /** A sequence for a prompt, as soon as there is a free one. Errors: those of `ContextPools.createShared`, `cancelled`. */
  async lend(adapters: readonly AdapterFile[], prompt: readonly Token[], how: Borrowing): Promise<Loan> {
    const key = JSON.stringify(adapters.map(({ path, scale, anyBase = false }) => [path, scale, anyBase]));
    while (!how.signal.aborted && !this.#disposed) {
      const fits = this.#current?.key === key;
      if (this.#current && fits && this.#lent.size < this.#current.pool.sequences) {
        return this.#take(this.#current.pool, prompt);
      }
      const change = fits || this.#lent.size > 0 ? this.#changed.promise : this.#make(key, adapters, how);
      await unlessAborted(change, how.signal);
    }
    throw cancelledError();
  }

  /** Frees the context, which nobody may be using. */
  async free(): Promise<void> {
    clearTimeout(this.#idle);
    const current = this.#current;
    this.#current = null;
    await current?.pool.dispose();
  }

  /** Frees it for good. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.free();
  }

  async #take(pool: ContextPool, prompt: readonly Token[]): Promise<Loan> {
    clearTimeout(this.#idle);
    const sequence = await pool.take(prompt, this.#lent);
    this.#steps.join();
    return {
      ...{ sequence, pace: pool.pace, place: pool.placeOf(sequence) },
      together: () => this.#steps.arrive(),
      giveBack: () => this.#giveBack(sequence),
    };
  }

  #giveBack(sequence: LlamaContextSequence): void {
    this.#lent.delete(sequence);
    this.#steps.leave();
    if (this.#lent.size === 0) this.#idle = setTimeout(() => void this.#freeIfIdle(), idleFor).unref();
    this.#changed.resolve(null);
    this.#changed = Promise.withResolvers();
  }

  async #freeIfIdle(): Promise<void> {
    if (this.#lent.size === 0 && this.#making === null) await this.free();
  }

  /** Whoever gives up waiting does not stop the others. */
  #make(key: string, adapters: readonly AdapterFile[], { exclusively }: Borrowing): Promise<void> {
    if (this.#making) return this.#making.catch(() => undefined);
    const making = exclusively(async () => {
      if (this.#disposed) return;
      await this.free();
      this.#current = { key, pool: await this.#pools.createShared(adapters) };
    }).finally(() => (this.#making = null));
    // Without this, one that nobody waits for any more would be an unhandled rejection.
    making.catch(() => undefined);
    this.#making = making;
    return making;
  }
}
