import type { Device } from '../../ggml/index.ts';
import type { GradientTypes } from '../autodiff/index.ts';
import type { GgmlTypeName } from '../../weights/formats/gguf.ts';

/**
 * The type of a transposed copy: what multiplies fastest on a CPU. `exact` keeps every digit of the weights, for tests and for
 * those who compare.
 */
export function transposedType(
  { type, shape }: { type: GgmlTypeName; shape: readonly number[] },
  { exact }: { exact: boolean },
): GgmlTypeName {
  if (exact) return 'F32';
  const isFloat = type === 'F32' || type === 'F16' || type === 'BF16';
  // A row of the copy is a column of the weights.
  return isFloat || (shape[1] ?? 1) % 32 !== 0 ? 'BF16' : 'Q8_0';
}

/**
 * In which numbers the gradients of attention are multiplied. What comes through the transposed copies is rounded as much already.
 * A processor that knows BF16 multiplies it up to twice as fast; others are slower with it.
 */
export function attentionGradientTypes(
  { features, isCpu }: Device,
  { exact }: { exact: boolean },
): GradientTypes {
  return {
    values: !exact && isCpu ? 'Q8_0' : 'F32',
    others: !exact && features.has('AVX512_BF16') ? 'BF16' : 'F32',
  };
}
