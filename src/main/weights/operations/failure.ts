import { PunaError } from '../../../shared/error.ts';

/** Whether what was begun may be gone on with after this: the person stopped it, or the disk was full. Anything else would fail again. */
export function isGoneOnWith(thrown: unknown): boolean {
  if (thrown instanceof Error && thrown.name === 'AbortError') return true;
  return thrown instanceof PunaError && ['cancelled', 'disk-full', 'already-running'].includes(thrown.code);
}
