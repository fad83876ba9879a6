import type { Architecture } from './decoder.ts';
import { ArchitectureKeys, plainDecoder } from './metadata.ts';

/**
 * LLaMA 1–3, Mistral, TinyLlama, SmolLM, Vicuna (https://arxiv.org/abs/2302.13971). LLaMA 3.1 and later stretch the rotation by
 * factors that the file brings as `rope_freqs.weight`.
 */
export const llama: Architecture = {
  name: 'llama',
  describe(file) {
    const decoder = plainDecoder(file, 'llama', 'neighbours');
    const scale = new ArchitectureKeys(file, 'llama').optional('attention.scale');
    return {
      ...decoder,
      attentionScale: scale || decoder.attentionScale,
      ropeFactors: file.tensors.has('rope_freqs.weight') ? 'rope_freqs.weight' : null,
    };
  },
};
