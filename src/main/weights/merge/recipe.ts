import { z } from 'zod';
import { mergeMethods } from '../../../shared/contract/weights-choices.ts';
import { settingOf } from './setting.ts';

/** Of whole models, which a command line can tell, and of ranges of layers. */
export const recipeMethods = [...mergeMethods, 'passthrough'] as const;
export type RecipeMethod = (typeof recipeMethods)[number];

/** What mergekit calls two of the methods. */
const mergekitNames: ReadonlyMap<string, RecipeMethod> = new Map([
  ['task_arithmetic', 'task'],
  ['dare_linear', 'dare'],
]);

/** The method of that name, Puna's or mergekit's. */
export function recipeMethodNamed(name: string): RecipeMethod | undefined {
  return recipeMethods.find((method) => method === name) ?? mergekitNames.get(name);
}

const number = settingOf(z.number(), 'a number');
const flag = settingOf(z.boolean(), 'true or false');

/** Names and meaning are mergekit's. */
export const parametersSchema = z
  .strictObject({
    /** Of a model: how much it counts. */
    weight: number,
    /** Of a model: the share of its task vector that is kept, above 0 and at most 1. */
    density: number,
    /** Where between base (0) and the other model (1). */
    t: number,
    /** What the sum of the task vectors is multiplied by. */
    lambda: number,
    /** What a tensor is multiplied by that is passed through. */
    scale: number,
    /** Whether the weights are divided by their sum. */
    normalize: flag,
    /** Whether what is kept of a task vector is enlarged to the size (sum of magnitudes) that the whole had. */
    rescale: flag,
  })
  .partial();
export type MergeParameters = z.infer<typeof parametersSchema>;

export const numberParameterNames = ['weight', 'density', 't', 'lambda', 'scale'] as const;
export type NumberParameter = (typeof numberParameterNames)[number];
export const flagParameterNames = ['normalize', 'rescale'] as const;
export type FlagParameter = (typeof flagParameterNames)[number];

/** Parameters that a method heeds. */
export const parametersOf: Readonly<Record<RecipeMethod, readonly (NumberParameter | FlagParameter)[]>> = {
  linear: ['weight', 'normalize'],
  slerp: ['t'],
  task: ['weight', 'normalize', 'lambda'],
  ties: ['weight', 'density', 'normalize', 'rescale', 'lambda'],
  dare: ['weight', 'density', 'normalize', 'rescale', 'lambda'],
  dare_ties: ['weight', 'density', 'normalize', 'rescale', 'lambda'],
  passthrough: ['scale'],
};

export const floatTypeSchema = z.enum(['F32', 'F16', 'BF16']);

const modelSchema = z.strictObject({ model: z.string().min(1), parameters: parametersSchema.optional() });
const sourceSchema = modelSchema.extend({
  /** First layer, and the one after the last. */
  layerRange: z.tuple([z.int().min(0), z.int().min(0)]),
});
const sliceSchema = z.strictObject({
  sources: z.array(sourceSchema).min(1),
  base: z.string().optional(),
  parameters: parametersSchema.optional(),
});

/** How models become one, as plain data. Models are named as whoever opens them knows them. */
export const mergeRecipeSchema = z.strictObject({
  name: z.string().optional(),
  method: z.enum(recipeMethods),
  /** Whole models; either these or slices. */
  models: z.array(modelSchema).min(1).optional(),
  /** Layers of the result from the first on, by ranges of layers of models. */
  slices: z.array(sliceSchema).min(1).optional(),
  base: z.string().optional(),
  parameters: parametersSchema,
  /** Type of the result; each tensor's own where absent. */
  type: floatTypeSchema.optional(),
  /** Of DARE's choice of what it drops. */
  seed: z.int().min(0),
  /** What a person should know of how the recipe was read. */
  notes: z.array(z.string()),
});

export type MergeRecipe = z.infer<typeof mergeRecipeSchema>;
export type MergeSlice = z.infer<typeof sliceSchema>;

/** Models that a recipe names, each once; the base first, then in the recipe's order. */
export function modelsOf({ base, models = [], slices = [] }: MergeRecipe): string[] {
  const named = [
    base,
    ...models.map(({ model }) => model),
    ...slices.flatMap((slice) => [slice.base, ...slice.sources.map(({ model }) => model)]),
  ];
  return [...new Set(named.filter((model) => model !== undefined))];
}
