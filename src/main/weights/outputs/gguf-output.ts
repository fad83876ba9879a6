import { type ResumableOptions, writeResumably } from '../../storage/index.ts';

import { PunaError } from '../../../shared/error.ts';
import { fileTypeName, type FileTypeName, fileTypeNumber } from '../file-type.ts';
import {
  ggmlTypes,
  type GgmlTypeName,
  ggufHeader,
  type GgufMetadata,
  metadataNumber,
  ggufPadding,
  type GgufValue,
  quoted,
} from '../formats/gguf.ts';
import { bytesOf, type Tensor, type TensorType, tensorTypes } from '../formats/tensor.ts';
import type { ModelSource } from '../sources/model-source.ts';
import { hasFloats } from '../tensors/floats.ts';
import { type Flaw, retypedAndWatched } from './flaws.ts';
import { ggufModel } from './gguf-model.ts';
import {
  type AfterTensor,
  bytesUnit,
  type SaidOfTensors,
  tensorUnit,
  type Trailer,
  trailerUnit,
  type Written,
  writtenTensors,
} from './tensor-units.ts';

/** Types that matrices can be converted to while they are written; the others take `llama_model_quantize`. */
export const directTypes = ['F32', 'F16', 'BF16', 'Q8_0'] as const satisfies readonly GgmlTypeName[];
export type DirectType = (typeof directTypes)[number];

/** As GGML_QNT_VERSION (ggml.h) has been since K-quants. */
const quantizationVersion = 2;

export interface GgufOutput {
  /** Of matrices; null: as they are in the source. Vectors become F32, as llama.cpp wants them. */
  type: DirectType | null;
  /** What the model is called; without it as its source is. */
  name?: string;
  /** Added to the metadata. */
  metadata?: Iterable<readonly [string, GgufValue]>;
  after?: AfterTensor;
  trailers?: readonly Trailer[];
}

/** What a GGUF file of a source will be. */
export interface GgufPlan {
  metadata: GgufMetadata;
  /** Under GGUF's names; `source` is the name in the source, and `flaw` what showed while the tensor was written. */
  tensors: readonly { tensor: Tensor; source: string; flaw(): Flaw | null }[];
  /** Of the whole file. */
  bytes: number;
  notes: readonly string[];
}

/** Says what would be written, without reading any tensor. Errors: `unsupported-model`, and those of the description. */
export async function planGguf(
  source: ModelSource,
  { type, name, metadata = [] }: GgufOutput,
): Promise<GgufPlan> {
  const model = await ggufModel(source, name);
  const tensors = model.tensors.map(({ tensor, source: name }) => ({
    ...retypedAndWatched(tensor, storedType(tensor, type)),
    source: name,
  }));
  const fileType = type ? fileTypeNumber(type) : fileTypeOf(tensors, model.metadata);
  const full = new Map([
    ...model.metadata,
    ...metadata,
    ['general.file_type', { type: 'uint32', value: fileType }] as const,
    ['general.quantization_version', { type: 'uint32', value: quantizationVersion }] as const,
  ]);
  const header = ggufHeader({ metadata: full, tensors: tensors.map(({ tensor }) => headerEntry(tensor)) });
  const bytes = tensors.reduce((sum, { tensor }) => sum + padded(full, bytesOf(tensor)), header.byteLength);
  return { metadata: full, tensors, bytes, notes: model.notes };
}

/** Writes what was planned. Errors: those of `writeResumably`. What `after` said is given by the source's names. */
export async function writeGgufPlan(
  { metadata, tensors }: GgufPlan,
  path: string,
  { after, trailers = [] }: Pick<GgufOutput, 'after' | 'trailers'>,
  options: ResumableOptions,
): Promise<Written> {
  const entries = tensors.map(({ tensor }) => headerEntry(tensor));
  const header = (said: SaidOfTensors | null) =>
    ggufHeader({
      metadata,
      tensors: [...entries, ...trailers.map((trailer) => trailerEntry(trailer, said))],
    });
  const names = tensors.map(({ source }) => source);
  // The header is the first unit.
  const written = (results: readonly string[]) => writtenTensors(names, results.slice(1));
  const said = (results: readonly string[]) => written(results).said;
  const padding = (bytes: number) => ggufPadding(metadata, bytes);
  const units = [
    bytesUnit(header(null)),
    ...tensors.map(({ tensor, source: name, flaw }) =>
      tensorUnit(tensor, { padding: padding(bytesOf(tensor)), name, after, flaw }),
    ),
    ...trailers.map((trailer) => trailerUnit(trailer, said, padding)),
  ];
  const patch = (results: readonly string[]) => ({ position: 0, bytes: header(said(results)) });
  const results = await writeResumably(path, units, options, trailers.length > 0 ? patch : undefined);
  return written(results);
}

/** A trailer is a tensor of bytes. Until its size is known, it takes the place of an empty one. */
function trailerEntry({ names, size }: Trailer, said: SaidOfTensors | null) {
  return { name: names.tensor, type: 'I8' as const, shape: [said ? size(said) : 0] };
}

function padded(metadata: GgufMetadata, bytes: number): number {
  return bytes + ggufPadding(metadata, bytes).byteLength;
}

function headerEntry({ name, type, shape }: Pick<Tensor, 'name' | 'type' | 'shape'>) {
  return { name, type: ggmlNameOf(type, name), shape: shape.toReversed() };
}

function ggmlNameOf({ name }: TensorType, tensor: string): GgmlTypeName {
  if (Object.hasOwn(ggmlTypes, name)) return name as GgmlTypeName;
  throw new PunaError(
    'unsupported-model',
    `GGUF has no type for ${name}, which the tensor ${quoted(tensor)} has.`,
    'Choose a type, such as f16.',
  );
}

/** Vectors and what is not to be rounded stay exact; rows that blocks do not divide become F16. */
function storedType(tensor: Tensor, type: DirectType | null): TensorType {
  if (!hasFloats(tensor)) return tensor.type;
  if (tensor.shape.length < 2) return tensorTypes.F32;
  const wanted = type ?? ownType(tensor);
  return (tensor.shape.at(-1) ?? 1) % tensorTypes[wanted].blockSize === 0
    ? tensorTypes[wanted]
    : tensorTypes.F16;
}

/** The type of a tensor where GGUF has it, else one that holds its numbers without loss. */
function ownType({ type: { name } }: Tensor): GgmlTypeName {
  if (name === 'F64') return 'F32';
  if (name === 'F8_E4M3' || name === 'F8_E5M2') return 'BF16';
  return Object.hasOwn(ggmlTypes, name) ? (name as GgmlTypeName) : 'F32';
}

/** What most matrices are, by their bytes; as the source says it, which tells mixtures apart, where that may be so. */
function fileTypeOf(tensors: GgufPlan['tensors'], metadata: GgufMetadata): number {
  const matrices = tensors.map(({ tensor }) => tensor).filter(({ shape }) => shape.length > 1);
  const byType = Map.groupBy(matrices, ({ type: { name } }) => name);
  const bytes = (group: readonly Tensor[]) => group.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const [most] = [...byType].toSorted((one, other) => bytes(other[1]) - bytes(one[1]));
  const type = most?.[0] ?? 'F32';
  const said = metadataNumber(metadata, 'general.file_type');
  if (said !== undefined && fileTypeName(said)?.startsWith(type)) return said;
  return fileTypeNumber(fileTypeOfMost[type] ?? 'F32');
}

/** The file type of which a tensor type is the main one, where they have different names. */
const fileTypeOfMost: Partial<Record<string, FileTypeName>> = {
  ...{ F32: 'F32', F16: 'F16', BF16: 'BF16', Q8_0: 'Q8_0', Q6_K: 'Q6_K' },
  ...{ Q4_0: 'Q4_0', Q4_1: 'Q4_1', Q5_0: 'Q5_0', Q5_1: 'Q5_1' },
  ...{ Q2_K: 'Q2_K', Q3_K: 'Q3_K_M', Q4_K: 'Q4_K_M', Q5_K: 'Q5_K_M' },
  ...{ IQ4_NL: 'IQ4_NL', IQ4_XS: 'IQ4_XS', IQ3_S: 'IQ3_S', IQ3_XXS: 'IQ3_XXS' },
};
