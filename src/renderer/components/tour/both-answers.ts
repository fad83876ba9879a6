import type { TrainingRun } from '../../../shared/contract/index.ts';
import { stepOfResult } from '../../../shared/result-of-run.ts';

/** What a run's model answered to the same, before and after. */
export interface BothAnswers {
  prompt: string;
  before: string;
  after: string;
}

/** Of the prompts of a run, those that were asked before it had learnt anything, and of what it hands out in the end. */
export function bothAnswers(run: Pick<TrainingRun, 'samples' | 'step' | 'validations'>): BothAnswers[] {
  const step = stepOfResult(run);
  return run.samples.flatMap(({ prompt, base, replies }) => {
    const after = replies.find((reply) => reply.step === step);
    return base === null || !after ? [] : [{ prompt, before: base, after: after.text }];
  });
}
