import type { LossPoint, Sample, TrainingRun, ValidationPoint } from '../../shared/contract/index.ts';

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

/** The measurements with one more, likewise; they are `every` so many steps, before the first one and after the last one. */
export function withValidation(
  points: readonly ValidationPoint[],
  point: ValidationPoint,
  every: number,
): ValidationPoint[] {
  const stride = strideOf(point.step / every);
  // What begins anew measures the base once more.
  return [...points.filter(({ step }) => step < point.step && (step / every) % stride === 0), point];
}

type SampleReply = Sample['replies'][number];

/** More than a person reads, and few enough to be told with every step. */
export const mostReplies = 24;

/** The replies to a prompt with one more, in the order of their steps; where they become too many, every second one goes. */
export function withReply(replies: readonly SampleReply[], reply: SampleReply): SampleReply[] {
  const all = [...replies.filter(({ step }) => step !== reply.step), reply].sort(
    (one, other) => one.step - other.step,
  );
  if (all.length <= mostReplies) return all;
  return all.filter((_, index) => index % 2 === 0 || index === all.length - 1);
}

/** The same where nobody is asked any more: what has not been answered will not be. */
export function withoutHope(samples: readonly Sample[]): Sample[] {
  return samples.map((sample) => {
    const isAnswered = sample.base !== null && sample.replies.length > 0;
    return isAnswered || sample.missing ? sample : { ...sample, missing: true };
  });
}

/** The same where they are asked again. */
export function withHope(samples: readonly Sample[]): Sample[] {
  return samples.map(({ prompt, base, replies }) => ({ prompt, base, replies }));
}

/** What was found out up to the step that a run goes on from. */
export function upTo(
  doneSteps: number,
  { losses, validations, step, samples }: TrainingRun,
): Pick<TrainingRun, 'losses' | 'validations' | 'step' | 'samples'> {
  const until = <Point extends { step: number }>(points: Point[]) =>
    points.filter((point) => point.step <= doneSteps);
  return {
    losses: until(losses),
    validations: until(validations),
    step: step !== null && step.step <= doneSteps ? step : null,
    samples: samples.map((sample) => ({ ...sample, replies: until(sample.replies) })),
  };
}
