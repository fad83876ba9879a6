import { setTimeout as wait } from 'node:timers/promises';

interface Clock {
  /** ms */
  now(): number;
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

const systemClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => wait(ms, undefined, signal ? { signal } : {}),
};

/** So much may be taken at once after a quiet time, in ms of the rate: enough for the pieces that arrive to flow evenly. */
const burstMs = 200;

/** A bandwidth that downloads share, in bytes per second; null is without limit. It may be changed while they run. */
export class BandwidthLimit {
  bytesPerSecond: number | null;
  readonly #clock: Clock;
  /** When all that was taken is paid for, in ms of the clock. */
  #paidAt = -Infinity;

  constructor(bytesPerSecond: number | null, clock = systemClock) {
    this.bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Waits until so many bytes may be taken; who asks first is served first. Errors: an abort. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const rate = this.bytesPerSecond;
    if (rate === null) return;
    const now = this.#clock.now();
    this.#paidAt = Math.max(this.#paidAt, now - burstMs) + (bytes / rate) * 1000;
    if (this.#paidAt > now) await this.#clock.wait(this.#paidAt - now, signal);
  }
}
