import { contextSizes } from '../machine-engine/context-sizes.ts';
import type { Bytes, ContextNeeds, ModelNeeds } from '../machine-engine/messages.ts';
import { batchTokens } from '../machine-engine/unused-logits.ts';
import { isCopied } from '../machine-engine/weights-read.ts';
import { type GgmlType, ggmlTypes } from '../weights/formats/gguf.ts';
import { bytesOfNumber, type ModelShape, shapeOfConfig, usualShape } from './model-shape.ts';
import { usableMemory } from './memory.ts';

/** What is known of a model that is not on this machine. */
export interface FarModel {
  /** Of its GGUF files. */
  bytes: number;
  /** Such as `Q4_K_M`; null where nobody tells. */
  quantization: string | null;
  /** Its `config.json`, read as JSON; null where there is none. */
  config: unknown;
}

/** What such a model needs. Without a config it is taken for one of the usual kind. `video`: memory of the GPUs, 0 where there are none. */
export function needsOf(
  { bytes, quantization, config }: FarModel,
  contextSize: number | null,
  video: number,
): ModelNeeds {
  const type = typeCalled(quantization);
  const shape = shapeOfConfig(config) ?? usualShape((bytes / type.blockBytes) * type.blockSize);
  const sizes = contextSizes(shape.contextLength ?? longestUnknown, contextSize);
  const contexts = sizes.map((size) => ({
    contextSize: size,
    one: contextBytes(shape, size, 1),
    four: contextBytes(shape, size, 4),
  }));
  const split = layersOnGpu(shape, bytes, contexts.at(-1)?.one ?? 0, usableMemory(0, video).video);
  const share = split / (shape.layers + 1);
  const onBoth = (ram: number): Bytes => ({ ram: ram * (1 - share), video: ram * share });
  return {
    ...{ layers: shape.layers + 1, gpuLayers: split, contextLength: shape.contextLength },
    weights: onBoth(bytes),
    copied: split === 0 && isCopied(type.name) ? bytes : 0,
    vocabulary: shape.vocabulary,
    read: [{ type: type.name, bytes: bytes * shape.readShare }],
    contexts: contexts.map((each): ContextNeeds => ({
      ...each,
      one: onBoth(each.one),
      four: onBoth(each.four),
    })),
  };
}

/** The type of most weights of a quantization, which is what its name begins with: `Q4_K` of `Q4_K_M`, `IQ3_S` of `IQ3_M`. */
function typeCalled(quantization: string | null): GgmlType {
  const name = (quantization ?? '').toUpperCase().replace(/^UD-/, '');
  const types = Object.values(ggmlTypes).toSorted((one, other) => other.name.length - one.name.length);
  const family = /^I?Q\d/.exec(name)?.[0];
  return (
    types.find((type) => name.startsWith(type.name)) ??
    types.find((type) => family !== undefined && type.name.startsWith(`${family}_`)) ??
    ggmlTypes.Q4_K
  );
}

/** Models of today were made for more than Puna takes by itself. */
const longestUnknown = 1_048_576;
/** llama.cpp keeps whole blocks of so many tokens. */
const blockTokens = 256;
const bytesOfFloat = 4;

/**
 * As llama.cpp lays contexts out: keys and values of all layers, and for as many tokens as are read at once the numbers of a layer at
 * work and which others they see.
 */
function contextBytes(shape: ModelShape, contextSize: number, conversations: number): number {
  const cells = padded(contextSize);
  // Each conversation has place for the windows of all, and for its part of what is read.
  const windowTokens = conversations * shape.window + batchTokens / conversations + 1;
  const windowCells = Math.min(cells, padded(windowTokens));
  const kept = (shape.whole * cells + shape.windowed * windowCells) * shape.kept * bytesOfNumber;
  const read = Math.min(batchTokens, cells);
  const seen = read * cells * bytesOfNumber;
  return conversations * kept + seen + read * (shape.embedding + shape.feedForward) * bytesOfFloat;
}

function padded(tokens: number): number {
  return Math.ceil(tokens / blockTokens) * blockTokens;
}

/** Layers that have their place on the GPUs, the last one being the head. */
function layersOnGpu({ layers }: ModelShape, bytes: number, context: number, video: number): number {
  const one = (bytes + context) / (layers + 1);
  return Math.max(0, Math.min(layers + 1, Math.floor(video / one)));
}
