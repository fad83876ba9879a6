import type { LossPoint } from '../../../../shared/contract/index.ts';

/** Of a run's steps, the share after which what was before counts half: noise goes, bends stay where they are. */
const memory = 1 / 40;

/**
 * The course of noisy losses: of each point and all before it the mean, weighted by half as much for each `halfLife` steps
 * further back. The first point is itself, since nothing is taken to have been before it.
 */
export function smoothed(points: readonly LossPoint[], halfLife: number): LossPoint[] {
  let sum = 0;
  let weight = 0;
  let before = 0;
  return points.map(({ step, loss }) => {
    const kept = 0.5 ** ((step - before) / halfLife);
    sum = sum * kept + loss;
    weight = weight * kept + 1;
    before = step;
    return { step, loss: sum / weight };
  });
}

/** A half-life in steps that suits as many. */
export function usualHalfLife(steps: number): number {
  return Math.max(1, steps * memory);
}

/** At most so many points, evenly apart, with the first and the last one. */
export function thinned<Point>(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  const every = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => Math.round(index * every)).flatMap((at) =>
    points.slice(at, at + 1),
  );
}
