import { listed } from '../formats/printable.ts';
import type { Tensor, TensorType, TensorTypeName } from '../formats/tensor.ts';
import { renamed, retyped } from '../tensors/views.ts';

/** What can be wrong with the numbers of a tensor that was written. */
export type Flaw = 'not-numbers' | 'too-large';

/** How to see NaN or infinity in a type: words of 32 bits in which the exponents' bits are all set. */
interface Pattern {
  /** The exponents. */
  mask: number;
  /** Their lowest bits: added to an exponent of ones, they carry into its sign's place. */
  lowest: number;
  /** The signs. */
  signs: number;
  /** Words from one number's exponent to the next one's. */
  step: 1 | 2;
}

const patterns: Partial<Record<TensorTypeName, Pattern>> = {
  F64: { mask: 0x7ff00000, lowest: 0x00100000, signs: 0x80000000, step: 2 },
  F32: { mask: 0x7f800000, lowest: 0x00800000, signs: 0x80000000, step: 1 },
  F16: { mask: 0x7c007c00, lowest: 0x04000400, signs: 0x80008000, step: 1 },
  BF16: { mask: 0x7f807f80, lowest: 0x00800080, signs: 0x80008000, step: 1 },
  F8_E5M2: { mask: 0x7c7c7c7c, lowest: 0x04040404, signs: 0x80808080, step: 1 },
  // Without infinity; NaN has all bits set.
  F8_E4M3: { mask: 0x7f7f7f7f, lowest: 0x01010101, signs: 0x80808080, step: 1 },
};

/** A tensor that is looked at while it is read. */
interface Watched {
  tensor: Tensor;
  /** Whether something that was read so far is NaN or infinite. Quantized tensors are not looked into. */
  foundAny(): boolean;
}

/** Looks at a tensor's numbers while they are read, at a fraction of what it takes to read them. */
function watched(tensor: Tensor): Watched {
  const pattern = patterns[tensor.type.name];
  if (!pattern) return { tensor, foundAny: () => false };
  let found = false;
  return {
    tensor: {
      ...renamed(tensor, tensor.name),
      async read(target, offset) {
        await tensor.read(target, offset);
        found ||= hasNotNumbers(target, pattern);
      },
    },
    foundAny: () => found,
  };
}

/**
 * A tensor in another type that is looked at on both sides: what is not a number in the source, and what has become infinite
 * because it was rounded.
 */
export function retypedAndWatched(tensor: Tensor, type: TensorType): { tensor: Tensor; flaw(): Flaw | null } {
  const source = watched(tensor);
  const result = tensor.type.name === type.name ? source : watched(retyped(source.tensor, type));
  return {
    tensor: result.tensor,
    flaw: () => (source.foundAny() ? 'not-numbers' : result.foundAny() ? 'too-large' : null),
  };
}

function hasNotNumbers(bytes: Uint8Array, { mask, lowest, signs, step }: Pattern): boolean {
  const words = asWords(bytes);
  let seen = 0;
  for (let index = step - 1; index < words.length; index += step) {
    // Without a branch, so that it costs next to nothing.
    seen |= ((words[index] ?? 0) & mask) + lowest;
  }
  return (seen & signs) !== 0;
}

/** The bytes as words, where they lie or, if that is not possible, as a copy with zeros behind it. */
function asWords(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset % 4 === 0 && byteLength % 4 === 0)
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  const copy = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  copy.set(bytes);
  return new Uint32Array(copy.buffer);
}

/** Sentences on the tensors that have flaws, by their names. */
export function flawNotes(flaws: ReadonlyMap<string, Flaw>): string[] {
  return Object.entries(flawSentences).flatMap(([flaw, sentence]) => {
    const names = [...flaws].flatMap(([name, found]) => (found === flaw ? [name] : []));
    return names.length === 0 ? [] : [sentence(listed(names), names.length === 1 ? 'has' : 'have')];
  });
}

const flawSentences: Record<Flaw, (names: string, have: string) => string> = {
  'not-numbers': (names, have) =>
    `${names} ${have} values that are not numbers (NaN or infinite): the model that it comes from is damaged.`,
  'too-large': (names, have) =>
    `${names} ${have} values that are too large for the type that they are written in, and have become infinite: choose BF16 or F32.`,
};
