import { createHash } from 'node:crypto';
import { SingularValueDecomposition, Matrix as DenseMatrix } from 'ml-matrix';
import { sumOfSquares } from '../delta/changes.ts';
import type { Difference } from './difference.ts';
import { orthonormalise } from './orthonormal.ts';
import { type Matrix, type Products, rowsOfMatrix } from './products.ts';

/** A matrix as a product of two narrow ones. */
export interface LowRank {
  /** [r, n]. */
  readonly a: Matrix;
  /** [m, r]. */
  readonly b: Matrix;
  /** Sum of squares of what B·A does not give. */
  readonly left: number;
}

/**
 * Directions that are looked at for so many wanted ones: with these, and two iterations, what is left is at most 1 % more than the
 * best of that rank leaves, even of matrices of noise, whose singular values lie close to each other (measured: 0.8 %).
 */
const directionsFor = (rank: number) => 2 * rank + 10;
const powerIterations = 2;

/**
 * The singular vectors of the largest singular values, shared out evenly: B = U√S, A = √S Vᵀ. By a randomised range finder with
 * power iterations (Halko, Martinsson, Tropp 2011, https://arxiv.org/abs/0909.4061, algorithms 4.4 and 5.1): the difference is gone through
 * seven times, and its size in memory is never needed twice. The same seed gives the same result on the same machine.
 */
export async function lowRank(
  difference: Difference,
  {
    rank,
    seed,
    products,
    signal,
  }: { rank: number; seed: string; products: Products; signal?: AbortSignal | undefined },
): Promise<LowRank> {
  const { rows, columns } = difference;
  const width = Math.min(directionsFor(rank), rows, columns);
  const kept = Math.min(rank, width);
  const passes = new Passes(difference, products, signal);
  // All bases are kept as rows, so that vectors lie in one piece.
  let left = await passes.right(normalNumbers(width, columns, seed)); // [width, m]
  await orthonormalise(left, products);
  for (let iteration = 0; iteration < powerIterations; iteration++) {
    const right = await passes.left(left); // [width, n]
    await orthonormalise(right, products);
    left = await passes.right(right);
    await orthonormalise(left, products);
  }
  const seen = await passes.left(left); // Qᵀ Δ, [width, n]
  const basis: Matrix = { ...seen, numbers: seen.numbers.slice() };
  await orthonormalise(basis, products);
  // Δ ≈ Q core P with the orthonormal rows P of `basis`: what is left to be decomposed is small.
  const core = await products.timesTransposed(seen, basis);
  const { u, v } = rootedVectors(core, kept);
  const a = await products.times(v, basis); // √S V'ᵀ P
  const b = transposedMatrix(await products.times(u, left)); // Q U √S
  return { a, b, left: await passes.without(a, b) };
}

/** Multiplications that `lowRank` takes for a matrix, roughly. */
export function lowRankProducts(rows: number, columns: number, rank: number): number {
  const width = Math.min(directionsFor(rank), rows, columns);
  const passes = 2 * powerIterations + 3;
  return passes * width * (rows * columns + (rows + columns) * width);
}

/** Products of the whole difference, stretch by stretch. */
class Passes {
  readonly #difference: Difference;
  readonly #products: Products;
  readonly #signal: AbortSignal | undefined;

  constructor(difference: Difference, products: Products, signal: AbortSignal | undefined) {
    this.#difference = difference;
    this.#products = products;
    this.#signal = signal;
  }

  /** (Δ xᵀ)ᵀ for x [k, n] → [k, m]. */
  async right(x: Matrix): Promise<Matrix> {
    const { rows } = this.#difference;
    const numbers = new Float32Array(x.rows * rows);
    for await (const { first, matrix } of this.#stretches()) {
      const part = await this.#products.timesTransposed(x, matrix);
      for (let row = 0; row < x.rows; row++) {
        numbers.set(rowsOfMatrix(part, row, row + 1).numbers, row * rows + first);
      }
    }
    return { rows: x.rows, columns: rows, numbers };
  }

  /** y Δ for y [k, m] → [k, n]. */
  async left(y: Matrix): Promise<Matrix> {
    const { columns } = this.#difference;
    const sum = new Float64Array(y.rows * columns);
    for await (const { first, matrix } of this.#stretches()) {
      const { numbers } = await this.#products.times(columnsOf(y, first, matrix.rows), matrix);
      for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) + (numbers[index] ?? 0);
    }
    return { rows: y.rows, columns, numbers: Float32Array.from(sum) };
  }

  /** Sum of squares of Δ − B·A. */
  async without(a: Matrix, b: Matrix): Promise<number> {
    let sum = 0;
    for await (const { first, matrix } of this.#stretches()) {
      const { numbers } = await this.#products.times(rowsOfMatrix(b, first, first + matrix.rows), a);
      for (let index = 0; index < numbers.length; index++) {
        numbers[index] = (matrix.numbers[index] ?? 0) - (numbers[index] ?? 0);
      }
      sum += sumOfSquares(numbers);
    }
    return sum;
  }

  async *#stretches() {
    for await (const stretch of this.#difference.stretches()) {
      this.#signal?.throwIfAborted();
      yield stretch;
    }
  }
}

/** Left and right singular vectors as rows, the `kept` first ones, each times √s: [kept, width]. */
function rootedVectors({ rows, columns, numbers }: Matrix, kept: number): { u: Matrix; v: Matrix } {
  const decomposed = new SingularValueDecomposition(DenseMatrix.from1DArray(rows, columns, numbers), {
    autoTranspose: true,
  });
  const { leftSingularVectors: left, rightSingularVectors: right, diagonal } = decomposed;
  const rooted = (vectors: DenseMatrix): Matrix => {
    const picked = new Float32Array(kept * vectors.rows);
    for (let vector = 0; vector < kept; vector++) {
      const root = Math.sqrt(Math.max(0, diagonal[vector] ?? 0));
      for (let at = 0; at < vectors.rows; at++)
        picked[vector * vectors.rows + at] = vectors.get(at, vector) * root;
    }
    return { rows: kept, columns: vectors.rows, numbers: picked };
  };
  return { u: rooted(left), v: rooted(right) };
}

function columnsOf({ rows, columns, numbers }: Matrix, first: number, count: number): Matrix {
  const picked = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const start = row * columns + first;
    picked.set(numbers.subarray(start, start + count), row * count);
  }
  return { rows, columns: count, numbers: picked };
}

function transposedMatrix({ rows, columns, numbers }: Matrix): Matrix {
  const turned = new Float32Array(numbers.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = numbers[row * columns + column] ?? 0;
    }
  }
  return { rows: columns, columns: rows, numbers: turned };
}

/** Normally distributed numbers, the same for the same seed: xorshift128 (Marsaglia 2003) and the Box-Muller transform. */
function normalNumbers(rows: number, columns: number, seed: string): Matrix {
  const state = new Uint32Array(createHash('sha256').update(seed).digest().buffer.slice(0, 16));
  const unit = () => {
    const [x = 1, y = 0, z = 0, w = 0] = state;
    const mixed = x ^ (x << 11);
    state.set([y, z, w, w ^ (w >>> 19) ^ mixed ^ (mixed >>> 8)]);
    // Never 0, which has no logarithm.
    return ((state[3] ?? 0) + 1) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit());
  return { rows, columns, numbers: Float32Array.from({ length: rows * columns }, normal) };
}
