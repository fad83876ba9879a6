import type { ScheduleKind } from './messages.ts';

/** How the learning rate changes over a run. */
export interface Schedule {
  kind: ScheduleKind;
  /** The highest learning rate. */
  peak: number;
  /** Steps in which it rises from zero. */
  warmup: number;
  /** Steps of the whole run. */
  steps: number;
}

/** The learning rate of a step, which count from 1. Behind the warm-up it falls to zero by the end, or stays. */
export function learningRate({ kind, peak, warmup, steps }: Schedule, step: number): number {
  if (step <= warmup) return (peak * step) / warmup;
  const progress = Math.min(1, (step - warmup - 1) / Math.max(1, steps - warmup));
  if (kind === 'constant') return peak;
  return kind === 'linear' ? peak * (1 - progress) : (peak * (1 + Math.cos(Math.PI * progress))) / 2;
}
