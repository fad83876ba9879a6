import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import { countOf, type Tensor, type TensorType, tensorTypes } from '../formats/tensor.ts';
import { hasFloats, isQuantized } from '../tensors/floats.ts';
import { renamed, retyped } from '../tensors/views.ts';
import { checkRecipe } from './check-recipe.ts';
import type { MergeModel } from './draft.ts';
import { dropMask } from './drop.ts';
import { linearTensor } from './linear.ts';
import { computedTensor, defaultPieceBytes, floatsOf, pieceNumbers, piecesOf } from './pieces.ts';
import { planMerge, type PlannedTensor, required } from './plan.ts';
import type { MergeRecipe } from './recipe.ts';
import { slerpTensor } from './slerp.ts';
import { taskVectorTensor, type TaskVectorOptions } from './task-vectors.ts';
import { trimMasks } from './trim.ts';

export interface MergeOptions {
  /** How much of the tensors is held in memory at a time; results do not depend on it. */
  readonly pieceBytes?: number;
}

export interface MergedModel {
  /** In the order of the model, each computed when it is read. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Of the result. */
  readonly layers: number;
  /** What a person should know of the merge. */
  readonly notes: readonly string[];
}

/**
 * The merge of models that lie open, under the names that the recipe gives them (`modelsOf`). Nothing is read before a tensor of
 * the result is. Computations are mergekit's in 32 bits, from the numbers as they are stored, with one rounding to the type of
 * the result; mergekit itself first rounds to `dtype`, and works with task vectors in the type that the models have.
 * Errors: `invalid-input` for a recipe that does not fit its method or the models.
 */
export function mergeModels(
  recipe: MergeRecipe,
  models: ReadonlyMap<string, MergeModel>,
  { pieceBytes = defaultPieceBytes }: MergeOptions = {},
): MergedModel {
  const unheeded = checkRecipe(recipe);
  const { planned, layers, notes } = planMerge(recipe, models);
  const tensors = new Map(planned.map((tensor) => [tensor.name, merged(tensor, recipe, pieceBytes)]));
  const changed = new Set(
    planned.flatMap((tensor) => {
      const { name: from } = referenceOf(tensor).type;
      const to = tensors.get(tensor.name)?.type.name;
      return recipe.type === undefined && to !== undefined && to !== from ? [`${from} becomes ${to}`] : [];
    }),
  );
  const typeNotes = changed.size > 0 ? [`In the result, ${[...changed].join(' and ')}.`] : [];
  return { tensors, layers, notes: [...new Set([...recipe.notes, ...unheeded, ...notes, ...typeNotes])] };
}

function merged(planned: PlannedTensor, recipe: MergeRecipe, pieceBytes: number): Tensor {
  const { name, inputs, parameters } = planned;
  const [first] = inputs;
  const reference = referenceOf(planned);
  if (inputs.some(({ tensor }) => !hasFloats(tensor))) return agreedBuffer(planned, pieceBytes);
  const { shape } = reference;
  const result = { name, shape, type: resultType(reference.type, recipe) };
  switch (recipe.method) {
    case 'passthrough': {
      const factor = first.parameters.number('scale');
      if (factor !== undefined) return scaled(result, first.tensor, factor, pieceBytes);
      // Bytes pass through as they are, quantized ones, too.
      const type = recipe.type && tensorTypes[recipe.type];
      return renamed(type ? retyped(first.tensor, type) : first.tensor, name);
    }
    case 'linear': {
      const weighted = inputs.map((input) => ({ tensor: input.tensor, weight: required('weight', input) }));
      return linearTensor(result, weighted, { normalize: parameters.flag('normalize') ?? true, pieceBytes });
    }
    case 'slerp': {
      const other = inputs.find(({ isBase }) => !isBase) ?? first;
      return slerpTensor(result, [reference, other.tensor], { t: required('t', planned), pieceBytes });
    }
    case 'task':
    case 'ties':
    case 'dare':
    case 'dare_ties': {
      const others = inputs.filter(({ isBase }) => !isBase);
      return taskVectorTensor(
        result,
        reference,
        others.map(({ tensor }) => tensor),
        taskVectorOptions(planned, recipe, pieceBytes),
      );
    }
  }
}

function taskVectorOptions(
  { name, inputs, parameters }: PlannedTensor,
  { method, seed }: MergeRecipe,
  pieceBytes: number,
): TaskVectorOptions {
  const others = inputs.filter(({ isBase }) => !isBase);
  const densities = others.map((input) => input.parameters.number('density') ?? 1);
  const all = densities.every((density) => density === 1);
  const isDare = method === 'dare' || method === 'dare_ties';
  const masks: TaskVectorOptions['masks'] =
    method === 'task' || all
      ? undefined
      : async (stretches) => {
          const made = isDare
            ? densities.map((density, model) => dropMask(density, { seed, tensor: name, model }))
            : await trimMasks(stretches, countOf(referenceOf({ inputs })), densities);
          return made.map((mask, index) => (densities[index] === 1 ? undefined : mask));
        };
  return {
    ...{ masks, pieceBytes },
    weights: others.map((input) => required('weight', input)),
    rescale: parameters.flag('rescale') ?? isDare,
    elects: method === 'ties' || method === 'dare_ties',
    normalize: parameters.flag('normalize') ?? method === 'ties',
    lambda: parameters.number('lambda') ?? 1,
  };
}

/** The base's tensor, or that of the first model where there is no base. */
function referenceOf({ inputs }: Pick<PlannedTensor, 'inputs'>): Tensor {
  return (inputs.find(({ isBase }) => isBase) ?? inputs[0]).tensor;
}

function resultType(type: TensorType, recipe: MergeRecipe): TensorType {
  if (recipe.type) return tensorTypes[recipe.type];
  if (type.name === 'F32' || type.name === 'F16' || type.name === 'BF16') return type;
  // What was quantized has no more than 16 bits to lose; there is no result in 64.
  return isQuantized(type) || type.blockBytes < 4 ? tensorTypes.F16 : tensorTypes.F32;
}

function scaled(
  result: Pick<Tensor, 'name' | 'type' | 'shape'>,
  tensor: Tensor,
  factor: number,
  pieceBytes: number,
): Tensor {
  return computedTensor(result, pieceNumbers(pieceBytes, 1), async (start, count) => {
    const floats = await floatsOf(tensor, start, count);
    return floats.map((number) => number * Math.fround(factor));
  });
}

/** Whole numbers, such as position ids, cannot be merged. They pass if all models have the same. */
function agreedBuffer({ name, inputs }: PlannedTensor, pieceBytes: number): Tensor {
  const [first, ...others] = inputs;
  const { type, shape } = first.tensor;
  const different = (model: string) =>
    new PunaError(
      'invalid-input',
      `${quoted(name)} holds whole numbers, which differ between ${quoted(first.model)} and ${quoted(model)}.`,
      'Merge models that were trained from the same base.',
    );
  const wrongType = others.find(({ tensor }) => tensor.type.name !== type.name);
  if (wrongType) throw different(wrongType.model);
  return {
    ...{ name, type, shape },
    async read(target, offset) {
      await first.tensor.read(target, offset);
      for (const { start, count } of piecesOf(0, target.byteLength, pieceBytes)) {
        for (const { model, tensor } of others) {
          const bytes = new Uint8Array(count);
          await tensor.read(bytes, offset + start);
          if (Buffer.compare(bytes, target.subarray(start, start + count)) !== 0) throw different(model);
        }
      }
    },
  };
}
