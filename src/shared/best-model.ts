import type { RecommendedModel } from './contract/index.ts';

/** A model of this size is there in minutes, and writes faster than people read on an ordinary laptop. */
const mostGigabytes = 5.5;
/** Leaves room for everything else that a person has open. */
const memoryShare = 0.35;

/** The one to begin with: the best that is still quick on a machine with so much memory, in bytes, and speaks the language. */
export function bestOf<Offered extends Pick<RecommendedModel, 'fits' | 'gigabytes' | 'languages'>>(
  models: readonly Offered[],
  { memory, language }: { memory: number; language: string },
): Offered | null {
  const most = Math.min(mostGigabytes, (memory / 1e9) * memoryShare);
  const quick = models.filter(({ fits, gigabytes }) => fits && gigabytes <= most);
  return (
    quick.findLast(({ languages }) => languages.includes(language)) ??
    quick.at(-1) ??
    models.find(({ fits }) => fits) ??
    null
  );
}
