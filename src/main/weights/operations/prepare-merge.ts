import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import {
  mergeModels,
  type MergeRecipe,
  modelsOf,
  readMergekitYaml,
  recipeFromArguments,
} from '../merge/index.ts';
import type { WeightsOperation } from '../messages.ts';
import type { ModelDescription, ModelSource } from '../sources/model-source.ts';
import { openModelSource } from '../sources/open.ts';
import { nameOf } from './paths.ts';
import { noChanges, nothingToCompare, type Prepared } from './prepared.ts';

type Operation<Kind> = Extract<WeightsOperation, { kind: Kind }>;

/** mergekit's recipes take a page; what is larger is none. */
const maxRecipeBytes = 1024 * 1024;

export function prepareMerge(
  { method, models, base, t, density, lambda, seed }: Operation<'merge'>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const recipe = recipeFromArguments({
    ...{ method, models, seed, base: base ?? undefined },
    ...{ t: t ?? undefined, density: density ?? undefined, lambda: lambda ?? undefined },
  });
  return prepareRecipe(recipe, '.', opened);
}

/** Models of a recipe are named relative to its file. */
export async function prepareRecipeFile(
  { recipe: path }: Operation<'recipe'>,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  try {
    if ((await stat(path)).size > maxRecipeBytes) {
      throw new PunaError(
        'invalid-input',
        `${path} is too large for a recipe.`,
        'Name a YAML file of mergekit.',
      );
    }
    return await prepareRecipe(
      readMergekitYaml(await readFile(path, 'utf8'), { name: path }),
      dirname(path),
      opened,
    );
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

async function prepareRecipe(
  recipe: MergeRecipe,
  folder: string,
  opened: AsyncDisposableStack,
): Promise<Prepared> {
  const sources = new Map<string, ModelSource>();
  for (const name of new Set(modelsOf(recipe))) {
    const path = isAbsolute(name) ? name : join(folder, name);
    sources.set(name, opened.use(await openModelSource(path)));
  }
  const merged = mergeModels(recipe, sources);
  const [first] = sources.values();
  const described = sources.get(recipe.base ?? '') ?? first;
  if (!described)
    throw new PunaError('invalid-input', 'There is nothing to merge.', 'Name at least one model.');
  return {
    source: {
      ...described,
      tensors: merged.tensors,
      description: withLayers(described.description, merged.layers),
    },
    further: [...sources.values()].map(({ path }) => path),
    ...{ notes: merged.notes, changes: noChanges, prove: () => nothingToCompare },
    madeFrom: {
      operation: `merge: ${recipe.method}`,
      inputs: Object.fromEntries(
        [...sources.keys()].map((name, index) => [`model ${index + 1}`, nameOf(name)]),
      ),
    },
  };
}

/** The same description of a model with so many layers. */
function withLayers(description: ModelDescription | null, layers: number): ModelDescription | null {
  if (!description || layers === 0) return description;
  if (description.form === 'hugging-face') {
    return { ...description, config: { ...description.config, num_hidden_layers: layers } };
  }
  const architecture = String(description.metadata.get('general.architecture')?.value);
  const key = `${architecture}.block_count`;
  return {
    ...description,
    metadata: new Map([...description.metadata, [key, { type: 'uint32', value: layers }]]),
  };
}
