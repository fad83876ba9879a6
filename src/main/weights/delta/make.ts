import { open, rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import type { Tensor } from '../formats/tensor.ts';
import type { AfterTensor, SaidOfTensors, Trailer } from '../outputs/tensor-units.ts';
import type { LayerChange } from '../messages.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { decodeFloats, encodeFloats, hasFloats } from '../tensors/floats.ts';
import { elementwise, retyped } from '../tensors/views.ts';
import { withAddedRows } from './base-rows.ts';
import { changesIn, sumOfSquares, TensorChanges } from './changes.ts';
import { bitsOf, CorrectionsWriter } from './corrections.ts';
import { deltaType, pairTensors } from './pairs.ts';
import { correctionsNames, type DeltaProof, hashing, proofNames, type TensorProof } from './proof.ts';

/** A delta that is computed from a base and a target while it is written. */
export interface MadeDelta {
  source: ModelSource;
  after: AfterTensor;
  changes(said: SaidOfTensors): LayerChange[];
  trailers: readonly Trailer[];
}

/**
 * delta = target − base in the target's type, as FastChat's make_delta.py computes it, with hashes of both, and corrections
 * where adding it would not give the target bit for bit. `spool`: a path for the corrections until the delta is whole.
 * Errors: those of `pairTensors`.
 */
export function makeDelta(
  base: ModelSource,
  target: ModelSource,
  { names, spool }: { names: { base: string; target: string }; spool: string },
): MadeDelta {
  const changes = new TensorChanges();
  const finish = new Map<string, () => Promise<SaidOfDelta>>();
  const tensors = new Map<string, Tensor>();
  for (const { name, base: mine, other, added } of pairTensors(base, target)) {
    if (!hasFloats(other)) {
      tensors.set(name, other);
      continue;
    }
    const type = deltaType(other.type);
    const before = hashing(withAddedRows(retyped(mine, type), other, added, 'zeros'));
    const after = hashing(retyped(other, type));
    const corrections = new CorrectionsWriter();
    const difference = elementwise(
      { name, type, shape: other.shape },
      [before.tensor, after.tensor],
      ([old, wanted = new Float32Array()], start) => {
        const differences = wanted.map((value, index) => value - (old[index] ?? 0));
        changes.add(name, { before: sumOfSquares(old), change: sumOfSquares(differences) });
        const sums = roundedSums(difference, old, differences);
        corrections.compare(start, sums, bitsOf(type, encodeFloats(type, wanted)));
        return differences;
      },
    );
    tensors.set(name, difference);
    finish.set(name, async () => ({
      proof: {
        ...{ base: before.digest(), target: after.digest() },
        corrections: await appended(spool, corrections.encode()),
      },
      changes: changes.said(name),
    }));
  }
  return {
    source: { ...target, path: `${target.path} − ${base.path}`, tensors },
    after: async (name) => JSON.stringify((await finish.get(name)?.()) ?? null),
    changes: (said) => changesIn(new Map(saidOfDelta(said).map(([name, { changes }]) => [name, changes]))),
    trailers: [proofTrailer(names), correctionsTrailer(spool)],
  };
}

/** Removes the corrections that were put aside. */
export function discardSpool(spool: string): Promise<void> {
  return rm(spool, { force: true });
}

/** The bits of base + delta as whoever applies the delta computes them. */
function roundedSums(
  delta: Tensor,
  base: Float32Array,
  differences: Float32Array,
): Uint16Array | Uint32Array {
  const { type } = delta;
  const rounded = decodeFloats(delta, encodeFloats(type, differences));
  for (let index = 0; index < rounded.length; index++) {
    rounded[index] = (base[index] ?? 0) + (rounded[index] ?? 0);
  }
  return bitsOf(type, encodeFloats(type, rounded));
}

/** Puts bytes at the end of a file; says where they lie. */
async function appended(path: string, bytes: Uint8Array): Promise<TensorProof['corrections']> {
  if (bytes.byteLength === 0) return { offset: 0, bytes: 0 };
  await using handle = await open(path, 'a');
  const { size: offset } = await handle.stat();
  await handle.writeFile(bytes);
  await handle.datasync();
  return { offset, bytes: bytes.byteLength };
}

function proofTrailer(names: { base: string; target: string }): Trailer {
  const json = (said: SaidOfTensors) => {
    const proofs = provedTensors(said);
    // Those that an interrupted try had put aside are left out, so that offsets are counted anew.
    let offset = 0;
    const tensors = Object.fromEntries(
      proofs.map(([name, proof]) => {
        const corrections = {
          offset: proof.corrections.bytes > 0 ? offset : 0,
          bytes: proof.corrections.bytes,
        };
        offset += proof.corrections.bytes;
        return [name, { ...proof, corrections }];
      }),
    );
    const proof: DeltaProof = { format: 'puna-delta-1', ...names, tensors };
    return Buffer.from(`${JSON.stringify(proof, null, 1)}\n`);
  };
  return {
    names: proofNames,
    size: (said) => json(said).byteLength,
    async *pieces(said) {
      yield json(said);
    },
  };
}

function correctionsTrailer(spool: string): Trailer {
  const places = (said: SaidOfTensors) =>
    provedTensors(said)
      .map(([, { corrections }]) => corrections)
      .filter(({ bytes }) => bytes > 0);
  return {
    names: correctionsNames,
    size: (said) => places(said).reduce((sum, { bytes }) => sum + bytes, 0),
    async *pieces(said) {
      for (const { offset, bytes } of places(said)) {
        yield* createReadStream(spool, { start: offset, end: offset + bytes - 1 });
      }
    },
  };
}

/** What is said of a tensor once its difference has been written. */
interface SaidOfDelta {
  proof: TensorProof;
  changes: string;
}

function saidOfDelta(said: SaidOfTensors): [string, SaidOfDelta][] {
  return [...said].flatMap(([name, text]): [string, SaidOfDelta][] => {
    const told = JSON.parse(text || 'null') as SaidOfDelta | null;
    return told ? [[name, told]] : [];
  });
}

function provedTensors(said: SaidOfTensors): [string, TensorProof][] {
  return saidOfDelta(said).map(([name, { proof }]) => [name, proof]);
}
