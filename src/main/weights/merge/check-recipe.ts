import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import {
  flagParameterNames,
  type MergeParameters,
  type MergeRecipe,
  type NumberParameter,
  numberParameterNames,
  parametersOf,
} from './recipe.ts';
import { valuesOf } from './setting.ts';

/** Which numbers may be given. Any, where nothing is said. */
const limits: Partial<Record<NumberParameter, { holds: (value: number) => boolean; text: string }>> = {
  density: { holds: (value) => value > 0 && value <= 1, text: 'above 0 and at most 1' },
  t: { holds: (value) => value >= 0 && value <= 1, text: 'from 0 to 1' },
};
const anyNumber = { holds: () => true, text: 'a finite number' };

/**
 * Checks what does not depend on the models: that the recipe names as many models as its method takes, and that numbers lie
 * where they may. Gives notes on parameters that its method does not heed. Errors: `invalid-input`.
 */
export function checkRecipe(recipe: MergeRecipe): string[] {
  const { method, models, slices } = recipe;
  if ((models === undefined) === (slices === undefined)) {
    throw invalid('A merge is of models or of slices of them: one of the two, not both.');
  }
  const scopes = [
    recipe.parameters,
    ...(models ?? []).map(({ parameters }) => parameters),
    ...(slices ?? []).flatMap((slice) => [
      slice.parameters,
      ...slice.sources.map(({ parameters }) => parameters),
    ]),
  ].filter((scope) => scope !== undefined);
  for (const scope of scopes) checkNumbers(scope);
  if (models) checkInputs(recipe, models, recipe.base);
  for (const { sources, base = recipe.base } of slices ?? []) {
    checkInputs(recipe, sources, base);
    checkRanges(sources);
    // Of whole models, the base is added; of layers, nobody else can say which.
    const needsBase = method !== 'linear' && method !== 'passthrough';
    if (base !== undefined && needsBase && sources.every(({ model }) => model !== base)) {
      throw invalid(`The base ${quoted(base)} is not among the sources of a slice.`);
    }
  }
  const heeded: readonly string[] = parametersOf[method];
  const given = [...numberParameterNames, ...flagParameterNames].filter((name) =>
    scopes.some((scope) => scope[name] !== undefined),
  );
  return given
    .filter((name) => !heeded.includes(name))
    .map((name) => `"${name}" has no effect on the method ${method}.`);
}

function checkNumbers(parameters: MergeParameters): void {
  for (const name of numberParameterNames) {
    const { holds, text } = limits[name] ?? anyNumber;
    for (const value of valuesOf(parameters[name] ?? [])) {
      if (!Number.isFinite(value) || !holds(value)) throw invalid(`"${name}" must be ${text}, not ${value}.`);
    }
  }
}

function checkInputs(
  { method }: MergeRecipe,
  inputs: readonly { model: string }[],
  base: string | undefined,
): void {
  const names = inputs.map(({ model }) => model);
  if (names.length === 0) throw invalid('A merge needs models.');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`${quoted(twice)} stands twice among the models to merge.`);
  const count = new Set(base === undefined ? names : [...names, base]).size;
  switch (method) {
    case 'linear':
      return;
    case 'passthrough':
      if (names.length === 1) return;
      throw invalid(`passthrough takes one model for each range of layers, not ${names.length}.`);
    case 'slerp':
      if (count !== 2) throw invalid(`slerp takes exactly two models, the base among them, not ${count}.`);
      break;
    case 'task':
    case 'ties':
    case 'dare':
    case 'dare_ties':
      if (base !== undefined && count < 2) throw invalid(`${method} needs a model beside the base.`);
  }
  if (base === undefined) {
    throw invalid(
      `${method} needs a base model.`,
      'Name it: base_model in a recipe, --base on the command line.',
    );
  }
}

function checkRanges(sources: readonly { model: string; layerRange: readonly [number, number] }[]): void {
  const lengths = sources.map(({ model, layerRange: [first, end] }) => {
    if (first < end) return end - first;
    throw invalid(`The layers [${first}, ${end}] of ${quoted(model)} are none.`);
  });
  if (new Set(lengths).size > 1) {
    throw invalid(`The sources of a slice have ${lengths.join(', ')} layers; each must have as many.`);
  }
}

function invalid(sentence: string, remedy = 'Correct the recipe.'): PunaError {
  return new PunaError('invalid-input', sentence, remedy);
}
