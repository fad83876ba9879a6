import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileTypeName } from './file-type.ts';
import {
  type Gguf,
  type GgmlTypeName,
  type GgufMetadata,
  type GgufTensor,
  metadataCount,
  metadataNumber,
  metadataString,
  readGguf,
} from './formats/gguf.ts';

/** A model or adapter as its file, or all files of a split one, describe it. */
export interface ModelFile {
  /** The file, or the first one of a split model: that is what llama.cpp loads. */
  path: string;
  /** 1 unless the model is split over several files. */
  parts: number;
  kind: 'model' | 'adapter';
  /** Null where the file does not tell. */
  architecture: string | null;
  /** What the file calls itself, which is often less telling than its file name. */
  title: string | null;
  /** Number of weights; null where there is no tensor. */
  parameters: number | null;
  /** Such as `Q4_K_M`: what the file says of itself, or else the type that most of its bytes have. */
  quantization: string | null;
  contextLength: number | null;
  hasChatTemplate: boolean;
  /** Of all parts together. */
  bytes: number;
  ggufVersion: number;
  metadata: GgufMetadata;
  tensors: readonly GgufTensor[];
  /** The files with their tensors' places, in the order of the parts. */
  files: readonly PartFile[];
}

/** One file of a model. */
export interface PartFile extends Gguf {
  path: string;
}

/**
 * Reads what a GGUF file holds without loading it. A split model is read through its first part; `alone` refuses it, for a
 * file whose neighbours are not there. `name` is what errors call the file. Errors: those of `readGguf`, `file-missing`
 * (a part), `invalid-input` (a later part, or a split model though `alone`).
 */
export async function readModelFile(
  path: string,
  { name = path, alone = false }: { name?: string; alone?: boolean } = {},
): Promise<ModelFile> {
  const first = { path, ...(await readGguf(path, { name })) };
  const files = [first, ...(await readOtherParts(path, first, { name, alone }))];
  const { metadata, version } = first;
  const tensors = files.flatMap((file) => file.tensors);
  const architecture = metadataString(metadata, 'general.architecture') ?? null;
  return {
    ...{ path, architecture, metadata, tensors, files },
    parts: files.length,
    kind: metadataString(metadata, 'general.type') === 'adapter' ? 'adapter' : 'model',
    title: metadataString(metadata, 'general.name') ?? null,
    parameters: tensors.length === 0 ? null : tensors.reduce((sum, tensor) => sum + weightsOf(tensor), 0),
    quantization: quantizationOf(metadata, tensors),
    contextLength: metadataCount(metadata, `${architecture}.context_length`) ?? null,
    hasChatTemplate: metadata.has('tokenizer.chat_template'),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    ggufVersion: version,
  };
}

/** Number of weights of a tensor. */
export function weightsOf({ shape }: GgufTensor): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** How much there is of each tensor type, most bytes first. */
export function typeSummary(
  tensors: readonly GgufTensor[],
): { type: GgmlTypeName; tensors: number; parameters: number; bytes: number }[] {
  const byType = Map.groupBy(tensors, ({ type }) => type.name);
  return [...byType]
    .map(([type, group]) => ({
      type,
      tensors: group.length,
      parameters: group.reduce((sum, tensor) => sum + weightsOf(tensor), 0),
      bytes: group.reduce((sum, tensor) => sum + tensor.bytes, 0),
    }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

function quantizationOf(metadata: GgufMetadata, tensors: readonly GgufTensor[]): string | null {
  const fileType = metadataNumber(metadata, 'general.file_type');
  const named = fileType === undefined ? undefined : fileTypeName(fileType);
  return named ?? typeSummary(tensors)[0]?.type ?? null;
}

/** The parts after the first one of a split model, in their order; none for a model of one file. */
async function readOtherParts(
  path: string,
  { metadata }: Gguf,
  { name, alone }: { name: string; alone: boolean },
): Promise<PartFile[]> {
  const count = metadataCount(metadata, 'split.count') ?? 1;
  if (count <= 1) return [];
  const number = (metadataCount(metadata, 'split.no') ?? 0) + 1;
  if (alone) {
    throw new PunaError(
      'invalid-input',
      `${name} is part ${number} of ${count} of a model, and the others are not beside it.`,
      'Put all parts into one folder and add the first one by its path.',
    );
  }
  const partPath = (part: number) => join(dirname(path), partName(path, part, count));
  if (number !== 1) {
    throw new PunaError(
      'invalid-input',
      `${name} is part ${number} of ${count} of a model.`,
      `Choose its first part, ${basename(partPath(1))}.`,
    );
  }
  if (basename(path) !== basename(partPath(1))) {
    throw new PunaError(
      'invalid-input',
      `${name} is the first of ${count} parts of a model, but its name does not say so.`,
      `Give the parts their names back: a name that ends in ${partName('', 1, count)} and so on.`,
    );
  }
  const parts: PartFile[] = [];
  for (let part = 2; part <= count; part++) {
    if (!(await stat(partPath(part)).catch(() => null))) {
      throw new PunaError(
        'file-missing',
        `Part ${part} of ${count} of this model is missing: ${basename(partPath(part))}.`,
        'Download or copy it into the folder of the first part.',
      );
    }
    parts.push({ path: partPath(part), ...(await readGguf(partPath(part))) });
  }
  return parts;
}

/** As llama.cpp names the parts of a split model (llama_split_path), counting from 1. */
function partName(path: string, part: number, count: number): string {
  const digits = (number: number) => String(number).padStart(5, '0');
  const stem = basename(path)
    .replace(splitEnding, '')
    .replace(/\.gguf$/i, '');
  return `${stem}-${digits(part)}-of-${digits(count)}.gguf`;
}

/** The end of the file name of a part. */
export const splitEnding = /-\d{5}-of-\d{5}\.gguf$/i;
