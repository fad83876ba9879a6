import { tensorTypes, type TensorType, type TensorTypeName } from './tensor.ts';

/**
 * The types of numbers that safetensors has and Puna reads; both call them alike.
 * Source: https://github.com/huggingface/safetensors, `Dtype` in safetensors/src/tensor.rs
 */
const names: readonly TensorTypeName[] = [
  ...(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const),
  ...(['I64', 'I32', 'I16', 'I8', 'U64', 'U32', 'U16', 'U8', 'BOOL'] as const),
];

const types: ReadonlyMap<string, TensorType> = new Map(names.map((name) => [name, tensorTypes[name]]));

/** The type that a safetensors header calls so; undefined for types that Puna does not read, and those of ggml. */
export function safetensorsType(name: string): TensorType | undefined {
  return types.get(name);
}

/** The whole header, as the reference has it (MAX_HEADER_SIZE). */
export const maxHeaderBytes = 100_000_000;
/** The header's length before it. */
export const lengthBytes = 8;
/** The header is padded to a multiple of it with spaces, so that what follows is aligned. */
export const headerAlignment = 8;
/** The name in the header under which texts stand instead of a tensor. */
export const metadataName = '__metadata__';
/** The largest models have some tens of thousands in a file; more would only fill the memory. */
export const maxTensors = 100_000;
/** PyTorch takes no more. */
export const maxDimensions = 64;
