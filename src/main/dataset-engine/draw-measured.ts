import { mostValidation } from '../../shared/contract/index.ts';
import { Reservoir } from '../datasets/reservoir.ts';

/**
 * Draws the examples that are measured on: a share of all, at most `mostValidation`, and never all of them. Examples of a group
 * are all drawn or none, so that nothing is measured that is also learnt; groups too large for that are learnt. The same groups
 * and the same seed give the same examples.
 */
export function drawMeasured(groups: readonly (readonly number[])[], share: number, seed: number): number[] {
  const examples = groups.reduce((sum, { length }) => sum + length, 0);
  const count = Math.min(Math.round(examples * share), mostValidation, examples - 1);
  if (count <= 0) return [];
  const candidates: (readonly number[])[] = [];
  const reservoir = new Reservoir(count, seed);
  for (const group of groups) {
    const slot = group.length <= count ? reservoir.slot() : null;
    if (slot !== null) candidates[slot] = group;
  }
  const drawn: number[] = [];
  for (const group of candidates) if (drawn.length + group.length <= count) drawn.push(...group);
  return drawn;
}
