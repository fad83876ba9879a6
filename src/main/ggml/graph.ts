import { PunaError } from '../../shared/error.ts';
import type { Functions, Pointer } from './declarations.ts';
import type { Operations } from './operations.ts';
import type { Tensor } from './tensor.ts';

/** Operations in the order in which they are computed, and the memory for what lies between them. */
export class Graph implements Disposable {
  readonly #context: Operations;
  readonly #functions: Functions;
  readonly #pointer: Pointer<'graph'>;
  #allocator: Pointer<'allocator'> | null = null;

  /** `nodes`: the most operations that it can hold; the context must have room for it. */
  constructor(context: Operations, nodes: number) {
    this.#context = context;
    this.#functions = context.backend.library.functions;
    this.#pointer = this.#functions.ggml_new_graph_custom(context.pointer, nodes, false);
  }

  get pointer(): Pointer<'graph'> {
    if (this.#context.freed) throw new Error('A graph was used after its context had been freed.');
    return this.#pointer;
  }

  /** Operations. */
  get nodes(): number {
    return this.#functions.ggml_graph_n_nodes(this.pointer);
  }

  /** Appends a tensor and whatever it is made from, in the order of need. */
  expand(tensor: Tensor): void {
    this.#functions.ggml_build_forward_expand(this.pointer, tensor.pointer);
  }

  /** The bytes that `allocate` would take. */
  measure(): number {
    const allocator = this.#newAllocator();
    const sizes = new BigUint64Array(1);
    this.#functions.ggml_gallocr_reserve_n_size(allocator, this.pointer, null, null, sizes);
    this.#functions.ggml_gallocr_free(allocator);
    return Number(sizes[0]);
  }

  /** Gives every tensor in between a place; those whose time has passed make room for later ones. Errors: `out-of-memory`. */
  allocate(): void {
    this.#allocator ??= this.#newAllocator();
    const { backend, constants } = this.#context;
    if (!this.#functions.ggml_gallocr_alloc_graph(this.#allocator, this.pointer)) {
      throw new PunaError(
        'out-of-memory',
        `There is not enough memory on ${backend.device.name} for a training step.`,
        'Choose a smaller context or rank, or switch on checkpointing.',
      );
    }
    for (const { tensor, numbers } of constants.values()) backend.write(tensor, numbers);
  }

  #newAllocator(): Pointer<'allocator'> {
    const { pointer } = this.#context.backend;
    return this.#functions.ggml_gallocr_new(this.#functions.ggml_backend_get_default_buffer_type(pointer));
  }

  [Symbol.dispose](): void {
    if (this.#allocator !== null) this.#functions.ggml_gallocr_free(this.#allocator);
    this.#allocator = null;
  }
}
