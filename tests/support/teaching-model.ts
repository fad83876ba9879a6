import { writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { worldTexts } from './teaching-world.ts';
import { layerMatrices, modelMetadata, type ModelShape } from './tiny-model.ts';
import { seededRandom } from './tiny-random.ts';
import { ones, randomMatrix } from './tiny-tensors.ts';
import { spaceSign, tinyVocabulary } from './tiny-vocabulary.ts';

const untaughtShape: ModelShape = {
  ...{ layers: 4, embedding: 128, heads: 4, kvHeads: 4, feedForward: 384, contextLength: 256 },
};

/** Writes a model that knows the invented world's words, one token each, and nothing else: what it is to be learns begins here. */
export async function buildUntaughtModel(path: string, changed: Partial<ModelShape> = {}): Promise<string> {
  const shape = { ...untaughtShape, ...changed };
  const pieces = worldTexts().flatMap((text) => text.match(/ ?[^\s?.,']+/g) ?? []);
  const vocabulary = tinyVocabulary({
    thinking: false,
    pieces: ['user', 'assistant', ...pieces.map((piece) => piece.replace(' ', spaceSign))],
  });
  const random = seededRandom(1);
  const matrix = (name: string, size: readonly [number, number], deviation: number) =>
    randomMatrix(name, [...size], 'F32', { random, deviation });
  const { layers, embedding } = shape;
  const tokens = vocabulary.pieces.length;
  await writeGguf(path, {
    metadata: new Map(
      modelMetadata({ name: 'Invented world', shape, tensorType: 'F32', thinking: false, vocabulary }),
    ),
    tensors: [
      matrix('token_embd.weight', [embedding, tokens], 0.1),
      ...Array.from({ length: layers }, (_, layer) => [
        ones(`blk.${layer}.attn_norm.weight`, embedding),
        ones(`blk.${layer}.ffn_norm.weight`, embedding),
        ...Object.entries(layerMatrices(shape)).map(([name, size]) => {
          // What is added to the stream is small at first, and the smaller the more layers add to it (GPT-2).
          const adds = name === 'attn_output' || name === 'ffn_down';
          const deviation = (adds ? 1 / Math.sqrt(2 * layers) : 1) * (0.5 / Math.sqrt(size[0]));
          return matrix(`blk.${layer}.${name}.weight`, size, deviation);
        }),
      ]).flat(),
      ones('output_norm.weight', embedding),
      matrix('output.weight', [embedding, tokens], 0.02),
    ],
  });
  return path;
}
