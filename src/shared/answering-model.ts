import type { Model } from './contract/index.ts';

/** As much of a model as decides whether it answers. */
type Answerer = Pick<Model, 'id' | 'kind' | 'origin' | 'parameters' | 'missing' | 'broken' | 'verified'>;

/**
 * The model that answers: the one that is wanted, or else the first of this machine whose file is there, and not known to be of no
 * use. The starter model, and what is no larger, as what was made of it, stands back for the others: it is there to try things out.
 */
export function answeringModel<Kind extends Answerer>(
  models: readonly Kind[],
  wanted: number | null | undefined,
): Kind | undefined {
  const chosen = models.find(({ id, kind }) => id === wanted && kind !== 'adapter' && kind !== 'weights');
  if (chosen) return chosen;
  const present = models.filter(({ kind, missing }) => kind === 'model' && !missing);
  // Where all are broken, the first one tells what is wrong with it.
  const sound = present.some(isSound) ? present.filter(isSound) : present;
  const starter = sound.find(({ origin }) => origin === 'starter');
  const tryingOut = starter?.parameters ?? 0;
  return sound.find(({ parameters }) => (parameters ?? Infinity) > tryingOut) ?? starter ?? sound[0];
}

/** Nothing is known against its file. */
function isSound({ broken, verified }: Answerer): boolean {
  return broken === null && verified?.result !== 'damaged';
}
