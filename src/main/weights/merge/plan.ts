import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import type { Tensor } from '../formats/tensor.ts';
import { checkAgreement, checkStackable } from './agreement.ts';
import { type Draft, draftMerge, isComputedAnew, type MergeModel } from './draft.ts';
import type { FlagParameter, MergeParameters, MergeRecipe, NumberParameter } from './recipe.ts';
import { evaluate } from './setting.ts';

/** Parameters as they are for one tensor, at its layer. */
export interface ParametersHere {
  number(name: NumberParameter): number | undefined;
  flag(name: FlagParameter): boolean | undefined;
}

export interface PlannedInput {
  readonly model: string;
  readonly tensor: Tensor;
  readonly isBase: boolean;
  readonly parameters: ParametersHere;
}

/** A tensor of the result, and what it is made from: tensors of one shape. */
export interface PlannedTensor {
  readonly name: string;
  /** In the recipe's order, the base among them. */
  readonly inputs: readonly [PlannedInput, ...PlannedInput[]];
  /** Those that do not depend on the input. */
  readonly parameters: ParametersHere;
}

export interface MergePlan {
  readonly planned: readonly PlannedTensor[];
  /** Of the result. */
  readonly layers: number;
  readonly notes: readonly string[];
}

/**
 * Which tensors the result has, in order, and what each is made from. Errors: `invalid-input` where a model is missing, where
 * models are not of one shape, and for layers that a model does not have.
 */
export function planMerge(recipe: MergeRecipe, models: ReadonlyMap<string, MergeModel>): MergePlan {
  const { drafts, layers } = draftMerge(recipe, models);
  checkAgreement(drafts);
  if (recipe.method === 'passthrough') checkStackable(drafts);
  return { planned: drafts.flatMap(plannedFrom), layers, notes: notesOn(drafts) };
}

function plannedFrom({ name, place, parts }: Draft): PlannedTensor[] {
  const [first, ...others] = parts.flatMap(({ source, name: itsName, tensor }): PlannedInput[] => {
    const { model, isBase, scopes } = source;
    return tensor ? [{ model, tensor, isBase, parameters: parametersHere(scopes, itsName, place) }] : [];
  });
  if (!first) return [];
  const [, ...shared] = parts[0]?.source.scopes ?? [undefined];
  return [{ name, inputs: [first, ...others], parameters: parametersHere(shared, name, place) }];
}

/** The first scope that says anything of a parameter for this tensor decides. */
function parametersHere(
  scopes: readonly (MergeParameters | undefined)[],
  tensorName: string,
  place: number,
): ParametersHere {
  const find = (name: NumberParameter | FlagParameter) => {
    for (const scope of scopes) {
      const setting = scope?.[name];
      // One of two generic types, which `evaluate` treats alike.
      const value =
        setting === undefined ? undefined : evaluate<number | boolean>(setting, tensorName, place);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  return {
    number: (name) => {
      const value = find(name);
      return typeof value === 'number' ? value : undefined;
    },
    flag: (name) => {
      const value = find(name);
      return typeof value === 'boolean' ? value : undefined;
    },
  };
}

/** A number that there must be. Errors: `invalid-input`, which names the input (or the tensor) that has none. */
export function required(
  name: NumberParameter,
  { parameters, ...of }: { parameters: ParametersHere } & ({ model: string } | { name: string }),
): number {
  const value = parameters.number(name);
  if (value !== undefined) return value;
  const whose = 'model' in of ? of.model : of.name;
  throw new PunaError(
    'invalid-input',
    `The recipe gives no ${name} for ${quoted(whose)}.`,
    `Add ${name} to its parameters.`,
  );
}

function notesOn(drafts: readonly Draft[]): string[] {
  const parts = drafts.flatMap((draft) => draft.parts);
  const tied = parts.filter(({ source, name, tensor }) => tensor && !source.tensors.has(name));
  const sources = new Set(parts.map(({ source }) => source));
  const hasComputed = [...sources].some(({ tensors }) => [...tensors.keys()].some(isComputedAnew));
  return [
    ...tied.map(
      ({ source }) => `${quoted(source.model)} has no head of its own; its embeddings are taken for one.`,
    ),
    ...(hasComputed ? ['Rotary frequencies (inv_freq) are left out: every program computes them anew.'] : []),
  ];
}
