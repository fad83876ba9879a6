import type { Unit } from '../../storage/index.ts';
import { bytesOf, type Tensor } from '../formats/tensor.ts';
import { tensorPieces } from './tensor-pieces.ts';

/** What is to be said of a tensor once it has been computed as a whole, such as the hash of what it was made from. */
export type AfterTensor = (name: string) => string;

/** Something at the end of a file that depends on what was said of all tensors; its size is known before. */
export interface Trailer {
  readonly tensor: Pick<Tensor, 'name' | 'type' | 'shape'>;
  make(results: ReadonlyMap<string, string>): Uint8Array;
}

/** A tensor's bytes and what stands between it and the next one. `name` is what `after` is asked for. */
export function tensorUnit(
  tensor: Tensor,
  { padding, name, after }: { padding: Uint8Array; name: string; after: AfterTensor | undefined },
): Unit {
  return {
    bytes: bytesOf(tensor) + padding.byteLength,
    async *pieces() {
      yield* tensorPieces(tensor);
      if (padding.byteLength > 0) yield padding;
      return after?.(name) ?? '';
    },
  };
}

/** Bytes that are there already, as a unit without a result. */
export function bytesUnit(bytes: Uint8Array): Unit {
  return {
    bytes: bytes.byteLength,
    async *pieces() {
      yield bytes;
      return '';
    },
  };
}

/** The trailer's bytes, once the units of these tensors, which stand at `first` and behind it, have been written. */
export function trailerUnit(
  trailer: Trailer,
  { names, first, padding }: { names: readonly string[]; first: number; padding: Uint8Array },
): Unit {
  return {
    bytes: bytesOf(trailer.tensor) + padding.byteLength,
    async *pieces(earlier) {
      yield trailer.make(new Map(names.map((name, index) => [name, earlier[first + index] ?? ''])));
      yield padding;
      return '';
    },
  };
}
