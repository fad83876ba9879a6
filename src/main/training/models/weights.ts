import { open } from 'node:fs/promises';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import type { GgufTensor } from '../../weights/formats/gguf.ts';
import type { ModelFile } from '../../weights/model-file.ts';
import type { FrozenMatrix } from '../autodiff/index.ts';
import { type Backend, type Buffer, type Tensor, TensorContext } from '../../ggml/index.ts';
import { attentionGradientType, transposedType } from './number-types.ts';
import { scratchBytes, transpose } from './transpose.ts';

/** Bytes that are read from the file at once. */
const pieceBytes = 4 * 1024 * 1024;

/** Progress is told in steps of this share. */
const toldShare = 0.01;

export interface WeightsOptions {
  /** Which matrices get a transposed copy, on a CPU. */
  transposed: (name: string) => boolean;
  /** Transposed copies and the gradients of attention in F32. */
  exact: boolean;
  signal?: AbortSignal;
  /** Share of the bytes that has been read. */
  onProgress?: (share: number) => void;
}

/** A model's tensors in a backend's memory, each in the type that the file has, and what training needs beside them. */
export class Weights implements Disposable {
  /** The type in which the gradients of attention are multiplied. */
  readonly attentionGradientType: 'F32' | 'BF16';
  readonly #path: string;
  readonly #backend: Backend;
  readonly #context: TensorContext;
  readonly #tensors = new Map<string, Tensor>();
  readonly #transposed = new Map<string, Tensor>();
  readonly #rowIndexes: Tensor;
  #buffer: Buffer | null = null;

  private constructor(backend: Backend, file: ModelFile, options: WeightsOptions) {
    this.#path = file.path;
    this.#backend = backend;
    this.attentionGradientType = attentionGradientType(backend.device, options);
    this.#context = new TensorContext(backend, { tensors: 2 * file.tensors.length + 8 });
    let mostRows = 1;
    for (const { name, type, shape } of file.tensors) {
      this.#tensors.set(name, this.#context.create(type.name, ...shape));
      mostRows = Math.max(mostRows, shape[1] ?? 1);
      if (shape.length !== 2 || !backend.device.isCpu || !options.transposed(name)) continue;
      const copyType = transposedType({ type: type.name, shape }, options);
      this.#transposed.set(name, this.#context.create(copyType, ...shape.toReversed()));
    }
    this.#rowIndexes = this.#context.create('I32', mostRows);
  }

  /** A model as it would be in memory, which it does not take: for graphs that are only measured. */
  static describe(backend: Backend, file: ModelFile, options: WeightsOptions): Weights {
    const weights = new Weights(backend, file, options);
    weights.#buffer = weights.#context.describe();
    return weights;
  }

  /** Bytes that a model would take in memory, its copies included. */
  static measure(backend: Backend, file: ModelFile, options: WeightsOptions): number {
    using weights = Weights.describe(backend, file, options);
    return weights.bytes;
  }

  /** A model of zeros, which takes as long to compute as any. Errors: `out-of-memory`. */
  static zero(backend: Backend, file: ModelFile, options: WeightsOptions): Weights {
    const weights = new Weights(backend, file, options);
    try {
      weights.#buffer = weights.#context.allocate();
    } catch (thrown) {
      weights[Symbol.dispose]();
      throw thrown;
    }
    weights.#buffer.clear();
    weights.#countRows();
    return weights;
  }

  /** That it takes in memory, its copies included. */
  get bytes(): number {
    return this.#all().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Errors: `out-of-memory`, `cancelled`, and those of reading a file. */
  static async load(backend: Backend, file: ModelFile, options: WeightsOptions): Promise<Weights> {
    const weights = new Weights(backend, file, options);
    try {
      weights.#buffer = weights.#context.allocate();
      weights.#countRows();
      await weights.#read(file, options);
      const copies = [...weights.#transposed];
      const scratch = new Uint8Array(Math.max(0, ...copies.map(([, copy]) => scratchBytes(copy))));
      for (const [name, copy] of copies) {
        options.signal?.throwIfAborted();
        await transpose(backend, weights.get(name), copy, scratch);
      }
      return weights;
    } catch (thrown) {
      weights[Symbol.dispose]();
      throw thrown;
    }
  }

  get(name: string): Tensor {
    const tensor = this.find(name);
    if (tensor) return tensor;
    throw new PunaError(
      'file-damaged',
      `${this.#path} has no tensor ${name}.`,
      'Get the file again, or convert the model anew.',
    );
  }

  find(name: string): Tensor | null {
    return this.#tensors.get(name) ?? null;
  }

  /** A matrix that is not trained. */
  frozen(name: string): FrozenMatrix {
    return {
      weights: this.get(name),
      transposed: this.#transposed.get(name) ?? null,
      rowIndexes: this.#rowIndexes,
    };
  }

  #countRows(): void {
    const rows = this.#rowIndexes;
    this.#backend.write(
      rows,
      Int32Array.from({ length: rows.count }, (_, index) => index),
    );
  }

  #all(): Tensor[] {
    return [...this.#tensors.values(), ...this.#transposed.values(), this.#rowIndexes];
  }

  async #read(file: ModelFile, { signal, onProgress }: WeightsOptions): Promise<void> {
    const total = file.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    const piece = new Uint8Array(pieceBytes);
    let done = 0;
    let told = 0;
    const tell = () => {
      if (done / total < told + toldShare && done < total) return;
      told = done / total;
      onProgress?.(told);
    };
    for (const part of file.files) {
      try {
        await using handle = await open(part.path, 'r');
        for (const tensor of part.tensors) {
          const place = { ...tensor, offset: part.dataOffset + tensor.offset };
          for await (const bytes of this.#fill(handle, place, piece)) {
            signal?.throwIfAborted();
            done += bytes;
            tell();
          }
        }
      } catch (thrown) {
        throw fileError(thrown, part.path);
      }
    }
  }

  async *#fill(
    handle: Awaited<ReturnType<typeof open>>,
    { name, bytes, offset }: GgufTensor,
    piece: Uint8Array,
  ): AsyncGenerator<number> {
    const tensor = this.get(name);
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, bytes - at), offset + at);
      if (bytesRead === 0) {
        throw new PunaError(
          'file-damaged',
          `${this.#path} ended while it was read.`,
          'Nothing may write to it while a model learns; start again.',
        );
      }
      this.#backend.write(tensor, piece.subarray(0, bytesRead), at);
      at += bytesRead;
      yield bytesRead;
    }
  }

  [Symbol.dispose](): void {
    this.#buffer?.[Symbol.dispose]();
    this.#context[Symbol.dispose]();
  }
}
