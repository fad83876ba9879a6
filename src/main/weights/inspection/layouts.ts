import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { showMetadata, type ShownMetadata } from '../formats/gguf.ts';
import { openShards } from '../formats/shard-index.ts';
import { countOf, type Tensor, tensorTypes } from '../formats/tensor.ts';
import { readMergekitYaml } from '../merge/index.ts';
import type { WeightsItem } from '../messages.ts';
import { readModelFile } from '../model-file.ts';
import { readImportanceMatrix } from '../quantize/importance-reader.ts';
import { readConfig } from '../sources/hugging-face-source.ts';
import type { HuggingFaceConfig } from '../sources/model-source.ts';
import { openModelSource } from '../sources/open.ts';
import { hasFloats } from '../tensors/floats.ts';
import { type Inspection, inspectTensors } from './inspection.ts';

export type Details = Omit<Inspection, 'path' | 'kind' | 'layout' | 'title' | 'base' | 'bytes'> &
  Partial<Pick<Inspection, 'title'>>;

/** What is unknown of most. */
const nothing: Details = {
  ...{ architecture: null, parameters: null, quantization: null, contextLength: null },
  ...{ hasChatTemplate: null, parts: 1, ggufVersion: null, metadata: [], tensorTypes: [], tensors: [] },
};

/** What a GGUF file tells. Errors: those of `readModelFile`. */
export async function inspectGguf(path: string): Promise<Details> {
  const { metadata, tensors, ...file } = await readModelFile(path);
  const { architecture, title, parameters, quantization, contextLength, hasChatTemplate } = file;
  return {
    ...{ architecture, title, parameters, quantization, contextLength, hasChatTemplate },
    ...{ parts: file.parts, ggufVersion: file.ggufVersion, metadata: showMetadata(metadata) },
    ...inspectTensors(
      tensors.map(({ name, type, shape }) => ({ name, type: tensorTypes[type.name], shape })),
    ),
  };
}

/** Where newer folders have it. */
const templateFile = /^chat_template\.(jinja|json)$/;

/** What a folder of Hugging Face or PEFT tells. Errors: those of `openShards` and of its configuration. */
export async function inspectFolder(item: WeightsItem): Promise<Details> {
  const isPeft = item.layout === 'peft';
  const config = await readConfig(item.path, isPeft ? 'adapter_config.json' : 'config.json');
  await using shards = await openShards(item.path);
  const template = (await readConfig(item.path, 'tokenizer_config.json'))?.['chat_template'];
  const files = await readdir(item.path);
  return {
    ...nothing,
    ...describedTensors(shards.tensors, item),
    parts: shards.files.length,
    hasChatTemplate: isPeft ? null : template !== undefined || files.some((name) => templateFile.test(name)),
    ...configured(config),
  };
}

/** What Meta's folder or a lone file of tensors tells. Errors: those of `openModelSource`. */
export async function inspectSource(item: WeightsItem): Promise<Details> {
  await using source = await openModelSource(item.path);
  const config = source.description?.form === 'hugging-face' ? source.description.config : null;
  return { ...nothing, ...describedTensors(source.tensors, item), ...configured(config) };
}

/** What an importance matrix tells. Errors: those of `readImportanceMatrix`. */
export async function inspectImportance(path: string): Promise<Details> {
  const { entries, datasets, chunks, chunkTokens } = await readImportanceMatrix(path);
  const tensors = [...entries].map(([name, { sums, counts }]) => ({
    ...{ name, type: tensorTypes.F32, shape: [counts.length, sums.length / counts.length] },
  }));
  return { ...nothing, ...inspectTensors(tensors), metadata: showJson({ datasets, chunks, chunkTokens }) };
}

/** What a recipe of mergekit tells. Errors: those of `readMergekitYaml`. */
export async function inspectRecipe(path: string): Promise<Details> {
  const { name, notes, ...recipe } = readMergekitYaml(await readFile(path, 'utf8'), { name: path });
  const told = notes.length > 0 ? { ...recipe, notes } : recipe;
  return { ...nothing, title: name ?? basename(path), metadata: showJson(told) };
}

function describedTensors(
  tensors: ReadonlyMap<string, Tensor>,
  { architecture, type }: WeightsItem,
): Pick<Details, 'architecture' | 'parameters' | 'quantization' | 'tensors' | 'tensorTypes'> {
  const named = [...tensors].map(([name, { type, shape }]) => ({ name, type, shape }));
  const floats = named.filter(hasFloats);
  const listed = inspectTensors(named);
  return {
    architecture,
    parameters: floats.reduce((sum, tensor) => sum + countOf(tensor), 0),
    quantization: type ?? listed.tensorTypes[0]?.type ?? null,
    ...listed,
  };
}

/** What config.json tells. */
function configured(config: HuggingFaceConfig | null): Pick<Details, 'contextLength' | 'metadata'> {
  const context = config?.['max_position_embeddings'];
  return { contextLength: typeof context === 'number' ? context : null, metadata: showJson(config ?? {}) };
}

/** A configuration's entries, in its order. */
function showJson(config: object): ShownMetadata[] {
  return Object.entries(config)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]: [string, unknown]) => ({
      key,
      type: value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    }));
}
