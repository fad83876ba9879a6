import type {
  LossPoint,
  TrainingRun,
  TrainingState,
  ValidationPoint,
} from '../../../shared/contract/index.ts';

/** Has not ended yet. */
export function isActive({ state }: { state: TrainingState }): boolean {
  return state === 'waiting' || state === 'preparing' || state === 'running' || state === 'paused';
}

/** How much of its steps a run has done; null before it has begun with them. */
export function shareOf({ plan, step }: Pick<TrainingRun, 'plan' | 'step'>): number | null {
  if (!plan) return null;
  return Math.min(1, Math.max(plan.doneSteps, step?.step ?? 0) / Math.max(1, plan.steps));
}

/** The run that is at work, of those there are; a paused one is, since nothing else can be. */
export function runAtWork(runs: readonly TrainingRun[]): TrainingRun | null {
  return runs.find((run) => isActive(run) && run.state !== 'waiting') ?? null;
}

/** Held-out losses before anything was learnt and where it was best; null where nothing was measured. */
export interface BeforeAfter {
  before: LossPoint;
  after: LossPoint;
}

/** What was kept of a run is where it measured best after it had learnt something. */
export function beforeAndAfter(validations: readonly ValidationPoint[]): BeforeAfter | null {
  const before = validations.find(({ step }) => step === 0);
  const after = keptOf(validations);
  return before && after ? { before, after } : null;
}

/** Where a run measured best after it had learnt something: that is what was kept. */
export function keptOf(validations: readonly ValidationPoint[]): ValidationPoint | null {
  return bestOf(validations.filter(({ step }) => step > 0));
}

/** The point with the lowest loss. */
export function bestOf<Point extends LossPoint>(points: readonly Point[]): Point | null {
  return points.reduce<Point | null>((best, point) => (best && best.loss <= point.loss ? best : point), null);
}

/** Changes of the held-out loss below that share are as good as none. */
const noticeable = 0.01;

/** What measuring says about teaching. */
export function verdictOf({ before, after }: BeforeAfter): 'better' | 'same' | 'worse' {
  const change = (after.loss - before.loss) / before.loss;
  if (Math.abs(change) < noticeable) return 'same';
  return change < 0 ? 'better' : 'worse';
}
