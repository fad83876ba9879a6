import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import type { Tensor } from '../formats/tensor.ts';

/** Where a delta keeps its proof: in a folder as a file beside the weights, in a GGUF file as a tensor of bytes. */
export const proofNames = { file: 'puna_delta.json', tensor: 'puna.delta_proof' } as const;
/** The same for the corrections (`corrections.ts`). */
export const correctionsNames = { file: 'puna_delta.corrections', tensor: 'puna.delta_corrections' } as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * What Puna keeps of a delta that it makes: SHA-256 of every tensor of the base and of the target, their numbers in the delta's type
 * in the order of Hugging Face, so that applying it shows at the first tensor whether the base is the right one, and at the last one that
 * the result is the target bit for bit.
 */
export const deltaProofSchema = z.object({
  format: z.literal('puna-delta-1'),
  /** Names for people. */
  base: z.string(),
  target: z.string(),
  tensors: z.record(
    z.string(),
    z.object({
      base: sha256,
      target: sha256,
      /** Where its corrections lie among all of them, in bytes. */
      corrections: z.object({ offset: z.int().nonnegative(), bytes: z.int().nonnegative() }),
    }),
  ),
});
export type DeltaProof = z.infer<typeof deltaProofSchema>;
export type TensorProof = DeltaProof['tensors'][string];

/** Errors: `file-damaged`. */
export function parseProof(text: string, where: string): DeltaProof {
  try {
    return deltaProofSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PunaError(
      'file-damaged',
      `The hashes in ${where} cannot be read.`,
      'Download the delta again.',
      { cause },
    );
  }
}

/**
 * A tensor that hashes what is read of it. It must be read once, from front to back, which is how tensors are written; several pieces may be
 * under way at once.
 */
export function hashing(tensor: Tensor): { tensor: Tensor; digest: () => string } {
  const hash = createHash('sha256');
  let expected = 0;
  let turn: Promise<void> = Promise.resolve();
  return {
    tensor: {
      ...{ name: tensor.name, type: tensor.type, shape: tensor.shape, group: tensor.group ?? 1 },
      async read(target, offset) {
        if (offset !== expected) throw new Error(`${tensor.name} was not read in order.`);
        expected += target.byteLength;
        const before = turn;
        const mine = Promise.withResolvers<undefined>();
        turn = mine.promise;
        try {
          await tensor.read(target, offset);
          await before;
          hash.update(target);
        } finally {
          mine.resolve(undefined);
        }
      },
    },
    digest: () => hash.digest('hex'),
  };
}
