import { type GgufValue, type TensorToWrite, writeGguf } from '../formats/gguf.ts';

/** What was measured at the input of one tensor of weights while a model read text. */
export interface Importance {
  /** Of each column of each of its matrices, the sum of x² over tokens: [columns · matrices]. */
  sums: Float32Array<ArrayBuffer>;
  /** How many tokens each matrix has seen: one number, or one for each expert. */
  counts: Float32Array<ArrayBuffer>;
}

/** How much the columns of a model's weights matter, as llama.cpp's imatrix tool measures it. */
export interface ImportanceMatrix {
  /** By the names of the tensors. */
  entries: ReadonlyMap<string, Importance>;
  /** The texts that it was computed from. */
  datasets: readonly string[];
  /** Pieces of text. */
  chunks: number;
  /** Tokens of a piece; 0 where the file does not tell. */
  chunkTokens: number;
}

/** Of each column the mean of x²: what a quantizer weighs its errors with. Columns that were never seen count 1. */
export function meansOf({ sums, counts }: Importance): Float32Array<ArrayBuffer> {
  const columns = sums.length / counts.length;
  return sums.map((sum, index) => {
    const count = counts[Math.floor(index / columns)] ?? 0;
    return count > 0 ? sum / count : 1;
  });
}

export const importanceType = 'imatrix';
export const importanceKeys = {
  datasets: 'imatrix.datasets',
  chunks: 'imatrix.chunk_count',
  chunkTokens: 'imatrix.chunk_size',
} as const;
export const sumsEnding = '.in_sum2';
export const countsEnding = '.counts';

/** Writes an importance matrix as llama.cpp's tools read it: a GGUF file. Errors: those of `writeGguf`. */
export async function writeImportanceMatrix(
  path: string,
  { entries, datasets, chunks, chunkTokens }: ImportanceMatrix,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const metadata: [string, GgufValue][] = [
    ['general.type', { type: 'string', value: importanceType }],
    [importanceKeys.datasets, { type: 'array', of: 'string', value: datasets }],
    [importanceKeys.chunks, { type: 'uint32', value: chunks }],
    [importanceKeys.chunkTokens, { type: 'uint32', value: chunkTokens }],
  ];
  const named = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const tensors = named.flatMap(([name, { sums, counts }]) => [
    tensor(`${name}${sumsEnding}`, [sums.length / counts.length, counts.length], sums),
    tensor(`${name}${countsEnding}`, [1, counts.length], counts),
  ]);
  await writeGguf(path, { metadata: new Map(metadata), tensors }, options);
}

function tensor(
  name: string,
  shape: readonly number[],
  { buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>,
): TensorToWrite {
  // ggml leaves out what is 1 at the end.
  const [first = 1, ...rest] = shape;
  const dimensions = rest.every((length) => length === 1) ? [first] : shape;
  return { name, type: 'F32', shape: dimensions, data: new Uint8Array(buffer, byteOffset, byteLength) };
}
