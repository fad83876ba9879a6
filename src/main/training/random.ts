/** A seeded source of numbers: the same seeds give the same numbers on every machine. */
export interface SeededRandom {
  /** At least 0, less than 1. */
  unit(): number;
  /** A whole number of at least 0, less than `limit`. */
  below(limit: number): number;
}

/**
 * Mulberry32 over several seeds mixed into one. What is random in training (initial weights, order of the data, dropout) is
 * drawn from the run's seed and from where it is needed, so that there is no state to keep in a checkpoint.
 */
export function seededRandom(...seeds: readonly number[]): SeededRandom {
  let state = seeds.reduce((mixed, seed) => mix(mixed ^ (seed >>> 0)) >>> 0, 0x9e37_79b9);
  const unit = () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    return mix(state) / 2 ** 32;
  };
  return { unit, below: (limit) => Math.floor(unit() * limit) };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), value | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}
