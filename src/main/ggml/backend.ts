import { PunaError } from '../../shared/error.ts';
import type { Pointer } from './declarations.ts';
import type { Device } from './device.ts';
import type { Graph } from './graph.ts';
import type { Library } from './library.ts';
import type { Tensor } from './tensor.ts';

/** enum ggml_status. */
const status = { success: 0, allocationFailed: -2 };

/** A device that was opened to compute. */
export class Backend implements Disposable {
  readonly library: Library;
  readonly device: Device;
  #pointer: Pointer<'backend'> | null;

  /** `threads` matters on the CPU only. Errors: `internal`. */
  constructor(library: Library, device: Device, { threads }: { threads: number }) {
    this.library = library;
    this.device = device;
    const { functions } = library;
    this.#pointer = functions.ggml_backend_dev_init(device.pointer, null);
    if (this.#pointer === null) throw new PunaError('internal', `${device.name} could not be opened.`);
    const registry = functions.ggml_backend_dev_backend_reg(device.pointer);
    const setThreads = functions.ggml_backend_reg_get_proc_address(registry, 'ggml_backend_set_n_threads');
    if (setThreads) library.callWithNumber(setThreads, this.#pointer, threads);
  }

  get pointer(): Pointer<'backend'> {
    if (this.#pointer === null) throw new Error('A ggml backend was used after it had been freed.');
    return this.#pointer;
  }

  /** Whether this backend can compute the operation that makes this tensor. */
  supports(operation: Tensor): boolean {
    return this.library.functions.ggml_backend_supports_op(this.pointer, operation.pointer);
  }

  /** Computes an allocated graph on a thread of its own. Errors: `out-of-memory`, `internal`. */
  async compute(graph: Graph): Promise<void> {
    const result = await this.library.compute(this.pointer, graph.pointer);
    if (result === status.success) return;
    if (result === status.allocationFailed) {
      throw new PunaError(
        'out-of-memory',
        `${this.device.name} ran out of memory while it computed.`,
        'Choose a smaller context or rank, or close other programs.',
      );
    }
    throw new PunaError('internal', `${this.device.name} failed to compute (ggml status ${result}).`);
  }

  /** Writes numbers into a tensor, from a byte of it on. */
  write(tensor: Tensor, numbers: NodeJS.TypedArray, offset = 0): void {
    const { byteLength } = numbers;
    if (offset + byteLength > tensor.bytes) throw new Error('More was written to a tensor than fits.');
    this.library.functions.ggml_backend_tensor_set(tensor.pointer, numbers, offset, byteLength);
  }

  /** Reads a tensor's numbers of type F32. */
  read(tensor: Tensor): Float32Array<ArrayBuffer> {
    if (tensor.type !== 'F32') throw new Error(`A tensor of type ${tensor.type} was read as F32.`);
    const numbers = new Float32Array(tensor.count);
    this.library.functions.ggml_backend_tensor_get(tensor.pointer, numbers, 0, numbers.byteLength);
    return numbers;
  }

  /** Reads a tensor's bytes, whatever its type, into an array of that length. */
  readBytes(tensor: Tensor, target: Uint8Array): void {
    if (target.byteLength !== tensor.bytes)
      throw new Error('A tensor was read into an array of another size.');
    this.library.functions.ggml_backend_tensor_get(tensor.pointer, target, 0, target.byteLength);
  }

  [Symbol.dispose](): void {
    if (this.#pointer !== null) this.library.functions.ggml_backend_free(this.#pointer);
    this.#pointer = null;
  }
}
