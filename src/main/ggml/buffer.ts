import { PunaError } from '../../shared/error.ts';
import type { Backend } from './backend.ts';
import type { TensorContext } from './context.ts';
import type { Functions, Pointer } from './declarations.ts';
import { placeIn } from './tensor.ts';

/** Memory of a backend in which tensors live. */
export class Buffer implements Disposable {
  readonly #functions: Functions;
  #pointer: Pointer<'buffer'> | null;
  readonly bytes: number;

  private constructor(functions: Functions, pointer: Pointer<'buffer'>) {
    this.#functions = functions;
    this.#pointer = pointer;
    this.bytes = functions.ggml_backend_buffer_get_size(pointer);
  }

  /** `packing`: one of the device's; null: its plain memory. Errors: `out-of-memory`. */
  static forContext({ backend, pointer }: TensorContext, packing: Pointer<'buffer_type'> | null): Buffer {
    const { functions } = backend.library;
    const buffer = functions.ggml_backend_alloc_ctx_tensors_from_buft(pointer, bufferType(backend, packing));
    if (buffer) return new Buffer(functions, buffer);
    throw new PunaError(
      'out-of-memory',
      `There is not enough memory on ${backend.device.name} for the model and its training.`,
      'Choose a smaller model, context or rank, or close other programs.',
    );
  }

  /**
   * A buffer without memory, in which all tensors of the context are said to live: graphs over them can be built and measured, but
   * neither they nor the tensors can be used.
   */
  static withoutMemory({ backend, pointer }: TensorContext, packing: Pointer<'buffer_type'> | null): Buffer {
    const { functions } = backend.library;
    const buffer = functions.ggml_backend_buft_alloc_buffer(bufferType(backend, packing), 0);
    if (!buffer) throw new PunaError('internal', `${backend.device.name} gives no empty buffer.`);
    let tensor = functions.ggml_get_first_tensor(pointer);
    while (tensor !== null) {
      placeIn(buffer, tensor);
      tensor = functions.ggml_get_next_tensor(pointer, tensor);
    }
    return new Buffer(functions, buffer);
  }

  /** Fills all of it with zeros. */
  clear(): void {
    if (this.#pointer !== null) this.#functions.ggml_backend_buffer_clear(this.#pointer, 0);
  }

  [Symbol.dispose](): void {
    if (this.#pointer !== null) this.#functions.ggml_backend_buffer_free(this.#pointer);
    this.#pointer = null;
  }
}

function bufferType(
  { library, pointer }: Backend,
  packing: Pointer<'buffer_type'> | null,
): Pointer<'buffer_type'> {
  return packing ?? library.functions.ggml_backend_get_default_buffer_type(pointer);
}
