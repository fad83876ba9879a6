import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import { checkRecipe } from './check-recipe.ts';
import { recipeMethodNamed, recipeMethods, type MergeRecipe } from './recipe.ts';

export interface MergeArguments {
  readonly method: string;
  /** Weights are 1 where absent. */
  readonly models: readonly { readonly path: string; readonly weight?: number }[];
  readonly base?: string | undefined;
  /** 1 where absent: nothing is dropped. */
  readonly density?: number | undefined;
  /** Of slerp; where absent, the share of the second model's weight, which is half for equal weights. */
  readonly t?: number | undefined;
  readonly lambda?: number | undefined;
  readonly normalize?: boolean | undefined;
  readonly type?: MergeRecipe['type'];
  readonly seed?: number | undefined;
}

/** The recipe for a merge of whole models that a command line describes. Errors: `invalid-input`. */
export function recipeFromArguments(given: MergeArguments): MergeRecipe {
  const { models, type, seed = 0, density, lambda, normalize } = given;
  const method = recipeMethodNamed(given.method);
  if (!method) throw unknownMethod(given.method);
  if (method === 'passthrough') {
    throw new PunaError(
      'invalid-input',
      'passthrough needs ranges of layers.',
      'Write a recipe with slices, as for mergekit, and name that file.',
    );
  }
  // Interpolation starts somewhere; of two models it is the first.
  const base = given.base ?? (method === 'slerp' ? models[0]?.path : undefined);
  const t = method === 'slerp' ? (given.t ?? shareOfOther(models, base)) : given.t;
  const recipe: MergeRecipe = {
    method,
    models: models.map(({ path, weight = 1 }) =>
      // Weights of slerp are in t, and the base's own does not count where it is subtracted from the others.
      method === 'slerp' || (path === base && method !== 'linear')
        ? { model: path }
        : { model: path, parameters: { weight } },
    ),
    ...(base !== undefined && { base }),
    parameters: {
      ...(density !== undefined && { density }),
      ...(t !== undefined && { t }),
      ...(lambda !== undefined && { lambda }),
      ...(normalize !== undefined && { normalize }),
    },
    ...(type && { type }),
    seed,
    notes: [],
  };
  checkRecipe(recipe);
  return recipe;
}

function shareOfOther(models: MergeArguments['models'], base: string | undefined): number {
  const sum = models.reduce((total, { weight = 1 }) => total + weight, 0);
  const ofBase = models.find(({ path }) => path === base)?.weight ?? 1;
  const all = models.some(({ path }) => path === base) ? sum : sum + ofBase;
  return (all - ofBase) / all;
}

/** The error for a method that Puna does not know, with those that it does. */
export function unknownMethod(name: string, where = ''): PunaError {
  return new PunaError(
    'invalid-input',
    `${where}Puna knows no way to merge called ${quoted(name)}.`,
    `Choose one of ${recipeMethods.join(', ')}.`,
  );
}
