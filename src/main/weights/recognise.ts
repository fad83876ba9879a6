import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { soundsLikeDelta } from './delta/name.ts';
import { parseProof, proofNames } from './delta/proof.ts';
import { countOf, type Tensor, tensorTypes } from './formats/tensor.ts';
import type { WeightsItem } from './messages.ts';
import { readModelFile } from './model-file.ts';
import { trainedOn } from './base-model.ts';
import { metadataString } from './formats/gguf.ts';
import { folderOrFileBytes } from './operations/bytes.ts';
import { importanceType } from './quantize/importance-matrix.ts';
import { readImportanceMatrix } from './quantize/importance-reader.ts';
import { modelTypeOf } from './sources/hugging-face-source.ts';
import { openModelSource, weightsFileForm } from './sources/open.ts';
import type { ModelSource } from './sources/model-source.ts';
import { hasFloats } from './tensors/floats.ts';

/** What PEFT keeps beside an adapter's weights. */
const peftConfigName = 'adapter_config.json';
const maxConfigBytes = 1024 * 1024;

/**
 * Says what a file or folder of weights is, by its content, without reading its numbers. Errors: `file-missing`,
 * `invalid-input` (nothing that Puna knows), and those of the formats.
 */
export async function recognise(path: string): Promise<WeightsItem> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  if (found.isDirectory()) {
    if ((await readdir(path)).includes(peftConfigName)) return recognisePeft(path);
    return recogniseModel(path);
  }
  if (/\.ya?ml$/i.test(path)) return item(path, { kind: 'recipe', layout: 'other', bytes: found.size });
  if (/\.(dat|imatrix)$/i.test(path)) {
    await readImportanceMatrix(path);
    return item(path, { kind: 'importance', layout: 'other', bytes: found.size });
  }
  const form = await weightsFileForm(path);
  if (form === 'gguf') return recogniseGguf(path);
  if (form === null) {
    throw new PunaError(
      'invalid-input',
      `${path} is nothing that Puna knows.`,
      'It knows GGUF, safetensors and PyTorch files, folders of them, and recipes of mergekit.',
    );
  }
  // One file of a model stands for its folder.
  const beside = await readdir(dirname(path)).catch((): string[] => []);
  if (beside.includes(peftConfigName)) return recognisePeft(dirname(path));
  if (beside.includes('config.json') || beside.includes('params.json')) return recogniseModel(dirname(path));
  return recogniseModel(path);
}

function item(
  path: string,
  known: Partial<WeightsItem> & Pick<WeightsItem, 'kind' | 'layout' | 'bytes'>,
): WeightsItem {
  return {
    ...{ path: resolve(path), name: basename(resolve(path)), architecture: null, parameters: null },
    ...{ type: null, base: null, proved: false },
    ...known,
  };
}

async function recogniseGguf(path: string): Promise<WeightsItem> {
  const file = await readModelFile(path);
  const { metadata, tensors, bytes, architecture, quantization: type } = file;
  const parameters = parametersOf(
    tensors.map((tensor) => ({ ...tensor, type: tensorTypes[tensor.type.name] })),
  );
  if (metadataString(metadata, 'general.type') === importanceType) {
    return item(path, { kind: 'importance', layout: 'gguf', bytes });
  }
  const proved = tensors.some(({ name }) => name === proofNames.tensor);
  const name = file.title ?? basename(path);
  const common = { layout: 'gguf', bytes, architecture, parameters, type, name } as const;
  if (file.kind === 'adapter')
    return item(path, { ...common, kind: 'adapter', base: trainedOn(file)?.name ?? null });
  return item(path, { ...common, kind: proved || soundsLikeDelta(path) ? 'delta' : 'model', proved });
}

async function recogniseModel(path: string): Promise<WeightsItem> {
  await using source = await openModelSource(path);
  if (source.layout === 'gguf') return recogniseGguf(source.path);
  const { description, tensors } = source;
  const config = description?.form === 'hugging-face' ? description.config : null;
  const isAdapter = [...tensors.keys()].some((name) => /\.lora_[AB]\./.test(name));
  const proof = await readFile(join(path, proofNames.file), 'utf8').then(
    (text) => parseProof(text, path),
    () => null,
  );
  const isDelta =
    proof !== null || soundsLikeDelta(path) || soundsLikeDelta(String(config?.['_name_or_path'] ?? ''));
  return item(path, {
    kind: isAdapter ? 'adapter' : isDelta ? 'delta' : config ? 'model' : 'tensors',
    layout: layoutOf(source, path),
    architecture: source.architecture?.name ?? (modelTypeOf(config) || null),
    ...{ parameters: parametersOf([...tensors.values()]), type: mostlyType(tensors) },
    ...{ bytes: await folderOrFileBytes(path), base: proof?.base ?? null, proved: proof !== null },
  });
}

async function recognisePeft(folder: string): Promise<WeightsItem> {
  const path = join(folder, peftConfigName);
  const schema = z.object({ base_model_name_or_path: z.string().nullish() });
  try {
    if ((await stat(path)).size > maxConfigBytes) throw new Error('It is too large.');
    const { base_model_name_or_path: base } = schema.parse(JSON.parse(await readFile(path, 'utf8')));
    return item(folder, {
      ...{ kind: 'adapter', layout: 'peft', bytes: await folderOrFileBytes(folder), base: base ?? null },
    });
  } catch (cause) {
    throw new PunaError('file-damaged', `${path} cannot be read.`, 'Download the file again.', { cause });
  }
}

function layoutOf({ layout }: ModelSource, path: string): WeightsItem['layout'] {
  if (layout === 'meta') return 'meta';
  if (/\.safetensors(\.zst)?$/.test(path)) return 'safetensors';
  return /\.(bin|pth|pt)$/.test(path) ? 'pytorch' : 'hugging-face';
}

/** Weights; not the whole numbers that some files keep beside them. */
function parametersOf(tensors: readonly Pick<Tensor, 'type' | 'shape'>[]): number {
  return tensors.filter(hasFloats).reduce((sum, tensor) => sum + countOf(tensor), 0);
}

/** The type that most numbers have. */
function mostlyType(tensors: ReadonlyMap<string, Tensor>): string | null {
  const counts = new Map<string, number>();
  for (const tensor of tensors.values()) {
    counts.set(tensor.type.name, (counts.get(tensor.type.name) ?? 0) + countOf(tensor));
  }
  return [...counts].toSorted((one, other) => other[1] - one[1])[0]?.[0] ?? null;
}
