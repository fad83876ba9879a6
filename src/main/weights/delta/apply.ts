import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/gguf.ts';
import { type Tensor, tensorTypes } from '../formats/tensor.ts';
import type { WeightsProof } from '../messages.ts';
import type { AfterTensor } from '../outputs/tensor-units.ts';
import type { ModelDescription, ModelSource } from '../sources/model-source.ts';
import { hasFloats, isQuantized } from '../tensors/floats.ts';
import { elementwise, renamed, retyped } from '../tensors/views.ts';
import { withAddedRows } from './base-rows.ts';
import type { LayerChanges } from './changes.ts';
import { type Pair, pairTensors } from './pairs.ts';
import { bitsOf, correct, type Corrections } from './corrections.ts';
import { correctionsNames, type DeltaProof, hashing, proofNames } from './proof.ts';
import type { ProvedDelta } from './read-delta.ts';

/** A model that is computed from a base and a delta while it is written. */
export interface AppliedDelta {
  source: ModelSource;
  /** To be called after each tensor; its results go to `prove`. Errors: `invalid-input` (another base), `file-damaged`. */
  after: AfterTensor;
  prove(results: ReadonlyMap<string, string>): WeightsProof;
  notes: string[];
}

/** Alpaca's 7B, whose weights must have this sum (weight_diff.py of stanford_alpaca). */
const alpaca = { rows: 32_001, columns: 4096, sum: 50_637.1836, tolerance: 0.01 };

/**
 * target = base + delta, as FastChat's apply_delta.py and Alpaca's weight_diff.py compute it: both are rounded to the delta's type,
 * added in 32 bits and rounded once. Everything but the tensors comes from the delta. Errors: those of `pairTensors`.
 */
export function applyDelta(
  base: ModelSource,
  delta: ModelSource,
  { proved, anyBase, changes }: { proved: ProvedDelta | null; anyBase: boolean; changes: LayerChanges },
): AppliedDelta {
  const proof = proved?.proof ?? null;
  const pairs = pairTensors(base, delta);
  const notes = notesOn(base, pairs);
  // Deltas in 32 bits are made as Alpaca's: tokens that the base does not have begin at the mean of the others.
  const fill = !proof && pairs.some(({ other }) => other.type.name === 'F32') ? 'mean' : 'zeros';
  const sums = new Map<string, number>();
  const digests = new Map<string, () => [base: string, target: string]>();
  const tensors = new Map<string, Tensor>();
  for (const pair of pairs) {
    const { name, other } = pair;
    if (!hasFloats(other)) {
      tensors.set(name, other);
      continue;
    }
    const type = isQuantized(other.type) ? tensorTypes.F32 : other.type;
    const before = withAddedRows(retyped(pair.base, type), other, pair.added, fill);
    const checked = proof ? hashing(before) : null;
    const sum = elementwise(
      { name, type, shape: other.shape },
      [checked?.tensor ?? before, other],
      (inputs) => {
        const [mine, theirs = new Float32Array()] = inputs;
        const { before, change, total } = addTo(mine, theirs);
        changes.add(name, { before, change });
        sums.set(name, (sums.get(name) ?? 0) + total);
        return mine;
      },
    );
    const result = hashing(proved ? corrected(sum, () => proved.corrections(other)) : sum);
    tensors.set(name, renamed(result.tensor, name));
    digests.set(name, () => [checked?.digest() ?? '', result.digest()]);
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
      if (!digest) return '';
      const [baseHash, targetHash] = digest();
      if (proof && !anyBase) checkHashes(proof, name, { baseHash, targetHash, base, delta });
      return String(sums.get(name) ?? 0);
    },
    prove: (results) => proofOf(results, { proof, anyBase, delta }),
  };
}

/** Adds a delta to numbers in their place; gives the sums of squares of both, and the sum of the results. */
function addTo(
  numbers: Float32Array,
  delta: Float32Array,
): { before: number; change: number; total: number } {
  let [before, change, total] = [0, 0, 0];
  for (let index = 0; index < numbers.length; index++) {
    const [mine, theirs] = [numbers[index] ?? 0, delta[index] ?? 0];
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
      read ??= corrections();
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

function checkHashes(
  proof: DeltaProof,
  name: string,
  found: { baseHash: string; targetHash: string; base: ModelSource; delta: ModelSource },
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
  results: ReadonlyMap<string, string>,
  { proof, anyBase, delta }: { proof: DeltaProof | null; anyBase: boolean; delta: ModelSource },
): WeightsProof {
  if (proof && !anyBase) {
    const count = Object.keys(proof.tensors).length;
    return {
      kind: 'hashes',
      text: `All ${count} tensors of base and result have the hashes that ${quoted(proof.target)} had when the delta was made.`,
    };
  }
  const sum = [...results.values()].reduce((total, result) => total + Number(result), 0);
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
  return {
    kind: 'exact',
    text: `Every weight is base + delta, rounded once. The delta carries nothing to compare with; the sum of all weights is ${sum.toFixed(4)}.${warning}`,
  };
}
