import { type Matrix, type Products, rowsOfMatrix } from './products.ts';

/** So many rows are made orthogonal to all before them at once, by two products, and to each other one by one. */
const blockRows = 16;
/** Once leaves what rounding brings back; twice is enough (Giraud, Langou, Rozložník 2005). */
const passes = 2;
/** What is left of a row that lies in the space of those before it, relative to its length: nothing but rounding. */
const negligible = 1e-12;

/**
 * Makes the rows of a matrix orthogonal to each other and of length 1, in place, by block Gram-Schmidt. Rows that depend on those
 * before them become zeros.
 */
export async function orthonormalise(matrix: Matrix, products: Products): Promise<void> {
  for (let first = 0; first < matrix.rows; first += blockRows) {
    const last = Math.min(first + blockRows, matrix.rows);
    const block = rowsOfMatrix(matrix, first, last);
    normalise(block);
    for (let pass = 0; pass < passes; pass++) {
      if (first > 0) {
        const before = rowsOfMatrix(matrix, 0, first);
        const shares = await products.timesTransposed(block, before);
        subtract(block.numbers, (await products.times(shares, before)).numbers);
      }
      orthogonaliseRows(block);
    }
  }
}

function subtract(from: Float32Array, numbers: Float32Array): void {
  for (let index = 0; index < from.length; index++) from[index] = (from[index] ?? 0) - (numbers[index] ?? 0);
}

/** Gram-Schmidt row by row, in 64 bits. */
function orthogonaliseRows(block: Matrix): void {
  const { rows, columns } = block;
  const exact = Float64Array.from(block.numbers);
  const row = (index: number) => exact.subarray(index * columns, (index + 1) * columns);
  for (let index = 0; index < rows; index++) {
    const own = row(index);
    const length = Math.sqrt(dot(own, own));
    for (let before = 0; before < index; before++) {
      const other = row(before);
      const share = dot(own, other);
      for (let at = 0; at < columns; at++) own[at] = (own[at] ?? 0) - share * (other[at] ?? 0);
    }
    const left = Math.sqrt(dot(own, own));
    const factor = left > negligible * length ? 1 / left : 0;
    for (let at = 0; at < columns; at++) own[at] = (own[at] ?? 0) * factor;
  }
  block.numbers.set(exact);
}

/** Each row by its length, so that none is lost for being small. */
function normalise({ rows, columns, numbers }: Matrix): void {
  for (let index = 0; index < rows; index++) {
    const row = numbers.subarray(index * columns, (index + 1) * columns);
    const length = Math.sqrt(dot(row, row));
    if (length > 0) for (let at = 0; at < columns; at++) row[at] = (row[at] ?? 0) / length;
  }
}

function dot(one: Float32Array | Float64Array, other: Float32Array | Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += (one[index] ?? 0) * (other[index] ?? 0);
  return sum;
}
