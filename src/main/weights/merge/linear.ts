import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/printable.ts';
import type { Tensor } from '../formats/tensor.ts';
import { computedTensor, floatsOf, pieceNumbers } from './pieces.ts';

export interface Weighted {
  readonly tensor: Tensor;
  readonly weight: number;
}

/**
 * The weighted sum of tensors of one shape, divided by the sum of the weights if `normalize`. Numbers are added in the order of
 * the tensors, each with one rounding to 32 bits, as mergekit's `linear` does. Errors: `invalid-input` for weights that sum to 0.
 */
export function linearTensor(
  result: Pick<Tensor, 'name' | 'type' | 'shape'>,
  inputs: readonly Weighted[],
  { normalize, pieceBytes }: { normalize: boolean; pieceBytes: number },
): Tensor {
  const weights = Float32Array.from(inputs, ({ weight }) => weight);
  const sum = weights.reduce((total, weight) => Math.fround(total + weight), 0);
  if (normalize && sum === 0) {
    throw new PunaError(
      'invalid-input',
      `The weights of the models add up to 0 for ${quoted(result.name)}, so they cannot be normalized.`,
      'Change a weight, or set normalize to false.',
    );
  }
  // A piece of one input, and the sum.
  return computedTensor(result, pieceNumbers(pieceBytes, 2), async (start, count) => {
    const total = new Float32Array(count);
    for (const [index, { tensor }] of inputs.entries()) {
      addProduct(total, await floatsOf(tensor, start, count), weights[index] ?? 0);
    }
    if (normalize) for (let index = 0; index < count; index++) total[index] = (total[index] ?? 0) / sum;
    return total;
  });
}

/** The product of two floats of 32 bits is exact in 64, so that the sum alone is rounded, as by a fused multiply-add. */
function addProduct(total: Float32Array, floats: Float32Array, weight: number): void {
  for (let index = 0; index < total.length; index++) {
    total[index] = (total[index] ?? 0) + (floats[index] ?? 0) * weight;
  }
}
