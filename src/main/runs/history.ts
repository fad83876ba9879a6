import type { LossPoint, TrainingRun, ValidationPoint } from '../../shared/contract/index.ts';

/** More points than a chart has pixels to tell apart, and few enough to be told several times a second. */
export const mostPoints = 400;

/**
 * The losses with one more. Where there are many, every second, fourth… step is kept: which ones depends on the last step
 * alone, so that the points stay evenly apart however the run came there.
 */
export function withLoss(losses: readonly LossPoint[], point: LossPoint): LossPoint[] {
  let stride = 1;
  while (point.step / stride > mostPoints) stride *= 2;
  return [...losses, point].filter(({ step }) => step % stride === 0);
}

/** The measurements with one more; where there are many, every second is left out. */
export function withValidation(
  points: readonly ValidationPoint[],
  point: ValidationPoint,
): ValidationPoint[] {
  const all = [...points, point];
  return all.length <= mostPoints ? all : all.filter((_, index) => index % 2 === 1);
}

/** What was found out up to the step that a run goes on from. */
export function upTo(
  doneSteps: number,
  { losses, validations, step }: TrainingRun,
): Pick<TrainingRun, 'losses' | 'validations' | 'step'> {
  return {
    losses: losses.filter((point) => point.step <= doneSteps),
    validations: validations.filter((point) => point.step <= doneSteps),
    step: step !== null && step.step <= doneSteps ? step : null,
  };
}
