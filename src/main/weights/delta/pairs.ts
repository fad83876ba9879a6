import { PunaError } from '../../../shared/error.ts';
import { listed, quoted } from '../formats/gguf.ts';
import {
  countOf,
  type Tensor,
  type TensorType,
  type TensorTypeName,
  tensorTypes,
} from '../formats/tensor.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { embeddingName, headName, tiesHead } from '../sources/tied-head.ts';

/** A tensor of one model with that of the same name of another; `added`: rows that only the second one has. */
export interface Pair {
  name: string;
  base: Tensor;
  other: Tensor;
  added: number;
}

/** Tensors with a row for each token; the only ones that may be longer than those of the base. */
const tokenTensors = new Set([embeddingName, headName]);

/** Types that differences are kept and added in; those of other types are in 32 bits. */
const deltaTypes: readonly TensorTypeName[] = ['F32', 'F16', 'BF16'];

/** The type in which the difference of a tensor of this type is kept and added. */
export function deltaType(type: TensorType): TensorType {
  return deltaTypes.includes(type.name) ? type : tensorTypes.F32;
}

/**
 * Pairs the tensors of a base with those of a delta or a target, by name. Rows for added tokens may be more than the base's, and a head
 * that is the embedding may be missing on either side.
 * Errors: `invalid-input` that names what is missing, superfluous or of another shape.
 */
export function pairTensors(base: ModelSource, other: ModelSource): Pair[] {
  const bases = withHeadAs(base, other);
  const missing = [...bases.keys()].filter((name) => !other.tensors.has(name));
  const superfluous = [...other.tensors.keys()].filter((name) => !bases.has(name));
  if (missing.length > 0) throw unlike(`${other.path} has no ${listed(missing)}, which ${base.path} has.`);
  if (superfluous.length > 0) {
    throw unlike(`${other.path} has ${listed(superfluous)}, which ${base.path} does not have.`);
  }
  return [...other.tensors].map(([name, tensor]) => {
    const mine = bases.get(name);
    if (!mine) throw new Error(`${name} was lost.`);
    const added = addedRows(mine, tensor);
    if (added === null) {
      const shapes = `${shown(tensor)} in ${other.path} and ${shown(mine)} in ${base.path}`;
      throw unlike(`${quoted(name)} has the shape ${shapes}.`);
    }
    return { name, base: mine, other: tensor, added };
  });
}

/** A base's tensors, where heads are tied: with the embedding as its head, or without a head that the other one does not need. */
function withHeadAs(base: ModelSource, other: ModelSource): ReadonlyMap<string, Tensor> {
  const tensors = new Map(base.tensors);
  const embedding = base.tensors.get(embeddingName);
  if (!other.tensors.has(headName)) {
    if (tiesHead(other)) tensors.delete(headName);
  } else if (!tensors.has(headName) && embedding && tiesHead(base)) {
    tensors.set(headName, embedding);
  }
  return tensors;
}

function addedRows(base: Tensor, other: Tensor): number | null {
  if (base.shape.join() === other.shape.join()) return 0;
  // GGUF leaves out dimensions of one.
  if (countOf(base) === countOf(other) && squeezed(base) === squeezed(other)) return 0;
  const [rows = 0, ...rest] = base.shape;
  const [otherRows = 0, ...otherRest] = other.shape;
  const isLonger = tokenTensors.has(other.name) && otherRows > rows && rest.join() === otherRest.join();
  return isLonger ? otherRows - rows : null;
}

function squeezed({ shape }: Tensor): string {
  return shape.filter((length) => length !== 1).join();
}

function shown({ shape }: Tensor): string {
  return `[${shape.join(', ')}]`;
}

function unlike(sentence: string): PunaError {
  return new PunaError(
    'invalid-input',
    sentence,
    'These are not of one model: check which base belongs to it.',
  );
}
