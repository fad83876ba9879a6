import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { metaConfig } from '../convert/index.ts';
import { listed, quoted } from '../formats/printable.ts';
import { openPytorch } from '../formats/pytorch-reader.ts';
import type { Tensor } from '../formats/tensor.ts';
import { concatenatedColumns, concatenatedRows, renamed, rotaryRows } from '../tensors/views.ts';
import { architectureNamed, rotatedHeads } from './architectures.ts';
import { checkHeads, headCounts } from './head-counts.ts';
import type { ModelDescription, ModelSource } from './model-source.ts';

/** How the parts of a tensor, one in each shard, make the whole. */
type Joined = 'rows' | 'columns' | 'same';

/** Meta's names in a layer, what Hugging Face calls them, and how shards join (Transformers' convert_llama_weights_to_hf.py). */
const layerNames: Readonly<Record<string, readonly [string, Joined]>> = {
  'attention.wq': ['self_attn.q_proj', 'rows'],
  'attention.wk': ['self_attn.k_proj', 'rows'],
  'attention.wv': ['self_attn.v_proj', 'rows'],
  'attention.wo': ['self_attn.o_proj', 'columns'],
  'feed_forward.w1': ['mlp.gate_proj', 'rows'],
  'feed_forward.w2': ['mlp.down_proj', 'columns'],
  'feed_forward.w3': ['mlp.up_proj', 'rows'],
  attention_norm: ['input_layernorm', 'same'],
  ffn_norm: ['post_attention_layernorm', 'same'],
};
const outerNames: Readonly<Record<string, readonly [string, Joined | 'embedding']>> = {
  tok_embeddings: ['model.embed_tokens', 'embedding'],
  norm: ['model.norm', 'same'],
  output: ['lm_head', 'rows'],
};

/** `consolidated.00.pth` and so on. */
const shardName = /^consolidated\.(\d\d)\.pth$/;
/** params.json has a dozen numbers. */
const maxParamsBytes = 1024 * 1024;

/** Whether a folder has weights as Meta gives them away. */
export async function isMetaFolder(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => shardName.test(name));
}

/**
 * Opens LLaMA weights as Meta gives them away: `consolidated.NN.pth`, `params.json` and `tokenizer.model`. Errors: those of
 * `openPytorch`, `file-missing` (a shard, params.json), `file-damaged`, `unsupported-model` (tensors that LLaMA does not have).
 */
export async function openMetaSource(folder: string): Promise<ModelSource> {
  await using opened = new AsyncDisposableStack();
  const shards: ReadonlyMap<string, Tensor>[] = [];
  for (const name of await shardNames(folder)) {
    shards.push(opened.use(await openPytorch(join(folder, name))).tensors);
  }
  const params = await readParams(folder);
  const raw = joinShards(folder, shards, params);
  const config = metaConfig(params, {
    vocabSize: raw.get('model.embed_tokens.weight')?.tensor.shape[0] ?? 0,
    tensorShapes: new Map([...raw.values()].map(({ metaName, tensor }) => [metaName, tensor.shape])),
  });
  const description: ModelDescription = { form: 'hugging-face', config, files: await tokenizerFiles(folder) };
  const heads = headCounts({ path: folder, description });
  const tensors = new Map(
    [...raw].map(([name, { tensor }]) => {
      const rotated = rotatedHeads(name);
      if (!rotated) return [name, tensor];
      checkHeads(folder, tensor, heads[rotated]);
      return [name, renamed(rotaryRows(tensor, heads[rotated], 'halves'), name)];
    }),
  );
  const kept = opened.move();
  return {
    ...{
      path: folder,
      layout: 'meta',
      architecture: architectureNamed('llama') ?? null,
      tensors,
      description,
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function shardNames(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => shardName.test(name)).toSorted();
  names.forEach((name, index) => {
    if (Number(shardName.exec(name)?.[1]) !== index) {
      throw new PunaError(
        'file-missing',
        `${folder} has ${quoted(name)}, but no part ${index}.`,
        'Download the missing part.',
      );
    }
  });
  return names;
}

interface Joint {
  metaName: string;
  tensor: Tensor;
}

/** Whole tensors, by the names of Hugging Face. */
function joinShards(
  folder: string,
  shards: readonly ReadonlyMap<string, Tensor>[],
  params: unknown,
): Map<string, Joint> {
  const [first, ...others] = shards;
  const width = widthOf(params);
  checkPartCount(folder, first, { width, parts: shards.length });
  const joined = new Map<string, Joint>();
  const unknown: string[] = [];
  for (const [metaName, tensor] of first ?? []) {
    // Frequencies of the rotation are computed by every program.
    if (metaName === 'rope.freqs') continue;
    const known = knownName(metaName);
    if (!known) {
      unknown.push(metaName);
      continue;
    }
    const rest = others.map((shard, index) => {
      const part = shard.get(metaName);
      if (part?.type === tensor.type && part.shape.join() === tensor.shape.join()) return part;
      throw new PunaError(
        'file-damaged',
        `Part ${index + 1} of ${folder} has ${part ? 'another shape of' : 'no'} ${quoted(metaName)}.`,
        'Check that all parts are of one model, and download them again.',
      );
    });
    joined.set(known.name, { metaName, tensor: joinParts(known, [tensor, ...rest], width) });
  }
  if (unknown.length > 0) {
    throw new PunaError(
      'unsupported-model',
      `${folder} has tensors that LLaMA does not have: ${listed(unknown)}.`,
      "Only Meta's LLaMA models come in this form.",
    );
  }
  return joined;
}

function knownName(metaName: string): { name: string; joined: Joined | 'embedding' } | null {
  const [, index, part = ''] = /^layers\.(\d+)\.(.+)\.weight$/.exec(metaName) ?? [];
  if (index !== undefined) {
    const found = Object.hasOwn(layerNames, part) ? layerNames[part] : undefined;
    return found ? { name: `model.layers.${index}.${found[0]}.weight`, joined: found[1] } : null;
  }
  const outer = metaName.replace(/\.weight$/, '');
  const found = Object.hasOwn(outerNames, outer) ? outerNames[outer] : undefined;
  return found ? { name: `${found[0]}.weight`, joined: found[1] } : null;
}

function joinParts(
  { name, joined }: { name: string; joined: Joined | 'embedding' },
  parts: readonly [Tensor, ...Tensor[]],
  width: number | null,
): Tensor {
  const [first] = parts;
  if (parts.length === 1 || joined === 'same') return renamed(first, name);
  // LLaMA 3 cuts its embeddings by rows, each of which is whole then; the ones before cut them by columns.
  const byRows = joined === 'rows' || (joined === 'embedding' && first.shape[1] === width);
  return byRows ? concatenatedRows(name, parts) : concatenatedColumns(name, parts);
}

/** The length of an embedding, as params.json says; whether it is sound shows when it is made a configuration. */
function widthOf(params: unknown): number | null {
  const { data } = z.looseObject({ dim: z.int().positive() }).safeParse(params);
  return data?.dim ?? null;
}

/** The output projection has whole rows in each part, cut by columns: how often they are cut tells how many parts there are. */
function checkPartCount(
  folder: string,
  tensors: ReadonlyMap<string, Tensor> | undefined,
  { width, parts }: { width: number | null; parts: number },
): void {
  const [rows = 0, columns = 0] = tensors?.get('layers.0.attention.wo.weight')?.shape ?? [];
  if (width === null || rows !== width || columns === 0 || columns * parts === width) return;
  throw new PunaError(
    'file-missing',
    `${folder} has ${parts} of the ${Math.round(width / columns)} parts that its weights were cut into.`,
    'Download the missing parts, consolidated.00.pth and so on.',
  );
}

async function readParams(folder: string): Promise<unknown> {
  const path = join(folder, 'params.json');
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) {
    throw new PunaError(
      'file-missing',
      `${folder} has no params.json, which says how the model is built.`,
      'Download it from where the weights came from.',
    );
  }
  try {
    if (found.size > maxParamsBytes) throw new Error(`It has ${found.size} bytes.`);
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new PunaError('file-damaged', `${path} is no valid JSON.`, 'Download the file again.', { cause });
  }
}

/** Meta puts the tokenizer beside the folder of the weights, or into it. */
async function tokenizerFiles(folder: string): Promise<Map<string, string>> {
  for (const path of [join(folder, 'tokenizer.model'), join(folder, '..', 'tokenizer.model')]) {
    if ((await stat(path).catch(() => null))?.isFile()) return new Map([['tokenizer.model', path]]);
  }
  return new Map();
}
