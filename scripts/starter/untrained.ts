import { seededRandom } from '../../src/main/training/random.ts';
import { type GgufValue, type TensorToWrite, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { chatTemplate } from '../../tests/support/tiny-vocabulary.ts';
import type { Vocabulary } from './tokenizer.ts';

/** The starter's measures: 3.5 million weights with a vocabulary of 3,072 tokens. */
export const shape = {
  ...{ layers: 3, embedding: 256, heads: 8, feedForward: 512 },
  /** In tokens. */
  contextLength: 512,
};

/** Writes the model from which learning begins: random weights in F32, the same each time. */
export async function writeUntrained(path: string, vocabulary: Vocabulary): Promise<void> {
  await writeGguf(path, {
    metadata: new Map([...modelMetadata(vocabulary), ...vocabulary.metadata]),
    tensors: tensorsFor(vocabulary.pieces.length),
  });
}

function modelMetadata({ pieces }: Vocabulary): [string, GgufValue][] {
  const string = (value: string): GgufValue => ({ type: 'string', value });
  const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
  return [
    ['general.architecture', string('llama')],
    ['general.type', string('model')],
    ['general.name', string('Puna starter')],
    ['general.description', string('A tiny demonstration model that comes with Puna.')],
    ['general.license', string('apache-2.0')],
    ['general.languages', { type: 'array', of: 'string', value: ['en', 'ko'] }],
    ['general.file_type', uint32(0)],
    ['general.quantization_version', uint32(2)],
    ['llama.context_length', uint32(shape.contextLength)],
    ['llama.embedding_length', uint32(shape.embedding)],
    ['llama.block_count', uint32(shape.layers)],
    ['llama.feed_forward_length', uint32(shape.feedForward)],
    ['llama.attention.head_count', uint32(shape.heads)],
    ['llama.attention.head_count_kv', uint32(shape.heads)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
    ['llama.rope.freq_base', { type: 'float32', value: 10_000 }],
    ['llama.rope.dimension_count', uint32(shape.embedding / shape.heads)],
    ['llama.vocab_size', uint32(pieces.length)],
    ['tokenizer.chat_template', string(chatTemplate)],
  ];
}

function tensorsFor(tokens: number): TensorToWrite[] {
  const { layers, embedding, feedForward } = shape;
  const square = [embedding, embedding] as const;
  const matrices = {
    ...{ attn_q: square, attn_k: square, attn_v: square, attn_output: square },
    ...{
      ffn_gate: [embedding, feedForward],
      ffn_up: [embedding, feedForward],
      ffn_down: [feedForward, embedding],
    },
  } as const satisfies Record<string, readonly [number, number]>;
  return [
    randomMatrix('token_embd.weight', [embedding, tokens], embeddingDeviation, 0),
    ...Array.from({ length: layers }, (_, layer) => [
      ones(`blk.${layer}.attn_norm.weight`),
      ones(`blk.${layer}.ffn_norm.weight`),
      ...Object.entries(matrices).map(([name, size], index) => {
        // What is added to the stream is small at first, and the smaller the more layers add to it, as in GPT-2.
        const adds = name === 'attn_output' || name === 'ffn_down';
        const deviation = (adds ? 1 / Math.sqrt(2 * layers) : 1) * (0.5 / Math.sqrt(size[0]));
        return randomMatrix(`blk.${layer}.${name}.weight`, size, deviation, 1 + layer * 16 + index);
      }),
    ]).flat(),
    ones('output_norm.weight'),
    // A head of its own: embeddings of words that are only read would be moved by what is written all the time.
    randomMatrix('output.weight', [embedding, tokens], headDeviation, 2),
  ];
}

/** Large beside what the layers add at first: words count at once. */
const embeddingDeviation = 0.3;
/** As in GPT-2: logits begin near zero. */
const headDeviation = 0.02;

function randomMatrix(
  name: string,
  size: readonly [columns: number, rows: number],
  deviation: number,
  seed: number,
): TensorToWrite {
  const random = seededRandom(1, seed);
  // A uniform distribution over ±√3 has the standard deviation 1.
  const numbers = Float32Array.from(
    { length: size[0] * size[1] },
    () => (random.unit() * 2 - 1) * Math.sqrt(3) * deviation,
  );
  return { name, type: 'F32', shape: [...size], data: new Uint8Array(numbers.buffer) };
}

function ones(name: string): TensorToWrite {
  const numbers = new Float32Array(shape.embedding).fill(1);
  return { name, type: 'F32', shape: [shape.embedding], data: new Uint8Array(numbers.buffer) };
}
