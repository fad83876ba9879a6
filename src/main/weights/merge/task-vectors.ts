import { countOf, type Tensor } from '../formats/tensor.ts';
import { computedTensor, floatsOf, once, pieceNumbers, piecesOf } from './pieces.ts';

/** Zeroes in place what is dropped of the stretch of a task vector that begins with its number `start`. */
export type Mask = (vector: Float32Array, start: number) => void;

/** Reads all task vectors of a tensor in step, piece by piece; the stretches may be overwritten. */
export type Stretches = (visit: (vectors: readonly Float32Array[], start: number) => void) => Promise<void>;

export interface TaskVectorOptions {
  readonly weights: readonly number[];
  /** Chooses what is kept of each vector, at the first reading; all is kept where absent. */
  readonly masks?: ((stretches: Stretches) => Promise<readonly (Mask | undefined)[]>) | undefined;
  /** Whether what is kept is enlarged to the sum of magnitudes that the whole vector had. */
  readonly rescale: boolean;
  /** Whether each number comes only from the vectors whose sign is that of the weighted sum (TIES). */
  readonly elects: boolean;
  /** Whether the weighted sum is divided by the sum of the weights that took part in it. */
  readonly normalize: boolean;
  readonly lambda: number;
  readonly pieceBytes: number;
}

/** Below this a sum of magnitudes is nothing that one could divide by; and a sum of weights. Both are mergekit's. */
const smallestMagnitudes = 1e-7;
const smallestWeights = 1e-8;

/**
 * The base plus the weighted sum of task vectors, which are models of its shape minus the base. Operations and their order are
 * those of mergekit's `GeneralizedTaskArithmeticMerge` on floats of 32 bits.
 */
export function taskVectorTensor(
  result: Pick<Tensor, 'name' | 'type' | 'shape'>,
  base: Tensor,
  models: readonly Tensor[],
  options: TaskVectorOptions,
): Tensor {
  // A piece of the base, whose place the result takes, of each model, and what the election needs.
  const numbers = pieceNumbers(options.pieceBytes, 1 + models.length + (options.elects ? 3 : 0));
  const weights = Float32Array.from(options.weights);

  const read = async (start: number, count: number) => {
    const [origin, ...vectors] = await Promise.all(
      [base, ...models].map((tensor) => floatsOf(tensor, start, count)),
    );
    if (!origin) throw new Error('There is always a base.');
    for (const vector of vectors) subtract(vector, origin);
    return { origin, vectors };
  };
  const stretches: Stretches = async (visit) => {
    for (const { start, count } of piecesOf(0, countOf(result), numbers)) {
      visit((await read(start, count)).vectors, start);
    }
  };
  const sparsify = once(async () => {
    const masks = (await options.masks?.(stretches)) ?? [];
    if (!options.rescale || masks.every((mask) => mask === undefined)) return masks;
    return await rescaling(stretches, masks);
  });

  return computedTensor(result, numbers, async (start, count) => {
    const masks = await sparsify();
    const { origin, vectors } = await read(start, count);
    for (const [index, vector] of vectors.entries()) {
      masks[index]?.(vector, start);
      scale(vector, weights[index] ?? 0);
    }
    const sum = options.elects
      ? electedSum(vectors, weights, options.normalize)
      : plainSum(vectors, weights, options.normalize);
    if (sum && options.lambda !== 1) scale(sum, Math.fround(options.lambda));
    if (sum) add(origin, sum);
    return origin;
  });
}

/** The same masks, which also enlarge what they keep. */
async function rescaling(
  stretches: Stretches,
  masks: readonly (Mask | undefined)[],
): Promise<readonly (Mask | undefined)[]> {
  const before = masks.map(() => 0);
  const after = masks.map(() => 0);
  await stretches((vectors, start) => {
    for (const [index, vector] of vectors.entries()) {
      before[index] = addMagnitudes(before[index] ?? 0, vector);
      masks[index]?.(vector, start);
      after[index] = addMagnitudes(after[index] ?? 0, vector);
    }
  });
  return masks.map((mask, index) => {
    const [whole = 0, kept = 0] = [before[index], after[index]];
    if (!mask || whole < smallestMagnitudes || kept < smallestMagnitudes) return mask;
    const factor = Math.fround(whole / kept);
    return (vector, start) => {
      mask(vector, start);
      scale(vector, factor);
    };
  });
}

function plainSum(
  vectors: readonly Float32Array[],
  weights: Float32Array,
  normalize: boolean,
): Float32Array | undefined {
  const [sum, ...others] = vectors;
  for (const vector of others) if (sum) add(sum, vector);
  if (sum && normalize) {
    const total = weights.reduce((total, weight) => Math.fround(total + weight), 0);
    if (Math.abs(total) >= smallestWeights) divide(sum, total);
  }
  return sum;
}

/** Number by number, the sum of the vectors that agree with the sign of the sum of all; 0 counts as positive. */
function electedSum(
  vectors: readonly Float32Array[],
  weights: Float32Array,
  normalize: boolean,
): Float32Array | undefined {
  const [first, ...others] = vectors;
  if (!first) return undefined;
  const all = first.slice();
  for (const vector of others) add(all, vector);
  const agreeing = new Float32Array(first.length);
  const divisors = new Float32Array(first.length);
  for (const [model, vector] of vectors.entries())
    addAgreeing(vector, weights[model] ?? 0, { all, agreeing, divisors });
  if (normalize) {
    for (let index = 0; index < agreeing.length; index++) {
      agreeing[index] = (agreeing[index] ?? 0) / (divisors[index] || 1);
    }
  }
  return agreeing;
}

function addAgreeing(
  vector: Float32Array,
  weight: number,
  { all, agreeing, divisors }: Record<'all' | 'agreeing' | 'divisors', Float32Array>,
): void {
  for (let index = 0; index < vector.length; index++) {
    const number = vector[index] ?? 0;
    const agrees = (all[index] ?? 0) >= 0 ? number > 0 : number < 0;
    // What is no number in a model must not look like one in the result.
    if (!agrees && !Number.isNaN(number)) continue;
    agreeing[index] = (agreeing[index] ?? 0) + number;
    divisors[index] = (divisors[index] ?? 0) + weight;
  }
}

function subtract(from: Float32Array, floats: Float32Array): void {
  for (let index = 0; index < from.length; index++) from[index] = (from[index] ?? 0) - (floats[index] ?? 0);
}

function add(to: Float32Array, floats: Float32Array): void {
  for (let index = 0; index < to.length; index++) to[index] = (to[index] ?? 0) + (floats[index] ?? 0);
}

function scale(floats: Float32Array, factor: number): void {
  for (let index = 0; index < floats.length; index++) floats[index] = (floats[index] ?? 0) * factor;
}

function divide(floats: Float32Array, divisor: number): void {
  for (let index = 0; index < floats.length; index++) floats[index] = (floats[index] ?? 0) / divisor;
}

function addMagnitudes(sum: number, floats: Float32Array): number {
  let total = sum;
  for (let index = 0; index < floats.length; index++) total += Math.abs(floats[index] ?? 0);
  return total;
}
