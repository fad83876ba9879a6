import type { TrainingRun } from '../../../shared/contract/index.ts';

/** What a run's model answered to the same, before and after. */
export interface BothAnswers {
  prompt: string;
  before: string;
  after: string;
}

/** Of the prompts of a run, those that were asked before it had learnt anything, and after its last step. */
export function bothAnswers({ samples, step }: Pick<TrainingRun, 'samples' | 'step'>): BothAnswers[] {
  return samples.flatMap(({ prompt, base, replies }) => {
    const last = replies.at(-1);
    return base === null || last?.step !== step?.step || last === undefined
      ? []
      : [{ prompt, before: base, after: last.text }];
  });
}
