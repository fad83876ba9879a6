import uPlot from 'uplot';
import type { LossPoint } from '../../../../shared/contract/index.ts';
import { nearest } from './axes.ts';

/** How a curve is drawn: as a line, as a faint one behind others, or as a line with its points. */
export type Look = 'line' | 'faint' | 'points';

/** More curves than that in one chart nobody tells apart. */
export const mostColours = 8;

export interface Curve {
  key: string;
  label: string;
  /** One of the colours of curves.css, from 1 to `mostColours`. */
  colour: number;
  look: Look;
  points: readonly LossPoint[];
}

/** The curves over the steps that any of them has; a step that one of them does not have is undefined there. */
export function aligned(curves: readonly Curve[]): uPlot.AlignedData {
  return uPlot.join(
    curves.map(({ points }) => [points.map(({ step }) => step), points.map(({ loss }) => loss)]),
  );
}

/** A step, and what each curve has there or nearest to there. */
export interface Reading {
  step: number;
  losses: (number | null)[];
}

/** What stands at a place in aligned curves; null outside of them. */
export function readingAt([steps, ...columns]: uPlot.AlignedData, at: number): Reading | null {
  const step = steps[at];
  if (step === undefined) return null;
  const losses = columns.map((column) => {
    const place = nearest(column, at);
    return place === null ? null : (column[place] ?? null);
  });
  return { step, losses };
}
