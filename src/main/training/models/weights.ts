import { open } from 'node:fs/promises';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { type GgmlTypeName, ggmlTypes, type GgufTensor } from '../../weights/formats/gguf.ts';
import type { ModelFile } from '../../weights/model-file.ts';
import type { FrozenMatrix, GradientTypes } from '../autodiff/index.ts';
import {
  type Backend,
  type Buffer,
  packingFor,
  type Pointer,
  type Tensor,
  TensorContext,
} from '../../ggml/index.ts';
import { attentionGradientTypes, transposedType } from './number-types.ts';
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

/** Tensors that share a packing of the device, or, with null, lie in its plain memory. */
interface Place {
  packing: Pointer<'buffer_type'> | null;
  context: TensorContext;
  buffer: Buffer | null;
}

/**
 * A model's tensors in a backend's memory, each in the type that the file has, and what training needs beside them. Matrices that
 * are only multiplied are packed where the device has a faster order for them.
 */
export class Weights implements Disposable {
  readonly attentionGradientTypes: GradientTypes;
  readonly #path: string;
  readonly #backend: Backend;
  readonly #places: Place[] = [];
  readonly #tensors = new Map<string, Tensor>();
  readonly #packed = new Set<Tensor>();
  readonly #transposed = new Map<string, Tensor>();
  readonly #rowIndexes: Tensor;

  private constructor(backend: Backend, file: ModelFile, options: WeightsOptions) {
    this.#path = file.path;
    this.#backend = backend;
    this.attentionGradientTypes = attentionGradientTypes(backend.device, options);
    const create = (packing: Place['packing'], type: GgmlTypeName, shape: readonly number[]): Tensor => {
      let place = this.#places.find((each) => each.packing === packing);
      if (!place) {
        const context = new TensorContext(backend, { tensors: 2 * file.tensors.length + 8 });
        this.#places.push((place = { packing, context, buffer: null }));
      }
      const tensor = place.context.create(type, ...shape);
      if (packing !== null) this.#packed.add(tensor);
      return tensor;
    };
    // Floats may be trained, for which they must be read and written.
    const packingOf = (type: GgmlTypeName, shape: readonly [number, number]) =>
      ggmlTypes[type].blockSize > 1 ? packingFor(backend, type, shape) : null;
    let mostRows = 1;
    for (const { name, type, shape } of file.tensors) {
      const [width = 1, height = 1] = shape;
      const isMatrix = shape.length === 2;
      // Of embeddings rows are read.
      const isMultiplied = isMatrix && name !== 'token_embd.weight';
      const packing = isMultiplied ? packingOf(type.name, [width, height]) : null;
      this.#tensors.set(name, create(packing, type.name, shape));
      mostRows = Math.max(mostRows, height);
      if (!isMatrix || !backend.device.isCpu || !options.transposed(name)) continue;
      const copyType = transposedType({ type: type.name, shape }, options);
      const copyShape = [height, width] as const;
      this.#transposed.set(name, create(packingOf(copyType, copyShape), copyType, copyShape));
    }
    this.#rowIndexes = create(null, 'I32', [mostRows]);
  }

  /** A model as it would be in memory, which it does not take: for graphs that are only measured. */
  static describe(backend: Backend, file: ModelFile, options: WeightsOptions): Weights {
    const weights = new Weights(backend, file, options);
    for (const place of weights.#places) place.buffer = place.context.describe(place.packing);
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
      weights.#allocate();
    } catch (thrown) {
      weights[Symbol.dispose]();
      throw thrown;
    }
    for (const { buffer } of weights.#places) buffer?.clear();
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
      weights.#allocate();
      weights.#countRows();
      await weights.#read(file, options);
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

  /** Errors: `out-of-memory`. */
  #allocate(): void {
    for (const place of this.#places) place.buffer = place.context.allocate(place.packing);
  }

  async #read(file: ModelFile, { signal, onProgress }: WeightsOptions): Promise<void> {
    const total = file.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    const piece = new Uint8Array(pieceBytes);
    const scratch = new Uint8Array(Math.max(0, ...[...this.#transposed.values()].map(scratchBytes)));
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
          const source = { ...tensor, offset: part.dataOffset + tensor.offset };
          await this.#filled(this.get(tensor.name), async (target) => {
            for await (const bytes of this.#fill(handle, source, target, piece)) {
              signal?.throwIfAborted();
              done += bytes;
              tell();
            }
            const copy = this.#transposed.get(tensor.name);
            if (copy) await this.#filled(copy, (it) => transpose(this.#backend, target, it, scratch));
          });
        }
      } catch (thrown) {
        throw fileError(thrown, part.path);
      }
    }
  }

  /** Fills a tensor piece by piece: one that is packed, and therefore written as a whole, by way of plain memory. */
  async #filled(tensor: Tensor, fill: (plain: Tensor) => Promise<void>): Promise<void> {
    if (!this.#packed.has(tensor)) return fill(tensor);
    using context = new TensorContext(this.#backend, { tensors: 1 });
    const plain = context.create(tensor.type, ...tensor.shape);
    using _memory = context.allocate();
    await fill(plain);
    const bytes = new Uint8Array(plain.bytes);
    this.#backend.readBytes(plain, bytes);
    this.#backend.write(tensor, bytes);
  }

  async *#fill(
    handle: Awaited<ReturnType<typeof open>>,
    { bytes, offset }: GgufTensor,
    tensor: Tensor,
    piece: Uint8Array,
  ): AsyncGenerator<number> {
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
    for (const { buffer, context } of this.#places) {
      buffer?.[Symbol.dispose]();
      context[Symbol.dispose]();
    }
  }
}
