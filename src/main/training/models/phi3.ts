import type { Architecture } from './decoder.ts';
import { plainDecoder } from './metadata.ts';

/**
 * Phi 3 and 4 (https://arxiv.org/abs/2404.14219): q, k, v in one matrix, gate and up in another; rotation stretched by factors
 * for short or long contexts. Its sliding window is not used, as llama.cpp does not use it either.
 */
export const phi3: Architecture = {
  name: 'phi3',
  describe(file) {
    const decoder = plainDecoder(file, 'phi3', 'halves');
    // llama.cpp chooses by the size of its context, however short the text is, and Puna chats with the long one where it can.
    const { originalContext } = decoder.attentionOf(0).rope;
    const name = `rope_factors_${decoder.contextLength > originalContext ? 'long' : 'short'}.weight`;
    return { ...decoder, ropeFactors: file.tensors.has(name) ? name : null };
  },
};
