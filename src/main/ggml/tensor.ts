import koffi from 'koffi';
import { type GgmlType, type GgmlTypeName, ggmlTypeById, ggmlTypes } from '../weights/formats/gguf.ts';
import type { Pointer } from './declarations.ts';

/** How struct ggml_tensor begins (ggml.h); the rest is ggml's own affair. */
const layout = koffi.struct('puna_ggml_tensor', {
  type: 'int',
  buffer: 'void *',
  ne: koffi.array('int64_t', 4, 'Array'),
  nb: koffi.array('size_t', 4, 'Array'),
});

export type Shape = readonly [number, number, number, number];

/** What tensors live in; a tensor cannot be used once it is freed. */
export interface TensorOwner {
  readonly freed: boolean;
}

/** A tensor of a ggml context: a place in a graph, or numbers in a backend's memory. */
export class Tensor {
  readonly #owner: TensorOwner;
  readonly #pointer: Pointer<'tensor'>;
  readonly type: GgmlTypeName;
  /** Fastest dimension first; dimensions that are not used are 1. */
  readonly shape: Shape;
  /** Bytes from one number, row, matrix to the next. */
  readonly strides: Shape;

  constructor(owner: TensorOwner, pointer: Pointer<'tensor'>) {
    this.#owner = owner;
    this.#pointer = pointer;
    const { type, ne, nb } = koffi.decode(pointer, layout) as { type: number; ne: number[]; nb: number[] };
    const known = ggmlTypeById(type);
    if (known === undefined || known === 'withdrawn') throw new Error(`ggml made a tensor of type ${type}.`);
    this.type = known.name;
    this.shape = four(ne);
    this.strides = four(nb);
  }

  get pointer(): Pointer<'tensor'> {
    if (this.#owner.freed) throw new Error('A tensor was used after its context had been freed.');
    return this.#pointer;
  }

  /** Numbers. */
  get count(): number {
    const [a, b, c, d] = this.shape;
    return a * b * c * d;
  }

  get layout(): GgmlType {
    return ggmlTypes[this.type];
  }

  get bytes(): number {
    return (this.count / this.layout.blockSize) * this.layout.blockBytes;
  }
}

/** Tells ggml that a tensor lives in a buffer, as its own allocation does. */
export function placeIn(buffer: Pointer<'buffer'>, tensor: Pointer<'tensor'>): void {
  koffi.encode(tensor, koffi.offsetof(layout, 'buffer'), 'void *', buffer);
}

function four([a = 1, b = 1, c = 1, d = 1]: readonly number[]): Shape {
  return [Number(a), Number(b), Number(c), Number(d)];
}
