import { createHash } from 'node:crypto';
import type { Sample } from './batches.ts';

/** What tells whether a run goes on with the same data: what is learnt from, and what is measured on. */
export function dataFingerprint(...parts: (readonly Sample[])[]): string {
  const hash = createHash('sha256');
  for (const samples of parts) {
    for (const { tokens, learnt } of samples) {
      hash.update(Int32Array.from(tokens)).update(Uint8Array.from(learnt, Number)).update('.');
    }
    hash.update('|');
  }
  return hash.digest('hex');
}

/** What tells whether two samples are the same to the model. */
export function sampleFingerprint({ tokens }: Sample): string {
  return createHash('sha256').update(Int32Array.from(tokens)).digest('base64');
}
