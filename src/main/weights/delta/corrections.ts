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
  /** Those of more than 31 bits wrap around, as the bits that they are added to. */
  readonly differences: Int32Array;
}

/** Bits of floats as whole numbers, 16 or 32 of them. */
export function bitsOf({ blockBytes }: TensorType, bytes: Uint8Array): Uint16Array | Uint32Array {
  // A copy by `slice` would be none of a Buffer.
  const aligned = bytes.byteOffset % blockBytes === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  return blockBytes === 2
    ? new Uint16Array(buffer, byteOffset, byteLength / 2)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** Gathers the corrections of a tensor, of which pieces come in any order. */
export class CorrectionsWriter {
  readonly #pieces: Piece[] = [];

  /** Compares the bits of sums with those wanted, from the number `start` of the tensor on. */
  compare(start: number, sums: Uint16Array | Uint32Array, wanted: Uint16Array | Uint32Array): void {
    const bytes: number[] = [];
    let [first, last] = [-1, -1];
    for (let index = 0; index < wanted.length; index++) {
      const difference = (wanted[index] ?? 0) - (sums[index] ?? 0);
      if (difference === 0) continue;
      if (first < 0) first = index;
      else pushVarint(bytes, index - last);
      pushVarint(bytes, difference >= 0 ? difference * 2 : -difference * 2 - 1);
      last = index;
    }
    if (first >= 0)
      this.#pieces.push({ first: start + first, last: start + last, rest: Uint8Array.from(bytes) });
  }

  encode(): Uint8Array {
    let previous = -1;
    const parts = this.#pieces
      .toSorted((one, other) => one.first - other.first)
      .flatMap(({ first, last, rest }) => {
        const gap: number[] = [];
        pushVarint(gap, first - previous);
        previous = last;
        return [Uint8Array.from(gap), rest];
      });
    return Buffer.concat(parts);
  }
}

/** The corrections of a stretch, encoded but for the first distance: where there are many, they take no more memory than in the file. */
interface Piece {
  first: number;
  last: number;
  rest: Uint8Array;
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
  const differences = new Int32Array(ends / 2);
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
