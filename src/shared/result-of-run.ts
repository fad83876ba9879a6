import type { TrainingRun } from './contract/index.ts';

/** After how many steps what a run hands out is as it is: the best measured one's, else the last one's. */
export function stepOfResult({ validations, step }: Pick<TrainingRun, 'validations' | 'step'>): number {
  return validations.findLast(({ best }) => best)?.step ?? step?.step ?? 0;
}
