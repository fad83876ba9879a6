import { type Backend, type Buffer, Graph, Operations, type Tensor, TensorContext } from '../ggml/index.ts';
import type { ParameterSet } from './parameters.ts';

export interface OptimizerOptions {
  weightDecay: number;
  /** Longest that the gradient of all parameters together may be; null: as long as it is. */
  clip: number | null;
}

/** β₁, β₂ and ε as PyTorch has them by default. */
const adamW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/**
 * AdamW (https://arxiv.org/abs/1711.05101) with clipping by the global norm. It is a graph of its own: were a parameter stepped
 * within the backward graph, its other uses there would see it already changed.
 */
export class Optimizer implements Disposable {
  readonly #backend: Backend;
  readonly #parameters: ParameterSet;
  readonly #options: OptimizerOptions;
  readonly #inputs: TensorContext;
  readonly #buffer: Buffer;
  readonly #settings: Tensor;
  readonly #factor: Tensor;
  readonly #g: Operations;
  readonly #normGraph: Graph;
  readonly #squaredNorm: Tensor;
  readonly #stepGraph: Graph;

  /** Errors: `out-of-memory`. */
  constructor(backend: Backend, parameters: ParameterSet, options: OptimizerOptions) {
    this.#backend = backend;
    this.#parameters = parameters;
    this.#options = options;
    this.#inputs = new TensorContext(backend, { tensors: 2 });
    this.#settings = this.#inputs.create('F32', 7);
    this.#factor = this.#inputs.create('F32', 1);
    this.#buffer = this.#inputs.allocate();

    const { tensors } = parameters;
    const nodes = 4 * tensors.length + 8;
    this.#g = new Operations(backend, { tensors: 2 * nodes, graphs: [nodes, nodes] });
    const g = this.#g;
    this.#normGraph = new Graph(g, nodes);
    this.#squaredNorm = g.output(
      tensors.map(({ gradient }) => g.sum(g.square(gradient))).reduce((sum, each) => g.add(sum, each)),
    );
    this.#normGraph.expand(this.#squaredNorm);
    this.#stepGraph = new Graph(g, nodes);
    for (const { value, gradient, moments } of tensors) {
      const clipped = g.mul(gradient, this.#factor);
      this.#stepGraph.expand(g.adamW(value, clipped, moments, this.#settings));
    }
    this.#normGraph.allocate();
    this.#stepGraph.allocate();
  }

  /** Length of the gradient of all parameters together: of the mean of so many terms, whose sum was gathered. */
  async gradientNorm(terms: number): Promise<number> {
    await this.#backend.compute(this.#normGraph);
    return Math.sqrt(this.#backend.read(this.#squaredNorm)[0] ?? NaN) / terms;
  }

  /** Steps every parameter along that mean gradient of that norm, and clears what was gathered. Steps count from 1. */
  async step(
    step: number,
    { rate, norm, terms }: { rate: number; norm: number; terms: number },
  ): Promise<void> {
    const { weightDecay, clip } = this.#options;
    const { beta1, beta2, epsilon } = adamW;
    const correction = (beta: number) => 1 / (1 - beta ** step);
    const settings = [rate, beta1, beta2, epsilon, weightDecay, correction(beta1), correction(beta2)];
    this.#backend.write(this.#settings, Float32Array.from(settings));
    const clipping = clip !== null && norm > clip ? clip / norm : 1;
    this.#backend.write(this.#factor, Float32Array.of(clipping / terms));
    await this.#backend.compute(this.#stepGraph);
    this.#parameters.clearGradients();
  }

  /** Drops the gradient that was gathered so far. */
  forget(): void {
    this.#parameters.clearGradients();
  }

  [Symbol.dispose](): void {
    for (const each of [this.#normGraph, this.#stepGraph, this.#buffer, this.#g, this.#inputs])
      each[Symbol.dispose]();
  }
}
