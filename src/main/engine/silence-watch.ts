/** Looks so often within the time that is allowed. */
const looks = 4;

/**
 * Calls `onSilence` when nothing was heard for `allowedMs`, and at most a quarter of it later. It counts its own looks rather than the clock: after the
 * computer slept, or after this process itself was held up, it looks once and hears first what came meanwhile.
 */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;
  #quietLooks = 0;

  constructor(allowedMs: number, onSilence: () => void) {
    this.#timer = setInterval(() => {
      if (++this.#quietLooks === looks + 1) onSilence();
    }, allowedMs / looks);
  }

  heard(): void {
    this.#quietLooks = 0;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
