import { type GgmlTypeName, ggmlTypes } from './ggml-types.ts';

/** How a tensor's numbers are stored: in blocks of `blockSize` numbers that take `blockBytes` bytes. */
export interface TensorType {
  readonly name: TensorTypeName;
  readonly blockSize: number;
  readonly blockBytes: number;
}

/** Types that safetensors and PyTorch files have beside those of ggml; bytes of a number. */
const otherTypes = { F8_E4M3: 1, F8_E5M2: 1, U8: 1, U16: 2, U32: 4, U64: 8, BOOL: 1 } as const;

export type TensorTypeName = GgmlTypeName | keyof typeof otherTypes;

/** Every type of tensor that Puna reads, by name. */
export const tensorTypes: Readonly<Record<TensorTypeName, TensorType>> = {
  ...ggmlTypes,
  ...(Object.fromEntries(
    Object.entries(otherTypes).map(([name, blockBytes]) => [name, { name, blockSize: 1, blockBytes }]),
  ) as Record<keyof typeof otherTypes, TensorType>),
};

/**
 * A tensor that can be read piece by piece, wherever its numbers lie or however they are computed. Names, shapes and order of
 * numbers are those of the file that it is in, or those of Hugging Face where it is part of a model (`ModelSource`).
 */
export interface Tensor {
  readonly name: string;
  readonly type: TensorType;
  /** Slowest dimension first, as PyTorch prints it: [out, in] for the weight of a linear layer. */
  readonly shape: readonly number[];
  /** Rows that are best read together, because they are made together; 1 where it is absent. */
  readonly group?: number;
  /**
   * Fills the target with the tensor's bytes from `offset` on, which with it must lie inside the tensor and be whole blocks.
   * Errors: `file-damaged` where the file ends too early, and those of whatever the tensor is computed from.
   */
  read(target: Uint8Array, offset: number): Promise<void>;
}

/** Numbers of a tensor. */
export function countOf({ shape }: Pick<Tensor, 'shape'>): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Bytes of a tensor. */
export function bytesOf({ shape, type }: Pick<Tensor, 'shape' | 'type'>): number {
  return (countOf({ shape }) / type.blockSize) * type.blockBytes;
}

/** Bytes of so many numbers, which must be whole blocks. */
export function bytesOfCount({ blockSize, blockBytes }: TensorType, count: number): number {
  return (count / blockSize) * blockBytes;
}
