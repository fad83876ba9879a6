import { Backend, chooseDevice, Graph, Operations } from '../../ggml/index.ts';

/** A matrix in memory, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly numbers: Float32Array<ArrayBuffer>;
}

/** Rows `first` to `last` (excluded), without a copy. */
export function rowsOfMatrix({ columns, numbers }: Matrix, first: number, last: number): Matrix {
  return { rows: last - first, columns, numbers: numbers.subarray(first * columns, last * columns) };
}

/** A product of fewer multiplications (some milliseconds) takes one thread: several would wait for each other longer than that. */
const manyMultiplications = 100e6;

/**
 * Products of matrices in 32 bits, computed by ggml on the CPU, one after the other. Memory: that of both factors and the result
 * once more.
 */
export class Products implements Disposable {
  readonly #alone: Backend;
  readonly #together: Backend;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ threads }: { threads: number }) {
    // A Mac with Apple's processor has the library for Metal only.
    const isApple = process.platform === 'darwin' && process.arch === 'arm64';
    const { library, device } = chooseDevice('cpu', isApple ? 'metal' : 'cpu');
    this.#alone = new Backend(library, device, { threads: 1 });
    this.#together = new Backend(library, device, { threads });
  }

  /** a [m, k] · b [k, n]. */
  times(a: Matrix, b: Matrix): Promise<Matrix> {
    return this.#compute(a, b, 'asItIs');
  }

  /** a [m, k] · bᵀ for b [n, k]. */
  timesTransposed(a: Matrix, b: Matrix): Promise<Matrix> {
    return this.#compute(a, b, 'transposed');
  }

  #compute(a: Matrix, b: Matrix, second: 'asItIs' | 'transposed'): Promise<Matrix> {
    // A backend computes one graph at a time.
    const result = this.#turn.then(() => this.#product(a, b, second));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #product(a: Matrix, b: Matrix, second: 'asItIs' | 'transposed'): Promise<Matrix> {
    const multiplications = a.rows * b.rows * b.columns;
    const backend = multiplications < manyMultiplications ? this.#alone : this.#together;
    using g = new Operations(backend, { tensors: 8, graphs: [8] });
    using graph = new Graph(g, 8);
    const [left, right] = [g.input('F32', a.columns, a.rows), g.input('F32', b.columns, b.rows)];
    const columnsAsRows = second === 'transposed' ? right : g.contiguous(g.transpose(right));
    const product = g.output(g.mulMat(columnsAsRows, left));
    graph.expand(product);
    graph.allocate();
    backend.write(left, a.numbers);
    backend.write(right, b.numbers);
    await backend.compute(graph);
    const [columns, rows] = product.shape;
    return { rows, columns, numbers: backend.read(product) };
  }

  [Symbol.dispose](): void {
    this.#alone[Symbol.dispose]();
    this.#together[Symbol.dispose]();
  }
}
