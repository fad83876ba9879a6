import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type GgufValue, metadataCount, metadataString } from './formats/gguf.ts';
import type { ModelFile } from './model-file.ts';

/** What tells one model file from another without reading its gigabytes. */
interface Fingerprint {
  /** Of the tensor table: names, types and shapes. */
  sha256: string;
  /** Of the whole file. */
  bytes: number;
}

/** The model that a file was trained on, as the file tells it. */
export interface TrainedOn extends Fingerprint {
  name: string;
}

const baseKeys = {
  name: 'puna.base.name',
  sha256: 'puna.base.tensors_sha256',
  bytes: 'puna.base.bytes',
} as const;

export function fingerprintOf({ tensors, bytes }: Pick<ModelFile, 'tensors' | 'bytes'>): Fingerprint {
  const table = tensors.map(({ name, type, shape }) => [name, type.name, ...shape]);
  return { sha256: createHash('sha256').update(JSON.stringify(table)).digest('hex'), bytes };
}

/** What a trained file keeps of its base, so that it is not used with another one unawares. */
export function baseMetadata(base: ModelFile): [string, GgufValue][] {
  const { sha256, bytes } = fingerprintOf(base);
  return [
    [baseKeys.name, { type: 'string', value: nameOf(base) }],
    [baseKeys.sha256, { type: 'string', value: sha256 }],
    [baseKeys.bytes, { type: 'uint64', value: BigInt(bytes) }],
  ];
}

/** What `baseMetadata` has written; null where a file does not tell, as those of other programs. */
export function trainedOn({ metadata }: Pick<ModelFile, 'metadata'>): TrainedOn | null {
  const name = metadataString(metadata, baseKeys.name);
  const sha256 = metadataString(metadata, baseKeys.sha256);
  const bytes = metadataCount(metadata, baseKeys.bytes);
  return name === undefined || sha256 === undefined || bytes === undefined ? null : { name, sha256, bytes };
}

/** With its quantization, which is often all that tells it from its siblings. */
function nameOf({ title, path, quantization }: ModelFile): string {
  const name = title ?? basename(path);
  return quantization === null || name.includes(quantization) ? name : `${name} ${quantization}`;
}
