import { PunaError } from '../../shared/error.ts';
import type { RunState } from './checkpoint.ts';
import type { DropoutMasks } from './dropout.ts';
import type { StepReport, TrainingResult, TrainingSettings } from './messages.ts';
import type { Optimizer } from './optimizer.ts';
import type { Plan } from './plan.ts';
import { learningRate } from './schedule.ts';
import type { SequenceGraph } from './sequence-graph.ts';

/** Everything that a step computes with. */
export interface Machinery {
  plan: Plan;
  training: SequenceGraph;
  /** Null where nothing is measured on. */
  evaluation: SequenceGraph | null;
  optimizer: Optimizer;
  dropout: DropoutMasks | null;
}

/** What happens around the steps. */
export interface Hooks {
  signal: AbortSignal;
  /** Resolves when the next step may begin. */
  turn(): Promise<unknown>;
  onStep(report: Omit<StepReport, 'memoryBytes'>): void;
  onValidation(step: number, loss: number, best: boolean): void;
  /** Keeps the parameters as they are. */
  save(state: RunState): Promise<void>;
  saveBest(state: RunState): Promise<void>;
  /** Copies the parameters as they are, for whoever wants to see what has been learnt so far. */
  snapshot(state: RunState): Promise<void>;
}

/**
 * Trains from where the state stands to the end of the plan, or until it is stopped. Errors: `invalid-input` where the loss is
 * no number any more: the parameters before that step are saved first.
 */
export async function train(
  machinery: Machinery,
  settings: TrainingSettings,
  state: RunState,
  hooks: Hooks,
): Promise<TrainingResult['finish']> {
  const { plan } = machinery;
  if (machinery.evaluation && state.step === 0 && state.baseValidationLoss === null) {
    await hooks.turn();
    const loss = await validationLoss(plan, machinery.evaluation, hooks.signal);
    if (loss === null) return stop(state, hooks);
    state.baseValidationLoss = loss;
    hooks.onValidation(0, loss, false);
  }
  // One that could not write its result any more goes on to its end, not beyond it.
  if (isOutOfPatience(state, settings)) return 'early';
  while (state.step < plan.steps) {
    await hooks.turn();
    if (hooks.signal.aborted) return stop(state, hooks);
    const report = await step(machinery, settings, state.step + 1, hooks.signal).catch(
      async (thrown: unknown) => {
        // What was learnt before is still whole.
        await hooks.save(state);
        throw thrown;
      },
    );
    if (report === null) return stop(state, hooks);
    state.step = report.step;
    state.loss = report.loss;
    hooks.onStep(report);

    const isLast = state.step === plan.steps;
    if (machinery.evaluation && (state.step % settings.evaluateEvery === 0 || isLast)) {
      await measure(machinery, machinery.evaluation, state, hooks);
      if (isOutOfPatience(state, settings)) {
        await hooks.save(state);
        return 'early';
      }
    }
    if (settings.trained === 'adapters' && isCopied(state.step, settings.sampleEvery, plan.steps)) {
      await hooks.snapshot(state);
    }
    if (state.step % settings.checkpointEvery === 0 && !isLast) await hooks.save(state);
  }
  await hooks.save(state);
  return 'done';
}

function isOutOfPatience({ withoutImprovement }: RunState, { patience }: TrainingSettings): boolean {
  return patience !== null && withoutImprovement >= patience;
}

/** Whether a copy is left after a step; not shortly before the end, from which it could hardly be told. */
export function isCopied(step: number, every: number | null, steps: number): boolean {
  if (every === null || step % every !== 0) return false;
  return step === steps || steps - step >= every / 2;
}

async function stop(state: RunState, hooks: Hooks): Promise<TrainingResult['finish']> {
  await hooks.save(state);
  return 'stopped';
}

/** One step: gradients of all sequences of its batch, then the optimizer. Null where it was stopped before its end. */
async function step(
  { plan, training, optimizer, dropout }: Machinery,
  settings: TrainingSettings,
  number: number,
  signal: AbortSignal,
): Promise<Omit<StepReport, 'memoryBytes'> | null> {
  const begin = performance.now();
  const batch = plan.batch(number);
  const learnt = batch.reduce((sum, { learntTokens }) => sum + learntTokens, 0);
  let loss = 0;
  for (const [index, sequence] of batch.entries()) {
    if (signal.aborted) {
      optimizer.forget();
      return null;
    }
    dropout?.draw(settings.seed, number, index);
    loss += await training.run(sequence);
  }
  // The mean over all tokens of the batch, whichever sequence they are in.
  loss /= learnt;
  const norm = await optimizer.gradientNorm(learnt);
  if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw diverged(number, loss);
  const rate = learningRate(
    { kind: settings.schedule, peak: settings.learningRate, warmup: settings.warmup, steps: plan.steps },
    number,
  );
  await optimizer.step(number, { rate, norm, terms: learnt });

  const tokens = batch.reduce((sum, { usedTokens }) => sum + usedTokens, 0);
  const seconds = (performance.now() - begin) / 1000;
  return {
    ...{ step: number, epoch: number / plan.stepsPerEpoch, loss, learningRate: rate, gradientNorm: norm },
    ...{ tokens, tokensPerSecond: tokens / seconds },
  };
}

/** Nats per token of what is not learnt from; null where it was stopped before its end. */
async function validationLoss(
  { validation }: Plan,
  evaluation: SequenceGraph,
  signal?: AbortSignal,
): Promise<number | null> {
  const learnt = validation.reduce((sum, { learntTokens }) => sum + learntTokens, 0);
  let loss = 0;
  for (const sequence of validation) {
    if (signal?.aborted) return null;
    loss += await evaluation.run(sequence);
  }
  return loss / learnt;
}

/**
 * Measures whether it is the best so far: of what was learnt, the base aside. To its end even when the run is to stop: otherwise
 * one that goes on would miss it.
 */
async function measure(
  { plan }: Machinery,
  evaluation: SequenceGraph,
  state: RunState,
  hooks: Hooks,
): Promise<void> {
  const loss = (await validationLoss(plan, evaluation)) ?? NaN;
  const best = state.bestValidationLoss === null || loss < state.bestValidationLoss;
  state.validationLoss = loss;
  state.bestValidationLoss = best ? loss : state.bestValidationLoss;
  state.withoutImprovement = best ? 0 : state.withoutImprovement + 1;
  if (best) await hooks.saveBest(state);
  hooks.onValidation(state.step, loss, best);
}

function diverged(step: number, loss: number): PunaError {
  return new PunaError(
    'invalid-input',
    `The loss of step ${step} is ${Number.isNaN(loss) ? 'not a number' : 'infinite'}; the run ended before that step.`,
    'Train again with a lower learning rate or a longer warm-up.',
  );
}
