import type { LossPoint, TrainingRun, ValidationPoint } from '../../shared/contract/index.ts';

/** More points than a chart has pixels to tell apart, and few enough to be told several times a second. */
export const mostPoints = 400;

/** Which ones of so many are kept: every one, every second, every fourth… */
function strideOf(count: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(count / mostPoints)));
}

/**
 * The losses with one more. Which steps are kept depends on the last one alone, so that the points stay evenly apart however
 * the run came there.
 */
export function withLoss(losses: readonly LossPoint[], point: LossPoint): LossPoint[] {
  const stride = strideOf(point.step);
  return [...losses, point].filter(({ step }) => step % stride === 0);
}

/** The measurements with one more, likewise; they are `every` so many steps, and after the last one. */
export function withValidation(
  points: readonly ValidationPoint[],
  point: ValidationPoint,
  every: number,
): ValidationPoint[] {
  const stride = strideOf(point.step / every);
  return [...points.filter(({ step }) => (step / every) % stride === 0), point];
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
