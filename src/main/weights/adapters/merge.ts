import { PunaError } from '../../../shared/error.ts';
import { sumOfSquares } from '../delta/changes.ts';
import { quoted } from '../formats/gguf.ts';
import { bytesOfCount, type Tensor } from '../formats/tensor.ts';
import { listed } from '../formats/printable.ts';
import type { ModelDescription, ModelSource } from '../sources/model-source.ts';
import { encodeFloats, hasFloats, isQuantized, readFloats } from '../tensors/floats.ts';
import { byRows, renamed } from '../tensors/views.ts';
import { type Adapter, type AdapterModule, embeddingName, headName, rankOf } from './adapter.ts';
import type { Matrix, Products } from './products.ts';
import { writableType } from './writable-type.ts';

/** An adapter, and how strongly it is merged; 1 is as it was trained. */
export interface ScaledAdapter {
  readonly adapter: Adapter;
  readonly scale: number;
}

/** Of a stretch of a weight: sums of squares of the change, and of what was there. */
export interface WeightChange {
  readonly change: number;
  readonly before: number;
}

export interface MergeOptions {
  products: Products;
  /** Called for each stretch of rows as it is computed, by Hugging Face's name of the weight; stretches add up. */
  onChange?: (name: string, change: WeightChange) => void;
  /** Called for what comes up while weights are computed, one sentence each. */
  onNote?: (text: string) => void;
}

export interface MergedModel extends ModelSource {
  /** What the person should know, one sentence each. */
  readonly notes: readonly string[];
}

/** Computed at once, so that a stretch, the change, and the copies on the way take some tens of megabytes. */
const stretchNumbers = 2 * 1024 * 1024;

/**
 * W + Σ scale · (alpha / r) · B·A, computed in 32 bits when it is read, in the base's types: quantized weights are made floats and
 * quantized again, and become F16 where that takes an importance matrix. Adapters must fit (`checkAdapterFits`). A head that was
 * one with the embeddings becomes a tensor of its own where an adapter changes only one of them. The base and the adapters must stay
 * open; disposing of the result disposes of the base. Errors: `invalid-input` for weights that the base does not have.
 */
export function mergedWith(
  base: ModelSource,
  adapters: readonly ScaledAdapter[],
  options: MergeOptions,
): MergedModel {
  const changed = modulesByWeight(adapters);
  const { tensors: before, description, untied } = withOwnHead(base, changed);
  refuseUnknown(base, before, changed);
  const tensors = new Map(
    [...before].map(([name, tensor]) => {
      const modules = changed.get(name);
      return [name, modules ? merged(tensor, modules, options) : tensor] as const;
    }),
  );
  return {
    ...{ layout: base.layout, architecture: base.architecture, description, tensors },
    path: [base.path, ...adapters.map(({ adapter }) => adapter.path)].join(' with '),
    notes: notesOn(base, before, changed, untied),
    [Symbol.asyncDispose]: () => base[Symbol.asyncDispose](),
  };
}

function modulesByWeight(adapters: readonly ScaledAdapter[]): Map<string, AdapterModule[]> {
  const changed = new Map<string, AdapterModule[]>();
  for (const { adapter, scale } of adapters) {
    for (const [weight, module] of adapter.modules) {
      const scaled = { ...module, scale: module.scale * scale };
      changed.set(weight, [...(changed.get(weight) ?? []), scaled]);
    }
  }
  return changed;
}

/** The base's tensors, with a head of its own where it was one with embeddings of which only one is changed. */
function withOwnHead(
  { tensors, description }: ModelSource,
  changed: ReadonlyMap<string, unknown>,
): Pick<ModelSource, 'tensors' | 'description'> & { untied: boolean } {
  const embedding = tensors.get(embeddingName);
  const concerns = changed.has(embeddingName) || changed.has(headName);
  if (!embedding || !concerns || tensors.has(headName)) return { tensors, description, untied: false };
  return {
    tensors: new Map([...tensors, [headName, renamed(embedding, headName)]]),
    description: description && untied(description),
    untied: true,
  };
}

function untied(description: ModelDescription): ModelDescription {
  if (description.form === 'gguf') return description;
  return { ...description, config: { ...description.config, tie_word_embeddings: false } };
}

function refuseUnknown(
  { path }: ModelSource,
  tensors: ReadonlyMap<string, Tensor>,
  changed: ReadonlyMap<string, readonly AdapterModule[]>,
): void {
  const unknown = [...changed.keys()].filter((weight) => !tensors.has(weight));
  if (unknown.length > 0) {
    throw new PunaError(
      'invalid-input',
      `The adapter changes weights that ${path} does not have: ${listed(unknown)}.`,
      'Choose the model that it was trained on.',
    );
  }
  for (const [weight, modules] of changed) {
    const shape = tensors.get(weight)?.shape ?? [];
    for (const { a, b } of modules) {
      if (shape.length === 2 && shape[0] === b.shape[0] && shape[1] === a.shape[1]) continue;
      throw new PunaError(
        'invalid-input',
        `The adapter changes ${quoted(weight)} of ${b.shape[0]} × ${a.shape[1]}, which is of ${shape.join(' × ')} in ${path}.`,
        'Choose the model that it was trained on.',
      );
    }
  }
}

function notesOn(
  base: ModelSource,
  tensors: ReadonlyMap<string, Tensor>,
  changed: ReadonlyMap<string, unknown>,
  untied: boolean,
): string[] {
  const types = new Map<string, string>();
  for (const [name, tensor] of tensors) {
    if (changed.has(name) && isQuantized(tensor.type)) types.set(tensor.type.name, writableType(tensor).name);
  }
  const widened = [...types].filter(([own, written]) => own !== written).map(([own]) => own);
  const notes: string[] = [];
  if (types.size > 0) {
    notes.push(
      `${base.path} is quantized: what is merged is rounded once more, which loses a little. The original weights do not.`,
    );
  }
  if (widened.length > 0) {
    notes.push(
      `${widened.join(', ')} cannot be written without an importance matrix: the weights that change become F16.`,
    );
  }
  if (untied) notes.push('Embeddings and head were one; the head becomes a tensor of its own.');
  return notes;
}

function merged(tensor: Tensor, modules: readonly AdapterModule[], options: MergeOptions): Tensor {
  const { name, shape } = tensor;
  if (!hasFloats(tensor)) {
    throw new PunaError(
      'unsupported-model',
      `The tensor ${quoted(name)} holds no weights (${tensor.type.name}).`,
    );
  }
  const type = writableType(tensor);
  const columns = shape[1] ?? 1;
  const factors = modules.map(factorsOf);
  let warned = false;
  const stretchRows = Math.max(1, Math.floor(stretchNumbers / columns));
  return byRows({ name, type, shape }, 1, async (firstRow, rows, target) => {
    for (let row = firstRow; row < firstRow + rows; row += stretchRows) {
      const count = Math.min(stretchRows, firstRow + rows - row);
      const sum = await readFloats(tensor, row * columns, count * columns);
      const before = sumOfSquares(sum);
      const change = await changeOf(factors, row, count, options.products);
      const squares = sumOfSquares(change);
      for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] ?? 0) + (change[index] ?? 0);
      options.onChange?.(name, { change: squares, before });
      if (!warned && !Number.isFinite(squares + before)) {
        warned = true;
        options.onNote?.(`${quoted(name)} has numbers that are not finite.`);
      }
      target.set(encodeFloats(type, sum, columns), bytesOfCount(type, (row - firstRow) * columns));
    }
  });
}

interface Factors {
  a(): Promise<Matrix>;
  rowsOfB(first: number, count: number): Promise<Matrix>;
  scale: number;
}

/** A is kept while its weight is being computed, and read again should it be needed once more. */
function factorsOf({ a, b, scale }: AdapterModule): Factors {
  const rank = rankOf({ a });
  const columns = a.shape[1] ?? 1;
  let kept: WeakRef<Matrix> | undefined;
  return {
    scale,
    async a() {
      const found = kept?.deref();
      if (found) return found;
      const matrix = { rows: rank, columns, numbers: await readFloats(a, 0, rank * columns) };
      kept = new WeakRef(matrix);
      return matrix;
    },
    rowsOfB: async (first, count) => ({
      ...{ rows: count, columns: rank },
      numbers: await readFloats(b, first * rank, count * rank),
    }),
  };
}

/** Σ scale · B·A for so many rows. */
async function changeOf(
  factors: readonly Factors[],
  first: number,
  count: number,
  products: Products,
): Promise<Float32Array> {
  let sum: Float32Array | null = null;
  for (const { a, rowsOfB, scale } of factors) {
    const { numbers } = await products.times(await rowsOfB(first, count), await a());
    for (let index = 0; index < numbers.length; index++) {
      numbers[index] = (numbers[index] ?? 0) * scale + (sum?.[index] ?? 0);
    }
    sum = numbers;
  }
  return sum ?? new Float32Array();
}
