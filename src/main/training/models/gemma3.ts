import type { Architecture } from './decoder.ts';
import { ArchitectureKeys, plainDecoder } from './metadata.ts';

/** The only size whose scores are scaled by the width of the model over its heads, told by its number of layers, as llama.cpp does. */
const layersOf27B = 62;
/** Every so many layers one sees everything, where the file does not say. */
const usualPattern = 6;
const localRopeBase = 10_000;

/**
 * Gemma 3, text only (https://arxiv.org/abs/2503.19786): most layers see a sliding window and rotate with a base of their own;
 * norms before and behind attention and feed-forward; embeddings are scaled, and also the head.
 */
export const gemma3: Architecture = {
  name: 'gemma3',
  describe(file) {
    const keys = new ArchitectureKeys(file, 'gemma3');
    const decoder = plainDecoder(file, 'gemma3', 'halves');
    const { embedding, heads, layers, head } = decoder;
    const { rope } = decoder.attentionOf(0);
    const window = keys.optional('attention.sliding_window') ?? 0;
    const pattern = keys.optional('attention.sliding_window_pattern') ?? usualPattern;
    const localRope = { ...rope, base: keys.optional('rope.freq_base_swa') ?? localRopeBase, scale: 1 };
    const isLocal = (layer: number) => window > 0 && layer % pattern < pattern - 1;
    return {
      ...decoder,
      activation: 'gelu',
      embeddingScale: Math.sqrt(embedding),
      attentionScale: 1 / Math.sqrt(layers === layersOf27B ? embedding / heads : head),
      attentionOf: (layer) => (isLocal(layer) ? { rope: localRope, window } : { rope, window: null }),
    };
  },
};
