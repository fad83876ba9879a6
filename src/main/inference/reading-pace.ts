/**
 * So long a step of reading may take: progress is shown and a stop is noticed between two steps. Each step streams all weights
 * through the processor once, so that steps of one second read 5% slower (bench/generation, 376 M parameters).
 */
const wantedMs = 2_000;
/** The first step, when nothing is known yet. */
const firstStep = 64;
/** Shorter steps are slower for each token than they are worth. */
const shortestStep = 16;
/** One quick step, for instance the first of a cold model, does not say everything. */
const mostGrowth = 8;

/** How many tokens of a prompt are read at once: as many as one second can take, up to what the context takes at once. */
export class ReadingPace {
  readonly #longest: number;
  #step: number;

  constructor(longest: number) {
    this.#longest = longest;
    this.#step = Math.min(firstStep, longest);
  }

  get step(): number {
    return this.#step;
  }

  /** A step of `tokens` took so long. */
  took(tokens: number, ms: number): void {
    // A short one at the end of a prompt says little.
    if (tokens < this.#step) return;
    const wanted = Math.floor(tokens * Math.min(mostGrowth, wantedMs / Math.max(ms, 1)));
    this.#step = Math.min(this.#longest, Math.max(shortestStep, wanted));
  }
}
