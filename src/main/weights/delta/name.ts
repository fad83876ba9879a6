import { basename } from 'node:path';

/** Deltas of other programs look as models do, but for their name. */
export function soundsLikeDelta(path: string): boolean {
  return /(^|[-_. ])(delta|diff|xor)s?([-_. \d]|$)/i.test(basename(path));
}
