import { type Backend, type Buffer, type Tensor, TensorContext } from '../ggml/index.ts';
import { seededRandom } from './random.ts';

/**
 * Dropout (https://jmlr.org/papers/v15/srivastava14a.html) as masks of 0 and 1 / (1 − p) that are drawn anew for each
 * computation: ggml has no random numbers. What shares its input (q, k and v; gate and up) shares its mask.
 */
export class DropoutMasks implements Disposable {
  readonly #backend: Backend;
  readonly #context: TensorContext;
  readonly #probability: number;
  readonly #masks = new Map<string, Tensor>();
  #buffer: Buffer | null = null;

  constructor(backend: Backend, { probability, most }: { probability: number; most: number }) {
    this.#backend = backend;
    this.#probability = probability;
    this.#context = new TensorContext(backend, { tensors: most });
  }

  /** The mask before an adapter, of the shape of its input. The same each time, also when a layer is computed once more. */
  readonly of = (weight: string, x: Tensor): Tensor => {
    const site = weight.replace(/attn_[qkv]\b/, 'attn_qkv').replace('ffn_gate', 'ffn_up');
    const mask = this.#masks.get(site) ?? this.#context.create('F32', ...x.shape);
    this.#masks.set(site, mask);
    return mask;
  };

  /** Once all are known. `described`: they take no memory, for graphs that are only measured. Errors: `out-of-memory`. */
  allocate({ described = false } = {}): void {
    this.#buffer = described ? this.#context.describe() : this.#context.allocate();
  }

  get bytes(): number {
    return [...this.#masks.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Draws all masks from these seeds. */
  draw(...seeds: number[]): void {
    const kept = 1 / (1 - this.#probability);
    [...this.#masks.values()].forEach((mask, index) => {
      const random = seededRandom(...seeds, index);
      const numbers = Float32Array.from({ length: mask.count }, () =>
        random.unit() < this.#probability ? 0 : kept,
      );
      this.#backend.write(mask, numbers);
    });
  }

  [Symbol.dispose](): void {
    this.#buffer?.[Symbol.dispose]();
    this.#context[Symbol.dispose]();
  }
}
