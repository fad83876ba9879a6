import { createHash } from 'node:crypto';
import type { ModelFile } from '../weights/model-file.ts';
import type { Sample } from './batches.ts';

/** What tells one model file from another without reading its gigabytes. */
export interface Fingerprint {
  /** Of the tensor table: names, types and shapes. */
  sha256: string;
  /** Of the whole file. */
  bytes: number;
}

export function fingerprintOf({ tensors, bytes }: ModelFile): Fingerprint {
  const table = tensors.map(({ name, type, shape }) => [name, type.name, ...shape]);
  return { sha256: createHash('sha256').update(JSON.stringify(table)).digest('hex'), bytes };
}

/** What tells whether a run goes on with the same data. */
export function dataFingerprint(samples: readonly Sample[]): string {
  const hash = createHash('sha256');
  for (const { tokens, learnt } of samples) {
    hash.update(Int32Array.from(tokens)).update(Uint8Array.from(learnt, Number)).update('.');
  }
  return hash.digest('hex');
}
