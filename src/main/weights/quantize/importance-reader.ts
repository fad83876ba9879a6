import { type ByteSource, withFileSource } from '../formats/byte-source.ts';
import {
  type Gguf,
  type GgufTensor,
  metadataCount,
  metadataString,
  metadataStrings,
  quoted,
  readGgufFrom,
} from '../formats/gguf.ts';
import {
  countsEnding,
  type Importance,
  importanceKeys,
  type ImportanceMatrix,
  importanceType,
  sumsEnding,
} from './importance-matrix.ts';
import { damaged, notImportance } from './importance-errors.ts';
import { readLegacyImportance } from './importance-legacy.ts';

/** It is held in memory as a whole; that of a model with 128 experts in 94 layers takes half a gigabyte. */
const maxBytes = 2 ** 31;

/**
 * Reads an importance matrix of llama.cpp's tools, in their GGUF form or the older binary one (.dat). The file may come from a
 * stranger. Errors: `file-missing`, `invalid-input` (another file), `file-damaged`, and those of `readGguf`.
 */
export function readImportanceMatrix(path: string): Promise<ImportanceMatrix> {
  return withFileSource(path, (source) => readImportanceMatrixFrom(source, path));
}

/** The same for bytes that need not be a file. */
export async function readImportanceMatrixFrom(source: ByteSource, name: string): Promise<ImportanceMatrix> {
  if (source.size > maxBytes) throw notImportance(name, 'it is larger than any');
  const magic = new Uint8Array(4);
  await source.read(magic, 0);
  const matrix =
    Buffer.from(magic).toString('latin1') === 'GGUF'
      ? await fromGguf(source, name)
      : await readLegacyImportance(source, name);
  for (const [entry, { sums, counts }] of matrix.entries) {
    if (![sums, counts].every((numbers) => numbers.every((number) => number >= 0 && number < Infinity)))
      throw damaged(name, `the numbers of ${quoted(entry)} are not what sums of squares can be`);
  }
  return matrix;
}

async function fromGguf(source: ByteSource, name: string): Promise<ImportanceMatrix> {
  const gguf = await readGgufFrom(source, name);
  const { metadata, tensors } = gguf;
  // The first versions of llama.cpp's tool did not name the type; its tensors tell.
  const isNamed = metadataString(metadata, 'general.type') === importanceType;
  if (!isNamed && !tensors.some((tensor) => tensor.name.endsWith(sumsEnding)))
    throw notImportance(name, 'it is another GGUF file');

  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const entries = new Map<string, Importance>();
  for (const tensor of tensors) {
    const of = withoutEnding(tensor.name);
    if (of === null) continue;
    const [sumsTensor, countsTensor] = [byName.get(of + sumsEnding), byName.get(of + countsEnding)];
    if (!sumsTensor || !countsTensor) throw damaged(name, `${quoted(of)} has only sums, or only counts`);
    if (entries.has(of)) continue;
    const sums = await readNumbers(source, gguf, sumsTensor, name);
    const counts = await readNumbers(source, gguf, countsTensor, name);
    if (sums.length === 0 || counts.length === 0 || sums.length % counts.length !== 0)
      throw damaged(name, `${quoted(of)} has ${sums.length} sums and ${counts.length} counts`);
    entries.set(of, { sums, counts });
  }
  if (entries.size === 0) throw damaged(name, 'it holds nothing');
  return {
    entries,
    datasets: metadataStrings(metadata, importanceKeys.datasets) ?? [],
    chunks: metadataCount(metadata, importanceKeys.chunks) ?? 0,
    chunkTokens: metadataCount(metadata, importanceKeys.chunkTokens) ?? 0,
  };
}

/** The tensor of weights that a tensor of sums or counts is of; null for any other. */
function withoutEnding(name: string): string | null {
  const ending = [sumsEnding, countsEnding].find((each) => name.endsWith(each));
  return ending === undefined ? null : name.slice(0, -ending.length);
}

async function readNumbers(
  source: ByteSource,
  { dataOffset }: Gguf,
  { name, type, bytes, offset }: GgufTensor,
  file: string,
): Promise<Float32Array<ArrayBuffer>> {
  if (type.name !== 'F32') throw damaged(file, `${quoted(name)} is ${type.name} instead of F32`);
  const numbers = new Float32Array(bytes / Float32Array.BYTES_PER_ELEMENT);
  const filled = await source.read(new Uint8Array(numbers.buffer), dataOffset + offset);
  if (filled < bytes) throw damaged(file, `it ends in ${quoted(name)}`);
  return numbers;
}
