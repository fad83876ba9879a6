import { countOf, type Tensor } from '../formats/tensor.ts';
import { computedTensor, floatsOf, once, pieceNumbers, piecesOf } from './pieces.ts';

/** Cosine beyond which two vectors are taken for parallel: the sphere is flat between them, and sines would cancel. mergekit's. */
const parallelCosine = 0.9995;
/** Length up to which a vector has no direction. mergekit's. */
const shortestLength = 1e-8;

/**
 * Spherical interpolation between two tensors of one shape, taken as vectors: the first at `t` = 0, the second at 1. Parallel
 * and opposite vectors are interpolated linearly. Each tensor is read twice, the first time for the angle.
 */
export function slerpTensor(
  result: Pick<Tensor, 'name' | 'type' | 'shape'>,
  [from, to]: readonly [Tensor, Tensor],
  { t, pieceBytes }: { t: number; pieceBytes: number },
): Tensor {
  // Pieces of both; the result takes the place of the first.
  const numbers = pieceNumbers(pieceBytes, 2);
  const read = (start: number, count: number) =>
    Promise.all([floatsOf(from, start, count), floatsOf(to, start, count)]);

  const coefficients = once(async () => {
    const sums = { dot: 0, squaresFrom: 0, squaresTo: 0 };
    for (const { start, count } of piecesOf(0, countOf(result), numbers)) {
      const [a, b] = await read(start, count);
      addSums(sums, a, b);
    }
    const length = (squares: number) => {
      const root = Math.sqrt(squares);
      return root > shortestLength ? root : 1;
    };
    return slerpCoefficients(sums.dot / (length(sums.squaresFrom) * length(sums.squaresTo)), Math.fround(t));
  });

  return computedTensor(result, numbers, async (start, count) => {
    const [ofFrom, ofTo] = await coefficients();
    const [a, b] = await read(start, count);
    for (let index = 0; index < count; index++) {
      a[index] = Math.fround(ofFrom * (a[index] ?? 0)) + Math.fround(ofTo * (b[index] ?? 0));
    }
    return a;
  });
}

/** What two vectors at that cosine are multiplied by, each. */
function slerpCoefficients(cosine: number, t: number): [number, number] {
  const clamped = Math.min(1, Math.max(-1, cosine));
  if (Math.abs(clamped) > parallelCosine) return [Math.fround(1 - t), t];
  const angle = Math.acos(clamped);
  return [
    Math.fround(Math.sin((1 - t) * angle) / Math.sin(angle)),
    Math.fround(Math.sin(t * angle) / Math.sin(angle)),
  ];
}

/** In 64 bits, where squares of floats of 32 can neither overflow nor be lost. */
function addSums(
  sums: { dot: number; squaresFrom: number; squaresTo: number },
  a: Float32Array,
  b: Float32Array,
): void {
  let { dot, squaresFrom, squaresTo } = sums;
  for (let index = 0; index < a.length; index++) {
    const x = a[index] ?? 0;
    const y = b[index] ?? 0;
    dot += x * y;
    squaresFrom += x * x;
    squaresTo += y * y;
  }
  Object.assign(sums, { dot, squaresFrom, squaresTo });
}
