import type { LossPoint } from '../../../../shared/contract/index.ts';

/** Of a run's steps, the share within which what is near counts half: noise goes, bends stay where they are. */
const nearness = 1 / 60;
/** Where a run begins, losses fall steeply: of the steps until then, what is as near as that counts half. */
const nearnessAtBeginning = 1 / 5;
/** Nearer than any other step. */
const nearest = 1 / 8;

/**
 * The course of noisy losses: around each point the mean, weighted by half as much for each `halfLife` steps away, before and
 * after, so that the course does not lag behind.
 */
export function smoothed(points: readonly LossPoint[], halfLife: number): LossPoint[] {
  const begin = points[0]?.step ?? 0;
  return points.map(({ step }) => {
    const near = Math.max(nearest, Math.min(halfLife, (step - begin) * nearnessAtBeginning));
    let [sum, weight] = [0, 0];
    for (const other of points) {
      const counts = 0.5 ** (Math.abs(other.step - step) / near);
      sum += counts * other.loss;
      weight += counts;
    }
    return { step, loss: sum / weight };
  });
}

/** A half-life in steps that suits as many. */
export function usualHalfLife(steps: number): number {
  return Math.max(1, steps * nearness);
}

/** At most so many points, evenly apart, with the first and the last one. */
export function thinned<Point>(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  const every = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => Math.round(index * every)).flatMap((at) =>
    points.slice(at, at + 1),
  );
}
