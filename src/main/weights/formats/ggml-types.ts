/**
 * How a tensor's numbers are stored: in blocks of `blockSize` numbers that take `blockBytes` bytes. Ids, names and sizes
 * are those of `ggml.h` (ggml_type, ggml_type_name, ggml_blck_size, ggml_type_size).
 */
interface Layout {
  id: number;
  blockSize: number;
  blockBytes: number;
}

const layouts = {
  F32: { id: 0, blockSize: 1, blockBytes: 4 },
  F16: { id: 1, blockSize: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockSize: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  Q8_1: { id: 9, blockSize: 32, blockBytes: 36 },
  Q2_K: { id: 10, blockSize: 256, blockBytes: 84 },
  Q3_K: { id: 11, blockSize: 256, blockBytes: 110 },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
  Q8_K: { id: 15, blockSize: 256, blockBytes: 292 },
  IQ2_XXS: { id: 16, blockSize: 256, blockBytes: 66 },
  IQ2_XS: { id: 17, blockSize: 256, blockBytes: 74 },
  IQ3_XXS: { id: 18, blockSize: 256, blockBytes: 98 },
  IQ1_S: { id: 19, blockSize: 256, blockBytes: 50 },
  IQ4_NL: { id: 20, blockSize: 32, blockBytes: 18 },
  IQ3_S: { id: 21, blockSize: 256, blockBytes: 110 },
  IQ2_S: { id: 22, blockSize: 256, blockBytes: 82 },
  IQ4_XS: { id: 23, blockSize: 256, blockBytes: 136 },
  I8: { id: 24, blockSize: 1, blockBytes: 1 },
  I16: { id: 25, blockSize: 1, blockBytes: 2 },
  I32: { id: 26, blockSize: 1, blockBytes: 4 },
  I64: { id: 27, blockSize: 1, blockBytes: 8 },
  F64: { id: 28, blockSize: 1, blockBytes: 8 },
  IQ1_M: { id: 29, blockSize: 256, blockBytes: 56 },
  BF16: { id: 30, blockSize: 1, blockBytes: 2 },
  TQ1_0: { id: 34, blockSize: 256, blockBytes: 54 },
  TQ2_0: { id: 35, blockSize: 256, blockBytes: 66 },
  MXFP4: { id: 39, blockSize: 32, blockBytes: 17 },
  NVFP4: { id: 40, blockSize: 64, blockBytes: 36 },
  Q1_0: { id: 41, blockSize: 128, blockBytes: 18 },
  Q2_0: { id: 42, blockSize: 64, blockBytes: 18 },
} as const satisfies Record<string, Layout>;

export type GgmlTypeName = keyof typeof layouts;

export interface GgmlType extends Layout {
  name: GgmlTypeName;
}

/** Every type that the bundled ggml can store, by name. */
export const ggmlTypes = Object.fromEntries(
  Object.entries(layouts).map(([name, layout]) => [name, { name, ...layout }]),
) as Record<GgmlTypeName, GgmlType>;

const typesById = new Map(Object.values(ggmlTypes).map((type) => [type.id, type]));

/** Ids that ggml once gave and has taken back; files with them must be converted anew. */
const withdrawnIds = new Set([4, 5, 31, 32, 33, 36, 37, 38]);

/** The type of an id; `withdrawn` where ggml has taken it back, undefined where it never gave it. */
export function ggmlTypeById(id: number): GgmlType | 'withdrawn' | undefined {
  return typesById.get(id) ?? (withdrawnIds.has(id) ? 'withdrawn' : undefined);
}

/** Bytes of a tensor. The first dimension (a row) must be a whole number of blocks. */
export function tensorBytes(type: GgmlType, shape: readonly number[]): number {
  const numbers = shape.reduce((product, dimension) => product * dimension, 1);
  return (numbers / type.blockSize) * type.blockBytes;
}
