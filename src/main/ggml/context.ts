import { type GgmlTypeName, ggmlTypes } from '../weights/formats/gguf.ts';
import { Buffer } from './buffer.ts';
import type { Backend } from './backend.ts';
import type { Functions, Pointer } from './declarations.ts';
import { type Shape, Tensor } from './tensor.ts';

/**
 * A ggml context: it holds the descriptions of tensors, not their numbers, which a backend's buffer or a graph's allocation
 * gives room to.
 */
export class TensorContext implements Disposable {
  readonly backend: Backend;
  protected readonly functions: Functions;
  #pointer: Pointer<'context'> | null;

  /** `tensors`: the most that it can hold; `graphs`: further room for graphs of so many nodes each. */
  constructor(backend: Backend, { tensors, graphs = [] }: { tensors: number; graphs?: number[] }) {
    this.backend = backend;
    this.functions = backend.library.functions;
    const { ggml_tensor_overhead: overhead, ggml_graph_overhead_custom: graphOverhead } = this.functions;
    const graphBytes = graphs.reduce((sum, nodes) => sum + graphOverhead(nodes, false), 0);
    this.#pointer = this.functions.ggml_init({
      ...{ mem_size: overhead() * tensors + graphBytes, mem_buffer: null, no_alloc: true },
    });
  }

  get freed(): boolean {
    return this.#pointer === null;
  }

  get pointer(): Pointer<'context'> {
    if (this.#pointer === null) throw new Error('A ggml context was used after it had been freed.');
    return this.#pointer;
  }

  /** A tensor without numbers yet. Shape: fastest dimension first. */
  create(type: GgmlTypeName, ...shape: number[]): Tensor {
    const lengths = BigInt64Array.from(shape, BigInt);
    return this.wrap(this.functions.ggml_new_tensor(this.pointer, ggmlTypes[type].id, shape.length, lengths));
  }

  /**
   * Gives every tensor of the context that has no place yet one in the backend's memory, or in a packing of its device. Errors:
   * `out-of-memory`.
   */
  allocate(packing: Pointer<'buffer_type'> | null = null): Buffer {
    return Buffer.forContext(this, packing);
  }

  /** Likewise a place that holds nothing, for graphs that are only measured. */
  describe(packing: Pointer<'buffer_type'> | null = null): Buffer {
    return Buffer.withoutMemory(this, packing);
  }

  protected wrap(pointer: Pointer<'tensor'>): Tensor {
    return new Tensor(this, pointer);
  }

  [Symbol.dispose](): void {
    if (this.#pointer !== null) this.functions.ggml_free(this.#pointer);
    this.#pointer = null;
  }
}

/** The shape with 1 for what is not given. */
export function fullShape([a = 1, b = 1, c = 1, d = 1]: readonly number[]): Shape {
  return [a, b, c, d];
}
