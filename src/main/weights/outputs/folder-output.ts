import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type FolderFile, type ResumableOptions, writeFolderResumably } from '../../storage/index.ts';
import { PunaError } from '../../../shared/error.ts';
import { inAlignedOrder, safetensorsHeader } from '../formats/safetensors-writer.ts';
import { bytesOf, type Tensor, type TensorTypeName, tensorTypes } from '../formats/tensor.ts';
import { zstdSeekable } from '../formats/zstd-writer.ts';
import type { HuggingFaceConfig, ModelSource } from '../sources/model-source.ts';
import { hasFloats, isQuantized } from '../tensors/floats.ts';
import { renamed } from '../tensors/views.ts';
import { type Flaw, retypedAndWatched } from './flaws.ts';
import {
  type AfterTensor,
  bytesUnit,
  tensorUnit,
  type Trailer,
  type Written,
  writtenTensors,
} from './tensor-units.ts';

/** Float types that a folder's weights can have. */
export const folderTypes = ['F32', 'F16', 'BF16'] as const;
export type FolderType = (typeof folderTypes)[number];

/** Largest file of weights, as Hugging Face cuts them. */
const shardBytes = 5_000_000_000;

export interface FolderOutput {
  /** Null: as they are in the source; quantized ones become F16. */
  type: FolderType | null;
  /** Packs the weights with Zstandard. */
  compress?: boolean;
  after?: AfterTensor;
  /** Last files, made of what `after` said of all tensors. */
  trailers?: readonly Trailer[];
}

interface FolderTensor extends Tensor {
  /** What showed while it was written. */
  flaw(): Flaw | null;
}

interface Shard {
  name: string;
  tensors: FolderTensor[];
}

/** What a folder of a source will be. */
export interface FolderPlan {
  source: ModelSource;
  shards: readonly Shard[];
  /** Without small files, and before packing. */
  bytes: number;
}

/** Says what would be written, without reading any tensor. Errors: `invalid-input` (the source is described by GGUF only). */
export function planFolder(source: ModelSource, { type }: Pick<FolderOutput, 'type'>): FolderPlan {
  if (source.description?.form === 'gguf') {
    throw new PunaError(
      'invalid-input',
      `${source.path} has no configuration and tokenizer as Hugging Face keeps them.`,
      'Write a GGUF file instead: a name that ends in .gguf.',
    );
  }
  const tensors = [...source.tensors].map(([name, tensor]): FolderTensor => {
    const { tensor: stored, flaw } = retypedAndWatched(tensor, tensorTypes[storedType(tensor, type)]);
    return { ...renamed(stored, name), flaw };
  });
  const shards = inShards(tensors);
  const bytes = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  return { source, shards, bytes };
}

/** Writes what was planned. Errors: those of `writeFolderResumably`. What `after` said is given by the tensors' names. */
export async function writeFolderPlan(
  { source, shards }: FolderPlan,
  folder: string,
  { compress = false, after, trailers = [] }: Omit<FolderOutput, 'type'>,
  options: ResumableOptions,
): Promise<Written> {
  const names = shards.flatMap(({ tensors }) => tensors.map(({ name }) => name));
  const written = (results: ReadonlyMap<string, readonly string[]>) =>
    writtenTensors(
      names,
      shards.flatMap((shard) => {
        const [, ...ofTensors] = results.get(fileName(shard, compress)) ?? [];
        return shard.tensors.map((_, index) => ofTensors[index]);
      }),
    );
  const results = await writeFolderResumably(
    folder,
    [
      ...shards.map((shard) => shardFile(shard, compress, after)),
      ...indexFile(shards, compress),
      ...(await smallFiles(source, shards)),
      ...trailers.map((trailer): FolderFile => ({
        ...{ name: trailer.names.file, bytes: 0 },
        content: {
          pieces(earlier) {
            const all = written(earlier).said;
            return trailer.size(all) === 0 ? null : { pieces: trailer.pieces(all) };
          },
        },
      })),
    ],
    options,
  );
  return written(results);
}

function storedType({ type }: Tensor, wanted: FolderType | null): keyof typeof tensorTypes {
  if (!hasFloats({ type })) return type.name;
  return wanted ?? (isQuantized(type) ? 'F16' : type.name);
}

function inShards(tensors: readonly FolderTensor[]): Shard[] {
  const groups: FolderTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    if (bytes > 0 && bytes + bytesOf(tensor) > shardBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(tensor);
    bytes += bytesOf(tensor);
  }
  const digits = (number: number) => String(number).padStart(5, '0');
  return groups.map((group, index) => ({
    name:
      groups.length === 1
        ? 'model.safetensors'
        : `model-${digits(index + 1)}-of-${digits(groups.length)}.safetensors`,
    tensors: inAlignedOrder(group),
  }));
}

function fileName({ name }: Shard, compress: boolean): string {
  return compress ? `${name}.zst` : name;
}

function shardFile(shard: Shard, compress: boolean, after: AfterTensor | undefined): FolderFile {
  const { tensors } = shard;
  // Transformers asks for it.
  const header = safetensorsHeader(tensors, new Map([['format', 'pt']]));
  const units = [
    bytesUnit(header),
    ...tensors.map((tensor) =>
      tensorUnit(tensor, { padding: new Uint8Array(), name: tensor.name, after, flaw: tensor.flaw }),
    ),
  ];
  const name = fileName(shard, compress);
  const bytes = units.reduce((sum, unit) => sum + (unit.bytes ?? 0), 0);
  if (!compress) return { name, bytes, content: { units } };
  // Its size is not known before, so that it is written as a whole.
  const pieces = (_: unknown, onProgress: (bytes: number) => void) => {
    const results: string[] = [];
    async function* unpacked() {
      let done = 0;
      for (const unit of units) {
        results.push(yield* counted(unit.pieces(results), (length) => onProgress((done += length))));
      }
    }
    return { pieces: zstdSeekable(unpacked()), results: () => results };
  };
  return { name, bytes, content: { pieces } };
}

/** The same pieces; tells how long each was once it has been taken over. */
async function* counted(
  pieces: AsyncGenerator<Uint8Array, string>,
  onTaken: (bytes: number) => void,
): AsyncGenerator<Uint8Array, string> {
  try {
    for (;;) {
      const step = await pieces.next();
      if (step.done) return step.value;
      yield step.value;
      onTaken(step.value.byteLength);
    }
  } finally {
    await pieces.return('');
  }
}

function indexFile(shards: readonly Shard[], compress: boolean): FolderFile[] {
  if (shards.length === 1) return [];
  const total = shards.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const map = shards.flatMap((shard) => shard.tensors.map(({ name }) => [name, fileName(shard, compress)]));
  const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) as object };
  return [textFile('model.safetensors.index.json', () => `${JSON.stringify(index, null, 2)}\n`)];
}

async function smallFiles({ description }: ModelSource, shards: readonly Shard[]): Promise<FolderFile[]> {
  if (description?.form !== 'hugging-face') return [];
  const config = { ...description.config, ...dtypeEntry(description.config, shards) };
  const copies = [...description.files].map(async ([name, path]): Promise<FolderFile> => {
    const { size } = await stat(path);
    return { name, bytes: size, content: { pieces: () => ({ pieces: createReadStream(path) }) } };
  });
  return [
    textFile('config.json', () => `${JSON.stringify(config, null, 2)}\n`),
    ...(await Promise.all(copies)),
  ];
}

/** What transformers takes the weights to be, under the key that the configuration has for it. */
function dtypeEntry(config: HuggingFaceConfig, shards: readonly Shard[]): Record<string, string> {
  const types = new Set(
    shards.flatMap(({ tensors }) => tensors.filter(hasFloats).map(({ type }) => type.name)),
  );
  const [only, ...others] = types;
  const name = only && others.length === 0 ? dtypes[only] : undefined;
  return name === undefined ? {} : { ['dtype' in config ? 'dtype' : 'torch_dtype']: name };
}

const dtypes: Partial<Record<TensorTypeName, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

function textFile(
  name: string,
  make: (results: ReadonlyMap<string, readonly string[]>) => string,
): FolderFile {
  return { name, bytes: 0, content: { pieces: (results) => ({ pieces: [make(results)] }) } };
}
