import { PunaError } from '../../../shared/error.ts';
import type { TensorType } from '../formats/tensor.ts';

/**
 * Where base + delta, rounded, is not the target: a difference of floats can be too coarse, as where a weight has changed its sign.
 * Such numbers are few, and each is kept as its index and as what is to be added to the bits of the sum.
 *
 * As bytes: for each number the distance of its index from that of the one before (from −1 for the first), then the difference of the
 * bits, zigzag; both as varints of Protocol Buffers.
 */
export interface Corrections {
  /** Rising. */
  readonly indices: Float64Array;
  readonly differences: Float64Array;
}

/** Bits of floats as whole numbers, 16 or 32 of them. */
export function bitsOf({ blockBytes }: TensorType, bytes: Uint8Array): Uint16Array | Uint32Array {
  const aligned = bytes.byteOffset % blockBytes === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  return blockBytes === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** Gathers the corrections of a tensor, of which pieces come in any order. */
export class CorrectionsWriter {
  readonly #pieces = new Map<number, number[]>();

  /** Compares the bits of sums with those wanted, from the number `start` of the tensor on. */
  compare(start: number, sums: Uint16Array | Uint32Array, wanted: Uint16Array | Uint32Array): void {
    const found: number[] = [];
    for (let index = 0; index < wanted.length; index++) {
      const difference = (wanted[index] ?? 0) - (sums[index] ?? 0);
      if (difference !== 0) found.push(start + index, difference);
    }
    if (found.length > 0) this.#pieces.set(start, found);
  }

  encode(): Uint8Array {
    const bytes: number[] = [];
    let previous = -1;
    for (const [, found] of [...this.#pieces].toSorted((one, other) => one[0] - other[0])) {
      for (let at = 0; at < found.length; at += 2) {
        const [index = 0, difference = 0] = [found[at], found[at + 1]];
        pushVarint(bytes, index - previous);
        pushVarint(bytes, difference >= 0 ? difference * 2 : -difference * 2 - 1);
        previous = index;
      }
    }
    return Uint8Array.from(bytes);
  }
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Longest varint that is exact as a number. */
const maxVarintBytes = 7;

/** Reads what `CorrectionsWriter` wrote for a tensor of `count` numbers. Errors: `file-damaged`. */
export function decodeCorrections(bytes: Uint8Array, count: number, where: string): Corrections {
  const damaged = () =>
    new PunaError('file-damaged', `The corrections in ${where} are damaged.`, 'Download the delta again.');
  // Every varint ends with a byte below 128.
  let ends = 0;
  for (const byte of bytes) if (byte < 128) ends++;
  if (ends % 2 !== 0 || ends / 2 > count) throw damaged();
  const indices = new Float64Array(ends / 2);
  const differences = new Float64Array(ends / 2);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let length = 0; length < maxVarintBytes; length++) {
      const byte = bytes[at++];
      if (byte === undefined) throw damaged();
      value += (byte % 128) * 128 ** length;
      if (byte < 128) return value;
    }
    throw damaged();
  };
  let previous = -1;
  for (let entry = 0; entry < indices.length; entry++) {
    const gap = varint();
    previous += gap;
    if (gap === 0 || previous >= count) throw damaged();
    const zigzag = varint();
    indices[entry] = previous;
    differences[entry] = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }
  if (at !== bytes.byteLength) throw damaged();
  return { indices, differences };
}

/** Corrects the bits of sums, from the number `start` of the tensor on. */
export function correct(
  { indices, differences }: Corrections,
  start: number,
  sums: Uint16Array | Uint32Array,
): void {
  for (let entry = lowerBound(indices, start); entry < indices.length; entry++) {
    const index = (indices[entry] ?? 0) - start;
    if (index >= sums.length) return;
    // What is beyond the bits wraps around, as it did when it was taken.
    sums[index] = (sums[index] ?? 0) + (differences[entry] ?? 0);
  }
}

/** The first place whose value is not below. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
