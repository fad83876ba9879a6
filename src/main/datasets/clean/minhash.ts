import { mixed } from './shingles.ts';

/**
 * Values of a signature. The estimate's standard deviation is √(J (1 − J) / n): 0.035 at a similarity of 0.8, at the price of
 * 128 bytes for each example.
 */
export const signatureLength = 128;

/** Chance that two values of one byte are equal although the sets' minima differ. */
const chance = 1 / 256;

/**
 * Numbers are compared as signed ones, which is quicker: with the highest bit turned over, they have the order of the unsigned.
 */
const highestBit = 0x8000_0000;
const multipliers = new Int32Array(signatureLength);
const summands = new Int32Array(signatureLength);
for (let at = 0; at < signatureLength; at++) {
  // Odd, so that each of these functions is a permutation of the 32-bit numbers.
  multipliers[at] = mixed(2 * at + 1) | 1;
  summands[at] = mixed(2 * at + 2) ^ highestBit;
}

/**
 * The MinHash signature of a set of 32-bit hashes (Broder, "On the resemblance and containment of documents", 1997), of each
 * minimum the lowest byte after mixing (Li and König, "b-Bit Minwise Hashing", https://arxiv.org/abs/0910.3349). Of two sets'
 * signatures, as large a share of values is equal as their intersection has of their union, but for chance. A hash may come
 * more than once; null: none came.
 */
export function signatureOf(hashes: Iterable<number>): Uint8Array | null {
  const minima = new Int32Array(signatureLength).fill(0x7fff_ffff);
  let isEmpty = true;
  for (const hash of hashes) {
    isEmpty = false;
    for (let at = 0; at < signatureLength; at++) {
      const value = (Math.imul(hash, multipliers[at] ?? 1) + (summands[at] ?? 0)) | 0;
      if (value < (minima[at] ?? 0)) minima[at] = value;
    }
  }
  return isEmpty ? null : Uint8Array.from(minima, (minimum) => mixed(minimum ^ highestBit) & 0xff);
}

/** The estimated Jaccard similarity when so many values of two signatures are equal. */
export function similarityOf(equalValues: number): number {
  return Math.max(0, (equalValues / signatureLength - chance) / (1 - chance));
}

/** Fewest equal values at which the estimate reaches a similarity. */
export function equalValuesFor(similarity: number): number {
  return Math.ceil(signatureLength * (similarity * (1 - chance) + chance) - 1e-9);
}

/** Values of two signatures that are equal. */
export function equalValues(a: Uint8Array, b: Uint8Array): number {
  let equal = 0;
  for (let at = 0; at < signatureLength; at++) if (a[at] === b[at]) equal++;
  return equal;
}
