import { type GgufValue, type TensorToWrite, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { layerMatrices, modelMetadata, type ModelShape, tinyShape } from './tiny-model.ts';
import { seededRandom } from './tiny-random.ts';
import { matrix, ones, randomMatrix, type TinyTensorType } from './tiny-tensors.ts';
import { tinyVocabulary } from './tiny-vocabulary.ts';

// Models whose past cannot be cut at any place, as others' can. They speak nonsense like those of tiny-model.ts.

/** How far the layers of a sliding-window model look back, in tokens: not far, so that tests soon say more. */
const slidingWindow = 64;

/** Larger ones than tests of behaviour need, for measuring what they take. */
export interface MemoryModelOptions {
  shape?: ModelShape;
  /** Of the matrices. */
  tensorType?: TinyTensorType;
  vocabularySize?: number;
  window?: number;
}

/** A model with a sliding window in two of three layers (Gemma 3). */
export function buildSlidingWindowModel(path: string, options: MemoryModelOptions = {}): Promise<string> {
  const { shape = { ...tinyShape, layers: 3 }, window = slidingWindow, tensorType } = options;
  const head = shape.embedding / shape.heads;
  const layers = Array.from({ length: shape.layers }, (_, layer) => [
    ...['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm'].map((name) =>
      ones(`blk.${layer}.${name}.weight`, shape.embedding),
    ),
    ...['attn_q_norm', 'attn_k_norm'].map((name) => ones(`blk.${layer}.${name}.weight`, head)),
    ...Object.entries(layerMatrices(shape)).map(([name, size]) =>
      random(`blk.${layer}.${name}.weight`, size, tensorType),
    ),
  ]);
  return write(path, 'gemma3', { ...options, shape }, layers.flat(), [
    ['attention.key_length', { type: 'uint32', value: head }],
    ['attention.value_length', { type: 'uint32', value: head }],
    ['attention.sliding_window', { type: 'uint32', value: window }],
    ['attention.sliding_window_pattern', { type: 'uint32', value: 3 }],
  ]);
}

/** A model that keeps a state instead of its past (Mamba). */
export function buildRecurrentModel(path: string, options: MemoryModelOptions = {}): Promise<string> {
  const { shape = tinyShape, tensorType } = options;
  const [inner, state, convolution, rank] = [2 * shape.embedding, 16, 4, 4];
  const layers = Array.from({ length: shape.layers }, (_, layer) => {
    const name = (rest: string) => `blk.${layer}.${rest}`;
    return [
      ones(name('attn_norm.weight'), shape.embedding),
      random(name('ssm_in.weight'), [shape.embedding, 2 * inner], tensorType),
      random(name('ssm_conv1d.weight'), [convolution, inner]),
      ones(name('ssm_conv1d.bias'), inner),
      random(name('ssm_x.weight'), [inner, rank + 2 * state]),
      random(name('ssm_dt.weight'), [rank, inner]),
      ones(name('ssm_dt.bias'), inner),
      // What was there fades, at several speeds.
      matrix(name('ssm_a'), [state, inner], 'F32', (_row, column) => -(column + 1) / state),
      ones(name('ssm_d'), inner),
      random(name('ssm_out.weight'), [inner, shape.embedding], tensorType),
    ];
  });
  return write(path, 'mamba', { ...options, shape }, layers.flat(), [
    ['ssm.conv_kernel', { type: 'uint32', value: convolution }],
    ['ssm.inner_size', { type: 'uint32', value: inner }],
    ['ssm.state_size', { type: 'uint32', value: state }],
    ['ssm.time_step_rank', { type: 'uint32', value: rank }],
  ]);
}

function random(
  name: string,
  [columns, rows]: readonly [number, number],
  tensorType: TinyTensorType = 'F32',
): TensorToWrite {
  const seed = [...name].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 1);
  return randomMatrix(name, [columns, rows], tensorType, {
    random: seededRandom(seed),
    deviation: 1 / Math.sqrt(columns),
  });
}

async function write(
  path: string,
  architecture: string,
  { shape, tensorType, vocabularySize }: MemoryModelOptions & { shape: ModelShape },
  layers: TensorToWrite[],
  more: [string, GgufValue][],
): Promise<string> {
  const vocabulary = tinyVocabulary({ size: vocabularySize, thinking: false });
  const described = modelMetadata({ shape, vocabulary, tensorType: 'F32', thinking: false });
  const metadata = described.map(([key, value]): [string, GgufValue] => [
    key.replace(/^llama\./, `${architecture}.`),
    key === 'general.architecture' ? { type: 'string', value: architecture } : value,
  ]);
  for (const [key, value] of more) metadata.push([`${architecture}.${key}`, value]);
  const tokens = vocabulary.pieces.length;
  const tensors = [
    random('token_embd.weight', [shape.embedding, tokens], tensorType),
    ...layers,
    ones('output_norm.weight', shape.embedding),
    // Logits apart enough that temperature 0 is stable.
    randomMatrix('output.weight', [shape.embedding, tokens], tensorType ?? 'F32', {
      ...{ random: seededRandom(7), deviation: 3 / Math.sqrt(shape.embedding) },
    }),
  ];
  await writeGguf(path, { metadata: new Map(metadata), tensors });
  return path;
}
