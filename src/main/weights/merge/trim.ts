import type { Mask, Stretches } from './task-vectors.ts';

/** Magnitudes are compared by their bits: those of floats without their sign grow with them. They are counted by halves. */
const lowBits = 15;
const lowCount = 2 ** lowBits;
const highCount = 2 ** 16;
const magnitudeBits = 0x7fffffff;

/** What of a task vector is kept: magnitudes above the threshold, and of those that equal it the ones up to an index. */
interface Threshold {
  readonly bits: number;
  readonly lastIndex: number;
}

/**
 * Masks that keep the largest magnitudes of each vector, the share `density` of its `count` numbers, rounded down, but at least
 * one (mergekit's `magnitude`). Of equal magnitudes at the threshold those that come first are kept, where mergekit leaves it
 * open. Vectors are read two or three times: for the upper and the lower half of the threshold's bits, and for its equals.
 */
export async function trimMasks(
  stretches: Stretches,
  count: number,
  densities: readonly number[],
): Promise<Mask[]> {
  const high = densities.map(() => new Float64Array(highCount));
  await stretches((vectors) => {
    for (const [index, vector] of vectors.entries()) countHigh(vector, high[index]);
  });
  const highRanks = densities.map((density, index) =>
    rankFromTop(high[index], Math.max(1, Math.floor(density * count))),
  );

  const low = densities.map(() => new Float64Array(lowCount));
  await stretches((vectors) => {
    for (const [index, vector] of vectors.entries()) countLow(vector, highRanks[index]?.bin ?? 0, low[index]);
  });
  const exact = highRanks.map(({ bin, rank }, index) => {
    const within = rankFromTop(low[index], rank);
    return { bits: bin * lowCount + within.bin, rank: within.rank, equals: low[index]?.[within.bin] ?? 0 };
  });

  const lastIndexes = exact.map(({ rank, equals }) => (rank < equals ? -1 : Infinity));
  if (lastIndexes.includes(-1)) {
    const seen = exact.map(() => 0);
    await stretches((vectors, start) => {
      for (const [index, vector] of vectors.entries()) {
        if (lastIndexes[index] !== -1) continue;
        const { bits = 0, rank = 0 } = exact[index] ?? {};
        const { at, found } = findEqual(vector, bits, rank - (seen[index] ?? 0));
        seen[index] = (seen[index] ?? 0) + found;
        if (at !== undefined) lastIndexes[index] = start + at;
      }
    });
  }
  return exact.map(({ bits }, index) => maskOf({ bits, lastIndex: lastIndexes[index] ?? Infinity }));
}

function maskOf({ bits, lastIndex }: Threshold): Mask {
  return (vector, start) => {
    const vectorBits = bitsOf(vector);
    for (let index = 0; index < vector.length; index++) {
      const magnitude = (vectorBits[index] ?? 0) & magnitudeBits;
      const keeps = magnitude > bits || (magnitude === bits && start + index <= lastIndex);
      if (!keeps) vector[index] = 0;
    }
  };
}

/** The bin in which the number of that rank (from 1, largest first) lies, and its rank within it. */
function rankFromTop(
  counts: Float64Array = new Float64Array(1),
  rank: number,
): { bin: number; rank: number } {
  let left = rank;
  for (let bin = counts.length - 1; bin > 0; bin--) {
    const inBin = counts[bin] ?? 0;
    if (left <= inBin) return { bin, rank: left };
    left -= inBin;
  }
  return { bin: 0, rank: left };
}

function countHigh(vector: Float32Array, counts: Float64Array = new Float64Array(highCount)): void {
  const bits = bitsOf(vector);
  for (let index = 0; index < bits.length; index++) {
    const bin = ((bits[index] ?? 0) & magnitudeBits) >>> lowBits;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}

function countLow(
  vector: Float32Array,
  high: number,
  counts: Float64Array = new Float64Array(lowCount),
): void {
  const bits = bitsOf(vector);
  for (let index = 0; index < bits.length; index++) {
    const magnitude = (bits[index] ?? 0) & magnitudeBits;
    if (magnitude >>> lowBits !== high) continue;
    const bin = magnitude & (lowCount - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}

/** Where in the vector the number of that magnitude stands that is the `rank`th of them, and how many there are up to there. */
function findEqual(vector: Float32Array, magnitude: number, rank: number): { at?: number; found: number } {
  const bits = bitsOf(vector);
  let found = 0;
  for (let index = 0; index < bits.length; index++) {
    if (((bits[index] ?? 0) & magnitudeBits) === magnitude && ++found === rank) return { at: index, found };
  }
  return { found };
}

function bitsOf(floats: Float32Array): Uint32Array {
  return new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
}
