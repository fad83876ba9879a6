import type { Unit } from '../../storage/index.ts';
import { bytesOf, type Tensor } from '../formats/tensor.ts';
import { tensorPieces } from './tensor-pieces.ts';

/** What is to be said of a tensor once it has been computed as a whole, such as the hash of what it was made from. */
export type AfterTensor = (name: string) => string | Promise<string>;

/** What `AfterTensor` said of all tensors, by the names of the source. */
export type SaidOfTensors = ReadonlyMap<string, string>;

/** Something that stands behind all tensors and depends on what was said of them. */
export interface Trailer {
  /** Of the file in a folder, and of the tensor of bytes in a GGUF file. */
  readonly names: { readonly file: string; readonly tensor: string };
  /** In bytes. */
  size(said: SaidOfTensors): number;
  pieces(said: SaidOfTensors): AsyncIterable<Uint8Array>;
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
      return (await after?.(name)) ?? '';
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

/** A trailer's bytes with their padding; `said` finds what was said in the results of the units before. */
export function trailerUnit(
  trailer: Trailer,
  said: (earlier: readonly string[]) => SaidOfTensors,
  padding: (bytes: number) => Uint8Array,
): Unit {
  return {
    bytes: null,
    async *pieces(earlier) {
      const all = said(earlier);
      yield* trailer.pieces(all);
      yield padding(trailer.size(all));
      return '';
    },
  };
}
