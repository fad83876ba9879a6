import { readFile } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DescribedGguf, describeGguf, metaConfig } from '../../src/main/weights/convert/index.ts';
import { metadataCount, type TensorToWrite, writeGguf } from '../../src/main/weights/formats/gguf.ts';

/** What `make.py` beside the folders says that other programs make of one. */
export interface Expected {
  ids: { text: string; ids: number[] }[];
  /** By llama.cpp's converter; nothing where it cannot convert the folder. */
  metadata: Record<string, { type: string; value: unknown }>;
  tensors: { name: string; values: number[] }[];
}

const fixtures = join(import.meta.dirname, '../fixtures/weights/convert');

export function fixtureFolders(): string[] {
  const entries = readdirSync(fixtures, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

export function fixturePath(folder: string, file = ''): string {
  return join(fixtures, folder, file);
}

export function expectedOf(folder: string): Expected {
  return JSON.parse(readFileSync(fixturePath(folder, 'expected.json'), 'utf8')) as Expected;
}

/** The paths of a folder's files by their names. */
export function filesOf(path: string): Map<string, string> {
  return new Map(readdirSync(path).map((name) => [name, join(path, name)]));
}

/** What is made of one of the folders, from params.json where it is Meta's. */
export async function describeFixture(folder: string): Promise<DescribedGguf> {
  const files = filesOf(fixturePath(folder));
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(fixturePath(folder, name), 'utf8'));
  const config = files.has('config.json') ? await read('config.json') : metaConfig(await read('params.json'));
  return describeGguf({ config, files, name: folder });
}

/** A whole model file of this description, with zeros for weights. Gives back the path. */
export async function writeDescribed(
  path: string,
  { metadata, extraTensors }: DescribedGguf,
): Promise<string> {
  const architecture = String(metadata.get('general.architecture')?.value);
  const measure = (key: string) => metadataCount(metadata, `${architecture}.${key}`) ?? 0;
  const embedding = measure('embedding_length');
  const heads = measure('attention.head_count');
  const head = measure('attention.key_length') || embedding / heads;
  const [queries, keys] = [heads * head, measure('attention.head_count_kv') * head];
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[];
  const layer = layerShapes[architecture]?.({
    embedding,
    queries,
    keys,
    head,
    inner: measure('feed_forward_length'),
  });
  const shapes: [string, number[]][] = [
    ['token_embd.weight', [embedding, tokens.length]],
    ['output_norm.weight', [embedding]],
  ];
  for (let index = 0; index < measure('block_count'); index++) {
    for (const [name, shape] of Object.entries(layer ?? {})) shapes.push([`blk.${index}.${name}`, shape]);
  }
  const tensors: TensorToWrite[] = shapes.map(([name, shape]) => ({
    ...{ name, type: 'F32', shape, data: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)) },
  }));
  for (const { name, shape, values } of extraTensors) {
    tensors.push({ name, type: 'F32', shape, data: new Uint8Array(values.buffer.slice(0)) });
  }
  await writeGguf(path, { metadata, tensors });
  return path;
}

interface Widths {
  embedding: number;
  queries: number;
  keys: number;
  head: number;
  inner: number;
}
type Shapes = Record<string, number[]>;

function usual({ embedding, queries, keys, inner }: Widths): Shapes {
  return {
    ...{ 'attn_norm.weight': [embedding], 'ffn_norm.weight': [embedding] },
    ...{ 'attn_q.weight': [embedding, queries], 'attn_k.weight': [embedding, keys] },
    ...{ 'attn_v.weight': [embedding, keys], 'attn_output.weight': [queries, embedding] },
    ...{ 'ffn_gate.weight': [embedding, inner], 'ffn_up.weight': [embedding, inner] },
    'ffn_down.weight': [inner, embedding],
  };
}

const headNorms = ({ head }: Widths) => ({ 'attn_q_norm.weight': [head], 'attn_k_norm.weight': [head] });

const layerShapes: Record<string, (widths: Widths) => Shapes> = {
  llama: usual,
  qwen2: (widths) => ({
    ...usual(widths),
    ...{ 'attn_q.bias': [widths.queries], 'attn_k.bias': [widths.keys], 'attn_v.bias': [widths.keys] },
  }),
  qwen3: (widths) => ({ ...usual(widths), ...headNorms(widths) }),
  gemma3: (widths) => ({
    ...{ ...usual(widths), ...headNorms(widths) },
    ...{ 'post_attention_norm.weight': [widths.embedding], 'post_ffw_norm.weight': [widths.embedding] },
  }),
  phi3: ({ embedding, queries, keys, inner }) => ({
    ...{ 'attn_norm.weight': [embedding], 'ffn_norm.weight': [embedding] },
    ...{ 'attn_qkv.weight': [embedding, queries + 2 * keys], 'attn_output.weight': [queries, embedding] },
    ...{ 'ffn_up.weight': [embedding, 2 * inner], 'ffn_down.weight': [inner, embedding] },
  }),
};
