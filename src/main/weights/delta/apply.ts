import { PunaError } from '../../../shared/error.ts';
import { listed, quoted } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import type { WeightsProof } from '../messages.ts';
import type { AfterTensor, SaidOfTensors } from '../outputs/tensor-units.ts';
import type { ModelDescription, ModelSource } from '../sources/model-source.ts';
import { hasFloats, isQuantized } from '../tensors/floats.ts';
import { elementwise, renamed, retyped } from '../tensors/views.ts';
import { withAddedRows } from './base-rows.ts';
import { TensorChanges, totalIn } from './changes.ts';
import { deltaType, type Pair, pairTensors } from './pairs.ts';
import { bitsOf, correct, type Corrections } from './corrections.ts';
import { correctionsNames, type DeltaProof, hashing, proofNames } from './proof.ts';
import type { ProvedDelta } from './read-delta.ts';

/** A model that is computed from a base and a delta while it is written. */
export interface AppliedDelta {
  source: ModelSource;
  /** To be called after each tensor; what it says goes to `prove` and
   * `changesIn`. Errors: `invalid-input` (another base), `file-damaged`. */
  after: AfterTensor;
  prove(said: SaidOfTensors): WeightsProof;
  notes: string[];
}

/** Alpaca's 7B, whose weights must have this sum (weight_diff.py of stanford_alpaca). */
const alpaca = { rows: 32_001, columns: 4096, sum: 50_637.1836, tolerance: 0.01 };

/**
 * target = base + delta, as FastChat's apply_delta.py and Alpaca's weight_diff.py compute it: both are rounded to the delta's type,
 * added in 32 bits and rounded once. Everything but the tensors comes from the delta. With `anyBase` a delta that carries a proof is
 * taken as one without: corrections would spoil the numbers of a base that they were not made for. Errors: those of `pairTensors`,
 * `file-damaged` (the proof is not of these tensors).
 */
export function applyDelta(
  base: ModelSource,
  delta: ModelSource,
  { proved: found, anyBase }: { proved: ProvedDelta | null; anyBase: boolean },
): AppliedDelta {
  const proved = anyBase ? null : found;
  const proof = proved?.proof ?? null;
  const pairs = pairTensors(base, delta);
  if (proof) checkNames(proof, pairs, delta);
  const changes = new TensorChanges();
  const notes = notesOn(base, pairs);
  const digests = new Map<string, () => Hashes>();
  const tensors = new Map<string, Tensor>();
  for (const pair of pairs) {
    const { name, other } = pair;
    if (!hasFloats(other)) {
      tensors.set(name, other);
      continue;
    }
    const type = deltaType(other.type);
    // Deltas in 32 bits are made as Alpaca's: tokens that the base does not have begin at the mean of the others.
    const fill = !found && other.type.name === 'F32' ? 'mean' : 'zeros';
    const before = withAddedRows(retyped(pair.base, type), other, pair.added, fill);
    const checked = proof ? hashing(before) : null;
    const sum = elementwise(
      { name, type, shape: other.shape },
      [checked?.tensor ?? before, other],
      (inputs) => {
        const [mine, theirs = new Float32Array()] = inputs;
        changes.add(name, addTo(mine, theirs));
        return mine;
      },
    );
    if (!proved || !checked) {
      tensors.set(name, renamed(sum, name));
      continue;
    }
    const result = hashing(corrected(sum, () => proved.corrections(other)));
    tensors.set(name, renamed(result.tensor, name));
    digests.set(name, () => ({ baseHash: checked.digest(), targetHash: result.digest() }));
  }
  return {
    source: {
      ...delta,
      path: `${delta.path} on ${base.path}`,
      tensors,
      description: withoutProof(delta.description),
    },
    notes,
    after(name) {
      const digest = digests.get(name);
      if (proof && digest) checkHashes(proof, name, { ...digest(), base, delta });
      return changes.said(name);
    },
    prove: (said) => proofOf(said, { proof, isUnproved: found !== null && !proof, delta }),
  };
}

interface Hashes {
  baseHash: string;
  targetHash: string;
}

/** Adds a delta to numbers in their place; gives the sums of squares of both, and the sum of the results. */
function addTo(
  numbers: Float32Array,
  delta: Float32Array,
): { before: number; change: number; total: number } {
  let before = 0;
  let change = 0;
  let total = 0;
  for (let index = 0; index < numbers.length; index++) {
    const mine = numbers[index] ?? 0;
    const theirs = delta[index] ?? 0;
    before += mine * mine;
    change += theirs * theirs;
    total += mine + theirs;
    numbers[index] = mine + theirs;
  }
  return { before, change, total };
}

/** What describes the delta describes the result, but for what shows that it is right. */
function withoutProof(description: ModelDescription | null): ModelDescription | null {
  if (description?.form !== 'gguf') return description;
  const ofDelta: readonly string[] = [proofNames.tensor, correctionsNames.tensor];
  return {
    ...description,
    extraTensors: description.extraTensors.filter(({ name }) => !ofDelta.includes(name)),
  };
}

/** Sums of which the few that are not the target's numbers are set right. */
function corrected(sum: Tensor, corrections: () => Promise<Corrections | null>): Tensor {
  let read: Promise<Corrections | null> | null = null;
  return {
    ...{ name: sum.name, type: sum.type, shape: sum.shape, group: sum.group ?? 1 },
    async read(target, offset) {
      if (!read) {
        read = corrections();
        // Where the sum fails first, nobody listens.
        read.catch(() => undefined);
      }
      await sum.read(target, offset);
      const found = await read;
      if (!found) return;
      const bits = bitsOf(sum.type, target);
      correct(found, offset / sum.type.blockBytes, bits);
      target.set(new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength));
    },
  };
}

function notesOn(base: ModelSource, pairs: readonly Pair[]): string[] {
  const notes: string[] = [];
  const added = Math.max(0, ...pairs.map((pair) => pair.added));
  if (added > 0) notes.push(`The delta adds ${added} ${added === 1 ? 'token' : 'tokens'} to the vocabulary.`);
  if (pairs.some((pair) => isQuantized(pair.base.type))) {
    notes.push(
      `${base.path} is quantized: the result comes near the published model, but is not the same. Use the original base for that.`,
    );
  }
  return notes;
}

/** Errors: `file-damaged` where a proof tells of other tensors than those that it is to prove. */
function checkNames(proof: DeltaProof, pairs: readonly Pair[], delta: ModelSource): void {
  const names = new Set(pairs.filter(({ other }) => hasFloats(other)).map(({ name }) => name));
  const lost = Object.keys(proof.tensors).filter((name) => !names.has(name));
  const unknown = [...names].filter((name) => !Object.hasOwn(proof.tensors, name));
  if (lost.length === 0 && unknown.length === 0) return;
  throw new PunaError(
    'file-damaged',
    lost.length > 0
      ? `${delta.path} is damaged: it lacks ${listed(lost)}, of which it has hashes.`
      : `${delta.path} is damaged: it has no hashes of ${listed(unknown)}.`,
    'Download the delta again.',
  );
}

function checkHashes(
  proof: DeltaProof,
  name: string,
  found: Hashes & { base: ModelSource; delta: ModelSource },
): void {
  if (proof.tensors[name]?.base !== found.baseHash) {
    throw new PunaError(
      'invalid-input',
      `${found.base.path} is not the base that this delta was made from (${quoted(proof.base)}): ${quoted(name)} differs.`,
      'Use the right base, or allow another one (--any-base).',
    );
  }
  if (proof.tensors[name]?.target !== found.targetHash) {
    throw new PunaError(
      'file-damaged',
      `${found.delta.path} is damaged: ${quoted(name)} does not become what it should be.`,
      'Download the delta again.',
    );
  }
}

function proofOf(
  said: SaidOfTensors,
  { proof, isUnproved, delta }: { proof: DeltaProof | null; isUnproved: boolean; delta: ModelSource },
): WeightsProof {
  if (proof) {
    const count = Object.keys(proof.tensors).length;
    return {
      kind: 'hashes',
      text: `All ${count} tensors of base and result have the hashes that ${quoted(proof.target)} had when the delta was made.`,
    };
  }
  const sum = totalIn(said);
  const embedding = delta.tensors.get('model.embed_tokens.weight');
  const isAlpaca =
    embedding?.type.name === 'F32' &&
    embedding.shape[0] === alpaca.rows &&
    embedding.shape[1] === alpaca.columns &&
    delta.tensors.has('model.layers.31.input_layernorm.weight');
  if (isAlpaca && Math.abs(sum - alpaca.sum) <= alpaca.tolerance) {
    return {
      kind: 'sum',
      text: `The sum of all weights is ${sum.toFixed(4)}, as Stanford published it for Alpaca 7B.`,
    };
  }
  const warning = isAlpaca
    ? ` Stanford published ${alpaca.sum} for Alpaca 7B: the base may be another one.`
    : '';
  const compared = isUnproved
    ? 'The hashes that the delta carries were not compared, because any base was allowed'
    : 'The delta carries nothing to compare with';
  return {
    kind: 'exact',
    text: `Every weight is base + delta, rounded once. ${compared}; the sum of all weights is ${sum.toFixed(4)}.${warning}`,
  };
}
