import { type GgufValue, type TensorToWrite, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { seededRandom } from './tiny-random.ts';
import { ones, randomMatrix, type TinyTensorType } from './tiny-tensors.ts';
import { chatTemplate, thinkingChatTemplate, tinyVocabulary, type Vocabulary } from './tiny-vocabulary.ts';

/** A llama architecture's measures. All widths are multiples of 32, so that every tensor type fits. */
export interface ModelShape {
  layers: number;
  embedding: number;
  heads: number;
  kvHeads: number;
  feedForward: number;
  /** In tokens. */
  contextLength: number;
}

export const tinyShape: ModelShape = {
  layers: 2,
  embedding: 64,
  heads: 4,
  kvHeads: 2,
  feedForward: 128,
  contextLength: 2048,
};

/** Models for measurements, by their number of parameters: small, but their weights fit in no cache. */
export const benchShapes = {
  /** As `training-torch.py` has it. */
  '128M': { layers: 12, embedding: 768, heads: 12, kvHeads: 4, feedForward: 2048, contextLength: 4096 },
  '134M': { layers: 12, embedding: 768, heads: 12, kvHeads: 12, feedForward: 2048, contextLength: 4096 },
  /** As SmolLM2-360M, of the smallest that people chat with. */
  '376M': { layers: 32, embedding: 960, heads: 15, kvHeads: 5, feedForward: 2560, contextLength: 4096 },
} as const satisfies Record<string, ModelShape>;
export const benchVocabulary = 32_000;

export interface DescribedModel {
  name?: string;
  shape: ModelShape;
  tensorType: TinyTensorType;
  thinking: boolean;
  /** Null: the file has none. */
  chatTemplate?: string | null | undefined;
  vocabulary: Vocabulary;
}

export interface TinyModelOptions {
  name?: string;
  shape?: Partial<ModelShape>;
  tensorType?: TinyTensorType;
  seed?: number;
  /** A vocabulary with `<think>` and `</think>`, and a template that knows them. */
  thinking?: boolean;
  /** Another template than ChatML; null: the file has none. */
  chatTemplate?: string | null;
  /** Number of tokens; absent: some 900. */
  vocabularySize?: number;
}

/** Writes a model of random weights, which speaks nonsense, the same for the same seed. Gives back the path. */
export async function buildTinyModel(path: string, options: TinyModelOptions = {}): Promise<string> {
  const {
    name,
    seed = 1,
    thinking = false,
    tensorType = 'F32',
    chatTemplate: template,
    vocabularySize,
  } = options;
  const shape = { ...tinyShape, ...options.shape };
  const vocabulary = tinyVocabulary({ size: vocabularySize, thinking });
  await writeGguf(path, {
    metadata: new Map(
      modelMetadata({
        name: name ?? 'Tiny',
        shape,
        tensorType,
        thinking,
        chatTemplate: template,
        vocabulary,
      }),
    ),
    tensors: randomTensors(shape, vocabulary.pieces.length, { tensorType, seed }),
  });
  return path;
}

/** A model of that shape. In Q8_0 it has about as many megabytes as it has millions of parameters. */
export function buildBenchModel(
  path: string,
  shape: keyof typeof benchShapes,
  tensorType: TinyTensorType = 'Q8_0',
): Promise<string> {
  return buildTinyModel(path, {
    ...{ name: 'Bench', shape: benchShapes[shape], tensorType, vocabularySize: benchVocabulary },
  });
}

/** What llama.cpp wants to know of a llama architecture. */
export function modelMetadata(model: DescribedModel): [string, GgufValue][] {
  const { shape, tensorType, thinking, vocabulary } = model;
  const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
  const template =
    model.chatTemplate === undefined ? (thinking ? thinkingChatTemplate : chatTemplate) : model.chatTemplate;
  const entries: [string, GgufValue][] = [
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['general.type', { type: 'string', value: 'model' }],
    ['general.name', { type: 'string', value: model.name ?? 'Tiny' }],
    ['general.file_type', uint32({ F32: 0, F16: 1, BF16: 32, Q8_0: 7, Q4_K: 14 }[tensorType])],
    ['general.quantization_version', uint32(2)],
    ['llama.context_length', uint32(shape.contextLength)],
    ['llama.embedding_length', uint32(shape.embedding)],
    ['llama.block_count', uint32(shape.layers)],
    ['llama.feed_forward_length', uint32(shape.feedForward)],
    ['llama.attention.head_count', uint32(shape.heads)],
    ['llama.attention.head_count_kv', uint32(shape.kvHeads)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
    ['llama.rope.freq_base', { type: 'float32', value: 10_000 }],
    ['llama.rope.dimension_count', uint32(shape.embedding / shape.heads)],
    ['llama.vocab_size', uint32(vocabulary.pieces.length)],
    ...vocabulary.metadata,
  ];
  if (template !== null) entries.push(['tokenizer.chat_template', { type: 'string', value: template }]);
  return entries;
}

/** The matrices of one layer with their shapes, [in, out]. */
export function layerMatrices({ embedding, heads, kvHeads, feedForward }: ModelShape) {
  const kv = (embedding / heads) * kvHeads;
  return {
    attn_q: [embedding, embedding],
    attn_k: [embedding, kv],
    attn_v: [embedding, kv],
    attn_output: [embedding, embedding],
    ffn_gate: [embedding, feedForward],
    ffn_up: [embedding, feedForward],
    ffn_down: [feedForward, embedding],
  } as const satisfies Record<string, readonly [number, number]>;
}

/** Weights that keep the numbers' size from layer to layer, and logits apart enough that temperature 0 is stable. */
function randomTensors(
  shape: ModelShape,
  tokens: number,
  { tensorType, seed }: { tensorType: TinyTensorType; seed: number },
): TensorToWrite[] {
  const { embedding, layers } = shape;
  // Every tensor has a seed of its own, so that the order in which they are written makes no difference.
  const tensor = (name: string, [columns, rows]: readonly [number, number], deviation: number) => {
    const random = seededRandom(
      [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed),
    );
    return randomMatrix(name, [columns, rows], tensorType, { random, deviation });
  };
  const logitDeviation = 3;
  return [
    tensor('token_embd.weight', [embedding, tokens], 1),
    ...Array.from({ length: layers }, (_, layer) => [
      ones(`blk.${layer}.attn_norm.weight`, embedding),
      ones(`blk.${layer}.ffn_norm.weight`, embedding),
      ...Object.entries(layerMatrices(shape)).map(([name, size]) =>
        tensor(`blk.${layer}.${name}.weight`, size, 1 / Math.sqrt(size[0])),
      ),
    ]).flat(),
    ones('output_norm.weight', embedding),
    tensor('output.weight', [embedding, tokens], logitDeviation / Math.sqrt(embedding)),
  ];
}
