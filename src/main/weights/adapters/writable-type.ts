import { type Tensor, tensorTypes, type TensorType, type TensorTypeName } from '../formats/tensor.ts';

/** What ggml_quantize_chunk knows, without those for which ggml_quantize_requires_imatrix. */
const writable: ReadonlySet<TensorTypeName> = new Set<TensorTypeName>([
  ...(['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'] as const),
  ...(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'TQ1_0', 'TQ2_0', 'MXFP4'] as const),
  ...(['IQ3_XXS', 'IQ2_S', 'IQ3_S', 'IQ1_M', 'IQ4_NL', 'IQ4_XS'] as const),
]);

/** The type in which a tensor of weights can be written again without an importance matrix: its own, or else one with more digits. */
export function writableType({ type }: Pick<Tensor, 'type'>): TensorType {
  if (writable.has(type.name)) return type;
  if (type.name === 'F64') return tensorTypes.F32;
  return type.name.startsWith('F8_') ? tensorTypes.BF16 : tensorTypes.F16;
}
