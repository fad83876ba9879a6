import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GgufValue,
  readGguf,
  type TensorToWrite,
  writeGguf,
} from '../../src/main/weights/formats/gguf.ts';
import { countOf, type Tensor } from '../../src/main/weights/formats/tensor.ts';
import { ggufName, rotatedHeads } from '../../src/main/weights/sources/architectures.ts';
import { headCounts } from '../../src/main/weights/sources/head-counts.ts';
import type { ModelSource } from '../../src/main/weights/sources/model-source.ts';
import { readFloats } from '../../src/main/weights/tensors/floats.ts';
import { rotaryRows } from '../../src/main/weights/tensors/views.ts';
import { BareLlama } from './bare-llama.ts';

/** What `make.py` there has computed with PyTorch, PEFT and gguf. */
export interface AdapterExpectations {
  tokens: number[];
  /** Of the last token, by the name of the model or adapter. */
  logits: Record<string, number[]>;
  gguf: Record<string, Record<string, { shape: number[]; sha256: string }>>;
  truncated: { rows: number; columns: number; left: Record<string, Record<string, number>> };
  extraction: { errors: Record<string, Record<string, number>>; others: Record<string, number> };
}

export const adapterFixture = (name: string) => join('tests/fixtures/weights/adapters', name);

export async function adapterExpectations(): Promise<AdapterExpectations> {
  return JSON.parse(await readFile(adapterFixture('expected.json'), 'utf8')) as AdapterExpectations;
}

/** All numbers of a tensor. */
export function numbersOf(tensor: Tensor | undefined): Promise<Float32Array<ArrayBuffer>> {
  if (!tensor) throw new Error('There is no such tensor.');
  return readFloats(tensor, 0, countOf(tensor));
}

/** All bytes of a tensor. */
export async function readBytes(tensor: Tensor | undefined): Promise<Uint8Array> {
  if (!tensor) throw new Error('There is no such tensor.');
  const bytes = new Uint8Array((countOf(tensor) / tensor.type.blockSize) * tensor.type.blockBytes);
  await tensor.read(bytes, 0);
  return bytes;
}

/** Writes a tiny model as llama.cpp loads it, in F32 and without a tokenizer. Gives back the path. */
export async function writeBareModel(path: string, source: ModelSource): Promise<string> {
  const { architecture, description } = source;
  if (!architecture || description?.form !== 'hugging-face') throw new Error('This is no tiny model.');
  const heads = headCounts(source);
  const tensors = await Promise.all(
    [...source.tensors].map(async ([name, tensor]): Promise<TensorToWrite> => {
      const rotated = architecture.pairsRotary ? rotatedHeads(name) : null;
      const ordered = rotated ? rotaryRows(tensor, heads[rotated], 'pairs') : tensor;
      const { buffer } = await numbersOf(ordered);
      const shape = tensor.shape.toReversed();
      return { name: ggufName(architecture, name) ?? name, type: 'F32', shape, data: new Uint8Array(buffer) };
    }),
  );
  const text = (value: string): GgufValue => ({ type: 'string', value });
  const count = (key: string): GgufValue => ({ type: 'uint32', value: Number(description.config[key]) });
  const own = (key: string) => `${architecture.name}.${key}`;
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', text(architecture.name)],
    [own('vocab_size'), count('vocab_size')],
    [own('context_length'), count('max_position_embeddings')],
    [own('embedding_length'), count('hidden_size')],
    [own('block_count'), count('num_hidden_layers')],
    [own('feed_forward_length'), count('intermediate_size')],
    [own('attention.head_count'), count('num_attention_heads')],
    [own('attention.head_count_kv'), count('num_key_value_heads')],
    [
      own('attention.layer_norm_rms_epsilon'),
      { type: 'float32', value: Number(description.config['rms_norm_eps']) },
    ],
    [own('rope.freq_base'), { type: 'float32', value: 10_000 }],
    ['tokenizer.ggml.model', text('none')],
  ]);
  await writeGguf(path, { metadata, tensors });
  return path;
}

/** llama.cpp's logits of the last token. */
export function lastLogits(model: string, tokens: readonly number[], adapter?: string): Float32Array {
  using llama = new BareLlama(model, { threads: 1, contextSize: 64, exact: true });
  if (adapter !== undefined) llama.useAdapter(adapter);
  llama.decode(Int32Array.from(tokens));
  return llama.logits().slice();
}

/** Tensors and metadata of a GGUF file, in their order. */
export async function ggufContents(path: string) {
  const { tensors, metadata } = await readGguf(path);
  return { tensors: tensors.map(({ name, shape, type }) => ({ name, shape, type: type.name })), metadata };
}
