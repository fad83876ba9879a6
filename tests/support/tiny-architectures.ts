import {
  type GgmlTypeName,
  type GgufValue,
  type TensorToWrite,
  writeGguf,
} from '../../src/main/weights/formats/gguf.ts';
import { quantized } from './quantize.ts';
import { modelMetadata, type ModelShape } from './tiny-model.ts';
import { seededRandom } from './tiny-random.ts';
import { tinyVocabulary } from './tiny-vocabulary.ts';

/** What a file's matrices are stored as: `Q4_K_M` mixes Q4_K with Q6_K, as llama.cpp's quantizer does. */
export type TinyQuantization = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_K_M' | 'Q6_K';

/** Wide enough for blocks of 256, and two heads a group. */
export const architectureShape: ModelShape = {
  ...{ layers: 3, embedding: 256, heads: 4, kvHeads: 2, feedForward: 512, contextLength: 512 },
};
const head = 64;
const slidingWindow = 4;

type Metadata = [key: string, value: GgufValue][];
interface Variant {
  architecture: string;
  metadata?: Metadata;
  /** Tensors of a layer besides the usual ones; null takes one away. */
  layer?: Record<string, readonly number[] | null>;
  /** Of the whole model. */
  model?: Record<string, readonly number[] | null>;
}

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
const float32 = (value: number): GgufValue => ({ type: 'float32', value });
const text = (value: string): GgufValue => ({ type: 'string', value });

const { embedding, heads, kvHeads, feedForward } = architectureShape;
const queries = heads * head;
const keys = kvHeads * head;

/** Every architecture that can be trained, with what is special about it. */
export const tinyVariants = {
  llama: { architecture: 'llama' },
  'llama with tied embeddings, stretched rotation and biases': {
    architecture: 'llama',
    model: { 'output.weight': null, 'rope_freqs.weight': [head / 2] },
    layer: { 'attn_q.bias': [queries], 'attn_output.bias': [embedding] },
  },
  'llama with linear scaling': {
    architecture: 'llama',
    metadata: [
      ['rope.scaling.type', text('linear')],
      ['rope.scaling.factor', float32(4)],
    ],
  },
  'llama with YaRN': {
    architecture: 'llama',
    metadata: [
      ['rope.scaling.type', text('yarn')],
      ['rope.scaling.factor', float32(4)],
      ['rope.scaling.original_context_length', uint32(128)],
    ],
  },
  qwen2: {
    architecture: 'qwen2',
    layer: { 'attn_q.bias': [queries], 'attn_k.bias': [keys], 'attn_v.bias': [keys] },
  },
  qwen3: {
    architecture: 'qwen3',
    metadata: [
      ['attention.key_length', uint32(head)],
      ['attention.value_length', uint32(head)],
    ],
    layer: { 'attn_q_norm.weight': [head], 'attn_k_norm.weight': [head] },
  },
  gemma3: {
    architecture: 'gemma3',
    metadata: [
      ['attention.key_length', uint32(head)],
      ['attention.value_length', uint32(head)],
      ['attention.sliding_window', uint32(slidingWindow)],
      ['attention.sliding_window_pattern', uint32(3)],
      ['rope.scaling.type', text('linear')],
      ['rope.scaling.factor', float32(8)],
    ],
    model: { 'output.weight': null },
    layer: {
      ...{ 'attn_q_norm.weight': [head], 'attn_k_norm.weight': [head] },
      ...{ 'post_attention_norm.weight': [embedding], 'post_ffw_norm.weight': [embedding] },
    },
  },
  phi3: {
    architecture: 'phi3',
    metadata: [
      ['rope.scaling.attn_factor', float32(1.19)],
      ['rope.scaling.original_context_length', uint32(64)],
    ],
    model: { 'rope_factors_long.weight': [head / 2], 'rope_factors_short.weight': [head / 2] },
    layer: {
      ...{ 'attn_q.weight': null, 'attn_k.weight': null, 'attn_v.weight': null, 'ffn_gate.weight': null },
      ...{
        'attn_qkv.weight': [embedding, queries + 2 * keys],
        'ffn_up.weight': [embedding, 2 * feedForward],
      },
    },
  },
} as const satisfies Record<string, Variant>;
export type TinyVariant = keyof typeof tinyVariants;

/** Writes a model of random weights of this architecture, the same for the same name. Gives back the path. */
export async function buildTinyArchitecture(
  path: string,
  variantName: TinyVariant,
  quantization: TinyQuantization = 'F32',
): Promise<string> {
  const variant: Variant = tinyVariants[variantName];
  const vocabulary = tinyVocabulary({ thinking: false, size: 960 });
  const described = modelMetadata({
    ...{ shape: architectureShape, tensorType: 'F32', thinking: false, vocabulary },
  });
  const metadata: Metadata = described.map(([key, value]) => [
    key.replace(/^llama\./, `${variant.architecture}.`),
    key === 'general.architecture' ? text(variant.architecture) : value,
  ]);
  for (const [key, value] of variant.metadata ?? []) metadata.push([`${variant.architecture}.${key}`, value]);

  const shapes: Record<string, readonly number[] | null> = {
    'token_embd.weight': [embedding, vocabulary.pieces.length],
    'output_norm.weight': [embedding],
    'output.weight': [embedding, vocabulary.pieces.length],
    ...variant.model,
  };
  for (let layer = 0; layer < architectureShape.layers; layer++) {
    const usual = {
      ...{ 'attn_norm.weight': [embedding], 'ffn_norm.weight': [embedding] },
      ...{ 'attn_q.weight': [embedding, queries], 'attn_k.weight': [embedding, keys] },
      ...{ 'attn_v.weight': [embedding, keys], 'attn_output.weight': [queries, embedding] },
      ...{ 'ffn_gate.weight': [embedding, feedForward], 'ffn_up.weight': [embedding, feedForward] },
      'ffn_down.weight': [feedForward, embedding],
    };
    for (const [name, shape] of Object.entries({ ...usual, ...variant.layer })) {
      shapes[`blk.${layer}.${name}`] = shape;
    }
  }
  const tensors = Object.entries(shapes).flatMap(([name, shape]) =>
    shape ? [randomTensor(name, shape, quantization)] : [],
  );
  await writeGguf(path, { metadata: new Map(metadata), tensors });
  return path;
}

function randomTensor(name: string, shape: readonly number[], quantization: TinyQuantization): TensorToWrite {
  const random = seededRandom(
    [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 1),
  );
  const count = shape.reduce((product, length) => product * length, 1);
  const isMatrix = shape.length === 2;
  // Vectors scale (norms), stretch (rotation factors) or shift (biases).
  const number = () =>
    isMatrix
      ? random.spread(1 / Math.sqrt(shape[0] ?? 1))
      : name.endsWith('bias')
        ? random.spread(0.2)
        : 1 + random.unit();
  const numbers = Float32Array.from({ length: count }, number);
  const type = isMatrix ? matrixType(name, quantization) : 'F32';
  return { name, type, shape, data: quantized(numbers, type, shape[0] ?? 1) };
}

/** As llama.cpp's quantizer chooses for Q4_K_M, roughly: more digits for values, the way down and the head. */
function matrixType(name: string, quantization: TinyQuantization): GgmlTypeName {
  if (quantization !== 'Q4_K_M') return quantization;
  return /attn_v|ffn_down|^output|^token_embd/.test(name) ? 'Q6_K' : 'Q4_K';
}
