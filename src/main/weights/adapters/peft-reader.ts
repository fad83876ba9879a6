import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { damagedFile } from '../formats/damaged.ts';
import { bufferSource, type GgufMetadata, metadataString, readGgufFrom } from '../formats/gguf.ts';
import { listed } from '../formats/printable.ts';
import { openPytorch } from '../formats/pytorch-reader.ts';
import { openSafetensors } from '../formats/safetensors-reader.ts';
import type { Tensor } from '../formats/tensor.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import type { HeadCounts } from '../sources/head-counts.ts';
import { renamed } from '../tensors/views.ts';
import { type Adapter, largestRank, rankOf } from './adapter.ts';

import { type Half, pairHalves } from './pairs.ts';
import { mergeWithPeft, parsePeftConfig, type PeftConfig, peftScale } from './peft-config.ts';
import { transposed } from './transposed.ts';

export const peftFiles = {
  config: 'adapter_config.json',
  safetensors: 'adapter_model.safetensors',
  pytorch: 'adapter_model.bin',
} as const;
/** Where a folder that was made from a GGUF adapter keeps what else that file said, in the metadata of the safetensors file. */
export const keptKeys = { gguf: 'puna.gguf', heads: 'puna.heads' } as const;
/** The largest have some thousand names of modules. */
const maxConfigBytes = 16 * 1024 * 1024;

/**
 * Opens an adapter as PEFT saves it: a folder with `adapter_config.json` and the weights, or the file of weights with the
 * configuration beside it. Errors: `file-missing`, `file-damaged`, `unsupported-model` (what is no plain LoRA), and those of the formats.
 */
export async function openPeftAdapter(path: string): Promise<Adapter> {
  const isFolder = (await stat(path)).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const config = await readPeftConfig(join(folder, peftFiles.config));
  await using opened = new AsyncDisposableStack();
  const file = opened.use(isFolder ? await openWeights(folder) : await openFile(path));
  const modules = new Map(
    [...pairHalves(halvesOf(file.tensors, path), path)].map(([weight, pair]) => {
      const scale = peftScale(config, weight.slice(0, -'.weight'.length), rankOf(pair));
      return [weight, { ...pair, scale }];
    }),
  );
  const metadata = await keptMetadata(file, path);
  const closing = opened.move();
  return {
    ...{ path, layout: 'peft', modules, metadata, config },
    architecture: metadataString(metadata, 'general.architecture') ?? null,
    ...{ rank: largestRank(modules), alpha: config.lora_alpha, rankStabilized: config.use_rslora ?? false },
    baseName: config.base_model_name_or_path || null,
    heads: keptHeads(file),
    notes: [],
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function readPeftConfig(path: string): Promise<PeftConfig> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new PunaError(
      'file-missing',
      `${path} is missing, which says how the adapter is to be used.`,
      'Download or copy it into the folder of the adapter.',
    );
  }
  if (found.size > maxConfigBytes) throw damagedFile(path, `it has ${found.size} bytes`);
  return parsePeftConfig(await readFile(path, 'utf8'), path);
}

async function openWeights(folder: string): Promise<TensorFile> {
  for (const name of [peftFiles.safetensors, peftFiles.pytorch]) {
    const path = join(folder, name);
    if (await stat(path).catch(() => null)) return openFile(path);
  }
  throw new PunaError(
    'file-missing',
    `${folder} has neither ${peftFiles.safetensors} nor ${peftFiles.pytorch}.`,
    'Download or copy the whole adapter.',
  );
}

function openFile(path: string): Promise<TensorFile> {
  return /\.(bin|pt|pth)$/i.test(path) ? openPytorch(path) : openSafetensors(path);
}

/** `.default` or so stands between where an adapter was saved without PEFT's help. */
const linearName = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.\w+)?\.weight$/;
const embeddingName = /^(?:base_model\.model\.)?(.+)\.lora_embedding_([AB])(?:\.\w+)?$/;
/** The base's own weight, which some programs save along. */
const baseWeight = /\.base_layer\.(weight|bias)$/;

function halvesOf(tensors: ReadonlyMap<string, Tensor>, path: string): Half[] {
  const unknown: string[] = [];
  const halves = [...tensors].flatMap(([name, tensor]): Half[] => {
    const [, linear, linearHalf] = linearName.exec(name) ?? [];
    if (linear !== undefined) {
      const half = linearHalf === 'A' ? 'a' : 'b';
      return [{ weight: `${linear}.weight`, half, tensor: renamed(tensor, `${linear}.lora_${linearHalf}`) }];
    }
    const [, embedding, embeddingHalf] = embeddingName.exec(name) ?? [];
    if (embedding !== undefined) {
      // PEFT computes with columns of A there: the change is (B·A)ᵀ.
      const half = embeddingHalf === 'A' ? 'b' : 'a';
      return [{ weight: `${embedding}.weight`, half, tensor: transposed(tensor) }];
    }
    if (!baseWeight.test(name)) unknown.push(name);
    return [];
  });
  if (unknown.length === 0) return halves;
  throw new PunaError(
    'unsupported-model',
    `${path} has tensors that are no part of a LoRA: ${listed(unknown)}.`,
    mergeWithPeft,
  );
}

async function keptMetadata({ metadata }: TensorFile, path: string): Promise<GgufMetadata> {
  const kept = metadata.get(keptKeys.gguf);
  if (kept === undefined) return new Map();
  const header = Buffer.from(kept, 'base64');
  return (await readGgufFrom(bufferSource(header), `${path} (${keptKeys.gguf})`)).metadata;
}

const headsSchema = z.object({ query: z.int().positive(), key: z.int().positive() });

/** Null also where what is there makes no sense: then the base says it. */
function keptHeads({ metadata }: TensorFile): HeadCounts | null {
  try {
    return headsSchema.parse(JSON.parse(metadata.get(keptKeys.heads) ?? 'null'));
  } catch {
    return null;
  }
}
