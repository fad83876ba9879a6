import type { Model } from './contract/index.ts';

/** As much of a model as decides whether it answers. */
type Answerer = Pick<Model, 'id' | 'kind' | 'origin' | 'parameters' | 'missing'>;

/**
 * The model that answers: the one that is wanted, or else the first of this machine whose file is there. The starter model, and what is
 * no larger, as what was made of it, stands back for the others: it is there to try things out.
 */
export function answeringModel<Kind extends Answerer>(
  models: readonly Kind[],
  wanted: number | null | undefined,
): Kind | undefined {
  const chosen = models.find(({ id, kind }) => id === wanted && kind !== 'adapter' && kind !== 'weights');
  if (chosen) return chosen;
  const present = models.filter(({ kind, missing }) => kind === 'model' && !missing);
  const starter = present.find(({ origin }) => origin === 'starter');
  const tryingOut = starter?.parameters ?? 0;
  return present.find(({ parameters }) => (parameters ?? Infinity) > tryingOut) ?? starter ?? present[0];
}
