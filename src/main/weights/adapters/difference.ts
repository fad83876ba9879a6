import { sumOfSquares } from '../delta/changes.ts';
import type { Tensor } from '../formats/tensor.ts';
import { readFloats } from '../tensors/floats.ts';
import type { Matrix } from './products.ts';

/** Rows of a matrix, from `first` on. */
export interface Stretch {
  readonly first: number;
  readonly matrix: Matrix;
}

/** Computed at once. */
const stretchNumbers = 4 * 1024 * 1024;
/** What is larger (256 MB) is read anew each time that it is gone through. */
const keptNumbers = 64 * 1024 * 1024;

/** The difference of two matrices of the same shape in 32 bits, stretch by stretch. */
export class Difference {
  readonly rows: number;
  readonly columns: number;
  readonly #base: Tensor;
  readonly #target: Tensor;
  readonly #kept: Stretch[] = [];

  constructor(base: Tensor, target: Tensor) {
    this.#base = base;
    this.#target = target;
    [this.rows = 1, this.columns = 1] = base.shape.length < 2 ? [1, base.shape[0]] : base.shape;
  }

  /** Sums of squares of the difference and of the base's numbers. `keep`: the difference is gone through again. */
  async measure({ keep }: { keep: boolean }): Promise<{ change: number; before: number }> {
    let [change, before] = [0, 0];
    this.#kept.length = 0;
    for await (const { stretch, old } of this.#read()) {
      change += sumOfSquares(stretch.matrix.numbers);
      before += sumOfSquares(old);
      if (keep && this.rows * this.columns <= keptNumbers) this.#kept.push(stretch);
    }
    return { change, before };
  }

  /** The whole difference, from its first row to its last. */
  async *stretches(): AsyncGenerator<Stretch> {
    if (this.#kept.length > 0) return yield* this.#kept;
    for await (const { stretch } of this.#read()) yield stretch;
  }

  async *#read(): AsyncGenerator<{ stretch: Stretch; old: Float32Array }> {
    const { rows, columns } = this;
    const step = Math.max(1, Math.floor(stretchNumbers / columns));
    for (let first = 0; first < rows; first += step) {
      const count = Math.min(step, rows - first);
      const range = [first * columns, count * columns] as const;
      const [numbers, old] = await Promise.all([
        readFloats(this.#target, ...range),
        readFloats(this.#base, ...range),
      ]);
      for (let index = 0; index < numbers.length; index++) {
        numbers[index] = (numbers[index] ?? 0) - (old[index] ?? 0);
      }
      yield { stretch: { first, matrix: { rows: count, columns, numbers } }, old };
    }
  }
}
