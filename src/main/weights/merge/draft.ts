import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import type { Tensor } from '../formats/tensor.ts';
import { isBeforeLayers, layerCounts, layerNameOf } from './layers.ts';
import type { MergeParameters, MergeRecipe, MergeSlice } from './recipe.ts';

/** What a merge needs of an open model. */
export interface MergeModel {
  readonly path: string;
  /** By their names, which are Hugging Face's. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A model as one input of a merge. */
export interface Source {
  readonly model: string;
  readonly isBase: boolean;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What the recipe says of this input: nearest first, which is the source's own. */
  readonly scopes: readonly [own: MergeParameters | undefined, ...shared: (MergeParameters | undefined)[]];
}

/** A tensor of the result, and the tensors that it would be made from, whether or not they are there and fit. */
export interface Draft {
  readonly name: string;
  /** From the first layer (0) to the last (1), along which gradients go. */
  readonly place: number;
  readonly parts: readonly DraftPart[];
}

export interface DraftPart {
  readonly source: Source;
  readonly name: string;
  readonly tensor: Tensor | undefined;
}

/** Tensors of the result in order, and how many layers it has. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  readonly layers: number;
}

/** Frequencies that some checkpoints keep and every program computes anew. mergekit leaves them out, too. */
export const isComputedAnew = (name: string) => name.endsWith('rotary_emb.inv_freq');

/** Every tensor of the models, or of the layers that slices name. Errors: `invalid-input` for models and layers that are not there. */
export function draftMerge(recipe: MergeRecipe, models: ReadonlyMap<string, MergeModel>): Drafts {
  return recipe.slices ? draftSlices(recipe, recipe.slices, models) : draftWhole(recipe, models);
}

function draftWhole(recipe: MergeRecipe, models: ReadonlyMap<string, MergeModel>): Drafts {
  const { base, method, parameters } = recipe;
  const inputs: readonly { model: string; parameters?: MergeParameters | undefined }[] = recipe.models ?? [];
  const addsBase =
    base !== undefined && method !== 'passthrough' && inputs.every(({ model }) => model !== base);
  const sources = [...inputs, ...(addsBase ? [{ model: base }] : [])].map(
    ({ model, parameters: own }: (typeof inputs)[number]): Source => ({
      ...{ model, isBase: model === base, tensors: tensorsOf(models, model) },
      scopes: [own, parameters],
    }),
  );
  const names = namesIn(sources);
  const counts = layerCounts(names);
  const drafts = names.map((name) => {
    const layer = layerNameOf(name);
    return draft(name, layer ? placeOf(layer.index, counts.get(layer.prefix) ?? 0) : 0, sources);
  });
  return { drafts, layers: Math.max(0, ...counts.values()) };
}

/** What is before the layers comes from the first slice's models, what is after them from the last one's, as in mergekit. */
function draftSlices(
  recipe: MergeRecipe,
  slices: readonly MergeSlice[],
  models: ReadonlyMap<string, MergeModel>,
): Drafts {
  const sliced = slices.map((slice) =>
    slice.sources.map(({ model, layerRange, parameters }) => ({
      ...{
        model,
        isBase: model === (slice.base ?? recipe.base),
        tensors: tensorsOf(models, model),
        layerRange,
      },
      scopes: [parameters, slice.parameters, recipe.parameters] as const,
    })),
  );
  const prefix = onlyPrefix(sliced.flat());
  const layers = sliced.flatMap((sources) => {
    for (const source of sources) checkRange(source, prefix);
    const [first = 0, end = 0] = sources[0]?.layerRange ?? [];
    return Array.from({ length: end - first }, (_, offset) => ({
      ...{ sources, place: placeOf(offset, end - first) },
      prefixes: sources.map(({ layerRange }) => `${prefix}${layerRange[0] + offset}.`),
    }));
  });
  const drafts = layers.flatMap(({ sources, place, prefixes }, layer) => {
    const parts = sources.flatMap(({ tensors }, index) => namesAfter(prefixes[index] ?? '', tensors));
    return [...new Set(parts)].map((part) =>
      draft(`${prefix}${layer}.${part}`, place, sources, (index) => `${prefixes[index] ?? ''}${part}`),
    );
  });
  const outside = (sources: readonly Source[] = [], before: boolean) =>
    namesIn(sources)
      .filter((name) => !layerNameOf(name) && isBeforeLayers(name) === before)
      .map((name) => draft(name, 0, sources));
  return {
    drafts: [...outside(sliced[0], true), ...drafts, ...outside(sliced.at(-1), false)],
    layers: layers.length,
  };
}

function draft(
  name: string,
  place: number,
  sources: readonly Source[],
  nameIn: (index: number) => string = () => name,
): Draft {
  const parts = sources.map((source, index) => {
    const itsName = nameIn(index);
    return { source, name: itsName, tensor: source.tensors.get(itsName) ?? tiedHead(source, itsName) };
  });
  return { name, place, parts };
}

/** The head of a model that has none of its own, where another model has one. */
function tiedHead({ tensors }: Source, name: string): Tensor | undefined {
  return name === 'lm_head.weight' ? tensors.get('model.embed_tokens.weight') : undefined;
}

/** mergekit takes the end of a gradient for the only layer of a slice. */
function placeOf(index: number, count: number): number {
  return count > 1 ? index / (count - 1) : 1;
}

function tensorsOf(models: ReadonlyMap<string, MergeModel>, model: string): ReadonlyMap<string, Tensor> {
  const tensors = models.get(model)?.tensors;
  if (!tensors) throw invalid(`The recipe names the model ${quoted(model)}, which was not opened.`);
  return tensors;
}

function namesIn(sources: readonly Source[]): string[] {
  const names = new Set(sources.flatMap(({ tensors }) => [...tensors.keys()]));
  return [...names].filter((name) => !isComputedAnew(name));
}

function namesAfter(prefix: string, tensors: ReadonlyMap<string, Tensor>): string[] {
  return [...tensors.keys()]
    .filter((name) => name.startsWith(prefix) && !isComputedAnew(name))
    .map((name) => name.slice(prefix.length));
}

function onlyPrefix(sources: readonly Source[]): string {
  const prefixes = [...layerCounts(namesIn(sources)).keys()];
  const [prefix] = prefixes;
  if (prefix !== undefined && prefixes.length === 1) return prefix;
  const found = prefix === undefined ? 'none' : prefixes.map(quoted).join(', ');
  throw invalid(`Slices need models with one list of layers; here there are ${found}.`);
}

function checkRange(
  { model, tensors, layerRange: [first, end] }: Source & { layerRange: readonly [number, number] },
  prefix: string,
): void {
  const count = layerCounts(tensors.keys()).get(prefix) ?? 0;
  if (end <= count) return;
  throw invalid(`The layers [${first}, ${end}] of ${quoted(model)} go beyond the ${count} that it has.`);
}

function invalid(sentence: string): PunaError {
  return new PunaError('invalid-input', sentence, 'Correct the recipe.');
}
