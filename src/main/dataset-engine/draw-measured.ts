import { mostValidation } from '../../shared/contract/index.ts';
import { Reservoir } from '../datasets/reservoir.ts';

/**
 * Draws the examples that are measured on: a share of all, at most `mostValidation`, and never all of them. The same examples and
 * the same seed give the same ones.
 */
export function drawMeasured(ids: readonly number[], share: number, seed: number): number[] {
  const count = Math.min(Math.round(ids.length * share), mostValidation, ids.length - 1);
  if (count <= 0) return [];
  const drawn: number[] = [];
  const reservoir = new Reservoir(count, seed);
  for (const id of ids) {
    const slot = reservoir.slot();
    if (slot !== null) drawn[slot] = id;
  }
  return drawn;
}
