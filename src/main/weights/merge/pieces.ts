import { bytesOf, bytesOfCount, countOf, type Tensor, type TensorType } from '../formats/tensor.ts';
import { encodeFloats, readFloats } from '../tensors/floats.ts';

/** All floats that a merge holds at a time, whatever the number of models: large enough for a disk to read at its speed. */
export const defaultPieceBytes = 8 * 1024 * 1024;

/** Numbers that a piece is a multiple of: the longest block of a quantized type. */
const granularity = 256;

/** How many numbers of each tensor are worked on at a time, where so many arrays of floats are held at once. */
export function pieceNumbers(pieceBytes: number, arrays: number): number {
  const numbers = Math.floor(pieceBytes / Float32Array.BYTES_PER_ELEMENT / arrays);
  return Math.max(1, Math.floor(numbers / granularity)) * granularity;
}

/** The stretch from `start` to `end` (excluded), cut into pieces. */
export function* piecesOf(
  start: number,
  end: number,
  numbers: number,
): Generator<{ start: number; count: number }> {
  for (let at = start; at < end; at += numbers) yield { start: at, count: Math.min(numbers, end - at) };
}

/** So many numbers of a tensor, from any one on, as floats. Errors: those of `readFloats`. */
export async function floatsOf(
  tensor: Tensor,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const { blockSize } = tensor.type;
  const first = Math.floor(start / blockSize) * blockSize;
  const end = Math.ceil((start + count) / blockSize) * blockSize;
  const floats = await readFloats(tensor, first, end - first);
  return floats.length === count ? floats : floats.slice(start - first, start - first + count);
}

/** A tensor whose numbers are computed when they are read, piece by piece, by a function that gives any stretch of them. */
export function computedTensor(
  { name, type, shape }: Pick<Tensor, 'name' | 'type' | 'shape'>,
  numbers: number,
  compute: (start: number, count: number) => Promise<Float32Array>,
): Tensor {
  return {
    ...{ name, type, shape },
    async read(target, offset) {
      const first = numbersIn(type, offset);
      const end = first + numbersIn(type, target.byteLength);
      if (end > countOf({ shape })) throw new RangeError(`${name} has ${bytesOf({ type, shape })} bytes.`);
      for (const { start, count } of piecesOf(first, end, numbers)) {
        target.set(encodeFloats(type, await compute(start, count)), bytesOfCount(type, start - first));
      }
    },
  };
}

function numbersIn({ blockBytes, blockSize }: TensorType, bytes: number): number {
  return (bytes / blockBytes) * blockSize;
}

/** Computes something at its first use, once, unless that fails. */
export function once<Result>(make: () => Promise<Result>): () => Promise<Result> {
  let made: Promise<Result> | undefined;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = undefined;
      throw thrown;
    });
    return made;
  };
}
