export { type MergeModel } from './draft.ts';
export { mergeModels, type MergedModel, type MergeOptions } from './merge-models.ts';
export { readMergekitYaml } from './mergekit-yaml.ts';
export { type MergeRecipe, modelsOf, type RecipeMethod } from './recipe.ts';
export { type MergeArguments, recipeFromArguments } from './recipe-from-arguments.ts';
