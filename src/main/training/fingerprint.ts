import { createHash } from 'node:crypto';
import type { Sample } from './batches.ts';

/** What tells whether a run goes on with the same data. */
export function dataFingerprint(samples: readonly Sample[]): string {
  const hash = createHash('sha256');
  for (const { tokens, learnt } of samples) {
    hash.update(Int32Array.from(tokens)).update(Uint8Array.from(learnt, Number)).update('.');
  }
  return hash.digest('hex');
}
