export interface Patience {
  /** How long a server may be waited for, in ms of waiting alone. */
  ms: number;
  /** What it must send in that time not to count as standing still. */
  bytes: number;
}

/** A line of 8 kbit/s could not fetch a model in a month; a server that keeps a connection open with crumbs has stopped, too. */
export const usualPatience: Patience = { ms: 30_000, bytes: 32 * 1024 };

const looksPerPatience = 20;

/**
 * Notices that a server has stopped sending, or sends next to nothing. Only time in which it is waited for counts: a bandwidth limit or a
 * slow disk is not the server's fault.
 */
export class StallWatch implements Disposable {
  /** Whether the next piece is being waited for. */
  waiting = false;
  readonly #timer: NodeJS.Timeout;
  #waitedMs = 0;
  #arrived = 0;

  constructor({ ms, bytes }: Patience, onStall: () => void) {
    const step = ms / looksPerPatience;
    this.#timer = setInterval(() => {
      if (this.waiting) this.#waitedMs += step;
      if (this.#waitedMs < ms) return;
      if (this.#arrived < bytes) onStall();
      this.#waitedMs = 0;
      this.#arrived = 0;
    }, step);
  }

  arrived(bytes: number): void {
    this.#arrived += bytes;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
