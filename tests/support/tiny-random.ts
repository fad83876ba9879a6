/** A seeded source of numbers: the same seed gives the same numbers on every machine. */
export interface SeededRandom {
  /** A whole number of 32 bits. */
  uint32(): number;
  /** At least 0, less than 1. */
  unit(): number;
  /** At least 0, less than `limit`. */
  below(limit: number): number;
  /** Evenly spread around 0 with this standard deviation. */
  spread(deviation: number): number;
}

/** Mulberry32: 32 bits of state are enough for weights of tests, and it is quick. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uint32 = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const unit = () => uint32() / 2 ** 32;
  return {
    uint32,
    unit,
    below: (limit) => Math.floor(unit() * limit),
    // A uniform distribution over ±√3 has the standard deviation 1.
    spread: (deviation) => (unit() * 2 - 1) * Math.sqrt(3) * deviation,
  };
}
