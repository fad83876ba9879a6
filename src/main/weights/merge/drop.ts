import { createHash } from 'node:crypto';
import type { Mask } from './task-vectors.ts';

/**
 * A mask that keeps each number with the probability `density`, whatever the others. Whether it keeps one follows from the seed,
 * the names and its index alone, so that a tensor may be read in any order and in pieces of any size.
 */
export function dropMask(
  density: number,
  key: { readonly seed: number; readonly tensor: string; readonly model: number },
): Mask {
  const digest = createHash('sha256')
    .update(JSON.stringify([key.seed, key.model, key.tensor]))
    .digest();
  const [first, second] = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
  const threshold = density * 2 ** 32;
  return (vector, start) => {
    for (let at = 0; at < vector.length; at++) {
      const index = start + at;
      // The index, mixed with each half of the key in turn; beyond 32 bits its rest goes with the second half.
      const rest = index < 2 ** 32 ? 0 : Math.imul(index / 2 ** 32, 0x9e3779b9);
      const bits = mixed(mixed(index ^ first) ^ second ^ rest);
      if (bits >>> 0 >= threshold) vector[at] = 0;
    }
  };
}

/** Chris Wellons' lowbias32 (public domain): each bit of 32 changes each bit of the result with a probability close to half. */
function mixed(bits: number): number {
  let mix = bits;
  mix = Math.imul(mix ^ (mix >>> 16), 0x7feb352d);
  mix = Math.imul(mix ^ (mix >>> 15), 0x846ca68b);
  return mix ^ (mix >>> 16);
}
