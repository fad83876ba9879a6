import { PunaError } from '../../shared/error.ts';

/** Why work ends that nobody has cancelled. */
const madeRoom = Symbol('made room');

/**
 * Work that goes on side by side, and holds while something more important is at work. It is ended when the model that it
 * uses makes room for another one.
 */
export class SideWork {
  readonly #running = new Map<AbortController, Promise<unknown>>();
  #important = 0;
  #free = Promise.withResolvers<null>();

  constructor() {
    this.#free.resolve(null);
  }

  /**
   * Does some work, which looks at the signal and asks for clearance before each of its steps. Errors: `cancelled` where the
   * work had to make room, and those of the work.
   */
  async run<Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const stop = () => controller.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const done = work(controller.signal);
    this.#running.set(controller, done);
    try {
      return await done;
    } finally {
      this.#running.delete(controller);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Whether work has ended because it had to make room. */
  hasMadeRoom(signal: AbortSignal): boolean {
    return signal.reason === madeRoom;
  }

  /** Ends when nothing more important is at work, or the signal is aborted. */
  async clearance(signal: AbortSignal): Promise<void> {
    while (this.#important > 0 && !signal.aborted) await unlessAborted(this.#free.promise, signal);
  }

  /** Does something more important. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#important++ === 0) this.#free = Promise.withResolvers();
    try {
      return await work();
    } finally {
      if (--this.#important === 0) this.#free.resolve(null);
    }
  }

  /** Ends all that runs, and whatever begins meanwhile. */
  async interrupt(): Promise<void> {
    while (this.#running.size > 0) {
      for (const controller of this.#running.keys()) controller.abort(madeRoom);
      await Promise.allSettled(this.#running.values());
      // They leave the list a moment after they have ended.
      await Promise.resolve();
    }
  }
}

/** Waits for a promise, but no longer than until the signal is aborted. */
export async function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<null>();
  const stop = () => aborted.resolve(null);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export function cancelledError(): PunaError {
  return new PunaError('cancelled', 'It was cancelled.');
}
