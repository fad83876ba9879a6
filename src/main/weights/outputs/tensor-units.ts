import type { Unit } from '../../storage/index.ts';
import { bytesOf, type Tensor } from '../formats/tensor.ts';
import { type Flaw, flawNotes } from './flaws.ts';
import { tensorPieces } from './tensor-pieces.ts';

/** What is to be said of a tensor once it has been computed as a whole, such as the hash of what it was made from. */
export type AfterTensor = (name: string) => string | Promise<string>;

/** What `AfterTensor` said of all tensors, by the names of the source. */
export type SaidOfTensors = ReadonlyMap<string, string>;

/** What came of writing a model: what was said of its tensors, and what a person should know of them. */
export interface Written {
  said: SaidOfTensors;
  notes: readonly string[];
}

/** Something that stands behind all tensors and depends on what was said of them. */
export interface Trailer {
  /** Of the file in a folder, and of the tensor of bytes in a GGUF file. */
  readonly names: { readonly file: string; readonly tensor: string };
  /** In bytes. */
  size(said: SaidOfTensors): number;
  pieces(said: SaidOfTensors): AsyncIterable<Uint8Array>;
}

interface TensorUnitOptions {
  padding: Uint8Array;
  /** What `after` is asked for. */
  name: string;
  after: AfterTensor | undefined;
  /** Asked once the tensor has been written. */
  flaw?: () => Flaw | null;
}

/** Results of units are kept as text, and read back after a crash: first a flaw, then what was said. */
const flawSigns: Record<Flaw, string> = { 'not-numbers': '!', 'too-large': '^' };
const noFlawSign = '-';

/** A tensor's bytes and what stands between it and the next one. */
export function tensorUnit(tensor: Tensor, { padding, name, after, flaw }: TensorUnitOptions): Unit {
  return {
    bytes: bytesOf(tensor) + padding.byteLength,
    async *pieces() {
      yield* tensorPieces(tensor);
      if (padding.byteLength > 0) yield padding;
      const found = flaw?.();
      return (found ? flawSigns[found] : noFlawSign) + ((await after?.(name)) ?? '');
    },
  };
}

/** What came of writing tensors of these names, by the results of their units in the same order, as far as they are there. */
export function writtenTensors(names: readonly string[], results: readonly (string | undefined)[]): Written {
  const signs = Object.entries(flawSigns) as [Flaw, string][];
  const flaws = new Map<string, Flaw>();
  const said = new Map<string, string>();
  names.forEach((name, index) => {
    const result = results[index] ?? '';
    const [flaw] = signs.find(([, sign]) => result.startsWith(sign)) ?? [];
    if (flaw) flaws.set(name, flaw);
    said.set(name, result.slice(1));
  });
  return { said, notes: flawNotes(flaws) };
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
