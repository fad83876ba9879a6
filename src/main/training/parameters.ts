import type { Parameter } from './autodiff/index.ts';
import { type Backend, type Buffer, type Tensor, TensorContext } from '../ggml/index.ts';

/** A trainable tensor with everything that belongs to it. */
export interface TrainedTensor extends Parameter {
  name: string;
  /** AdamW's moving averages of the gradient and of its square. */
  moments: { first: Tensor; second: Tensor };
}

export interface NewParameter {
  name: string;
  shape: readonly number[];
  /** A tensor that exists already and is to be trained where it is; absent: one is made. */
  value?: Tensor;
}

/** What a checkpoint needs of a tensor. */
export const tensorParts = ['value', 'first', 'second'] as const;
export type TensorPart = (typeof tensorParts)[number];

/** The tensors that a run trains, in the memory of a backend. */
export class ParameterSet implements Disposable {
  readonly tensors: readonly TrainedTensor[];
  readonly byValue: ReadonlyMap<Tensor, TrainedTensor>;
  readonly #backend: Backend;
  readonly #state: TensorContext;
  readonly #gradients: TensorContext;
  readonly #stateBuffer: Buffer;
  readonly #gradientBuffer: Buffer;
  readonly #scratch: Uint8Array;

  /**
   * All numbers are zero at first, but those of tensors that exist already. `described`: they take no memory, for graphs that are
   * only measured. Errors: `out-of-memory`.
   */
  constructor(backend: Backend, parameters: readonly NewParameter[], { described = false } = {}) {
    this.#backend = backend;
    this.#state = new TensorContext(backend, { tensors: 3 * parameters.length });
    // In a buffer of their own, which is cleared as one.
    this.#gradients = new TensorContext(backend, { tensors: parameters.length });
    this.tensors = parameters.map(({ name, shape, value }) => ({
      name,
      value: value ?? this.#state.create('F32', ...shape),
      gradient: this.#gradients.create('F32', ...shape),
      moments: { first: this.#state.create('F32', ...shape), second: this.#state.create('F32', ...shape) },
    }));
    this.byValue = new Map(this.tensors.map((tensor) => [tensor.value, tensor]));
    const largest = this.tensors.reduce((most, { value }) => Math.max(most, value.bytes), 0);
    this.#scratch = new Uint8Array(described ? 0 : largest);
    this.#stateBuffer = described ? this.#state.describe() : this.#state.allocate();
    this.#gradientBuffer = described ? this.#gradients.describe() : this.#gradients.allocate();
    if (described) return;
    this.#stateBuffer.clear();
    this.#gradientBuffer.clear();
  }

  /** Bytes of values (where they are made here), gradients and moments. */
  static measure(parameters: readonly NewParameter[]): number {
    return parameters.reduce((sum, { shape, value }) => {
      const bytes = 4 * shape.reduce((product, length) => product * length, 1);
      return sum + bytes * (value ? 3 : 4);
    }, 0);
  }

  clearGradients(): void {
    this.#gradientBuffer.clear();
  }

  /** The bytes of a part of a tensor, until the next call: all share one place, so that saving takes no memory. */
  read(tensor: TrainedTensor, part: TensorPart): Uint8Array {
    const source = part === 'value' ? tensor.value : tensor.moments[part];
    const target = this.#scratch.subarray(0, source.bytes);
    this.#backend.readBytes(source, target);
    return target;
  }

  write(tensor: TrainedTensor, part: TensorPart, numbers: Float32Array): void {
    this.#backend.write(part === 'value' ? tensor.value : tensor.moments[part], numbers);
  }

  [Symbol.dispose](): void {
    this.#stateBuffer[Symbol.dispose]();
    this.#gradientBuffer[Symbol.dispose]();
    this.#state[Symbol.dispose]();
    this.#gradients[Symbol.dispose]();
  }
}
