/** How much of the estimate each new step makes up: about the last ten steps count. */
const share = 0.1;

/** How long steps take, by the clock, with all that happens between them. */
export class Pace {
  readonly #now: () => number;
  #last: number | null = null;
  #milliseconds: number | null = null;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Steps follow one another from now on; the time until now is not one of theirs. */
  begin(): void {
    this.#last = this.#now();
  }

  /** A step has ended, or several. */
  mark(steps = 1): void {
    if (steps <= 0) return;
    const now = this.#now();
    if (this.#last !== null) {
      const took = (now - this.#last) / steps;
      this.#milliseconds =
        this.#milliseconds === null ? took : (1 - share) * this.#milliseconds + share * took;
    }
    this.#last = now;
  }

  /** Null before the first step. */
  secondsFor(steps: number): number | null {
    return this.#milliseconds === null ? null : (Math.max(0, steps) * this.#milliseconds) / 1000;
  }
}
