import type { Architecture } from './decoder.ts';
import { plainDecoder } from './metadata.ts';

/** Qwen 2 and 2.5 (https://arxiv.org/abs/2407.10671): LLaMA with biases on q, k and v, and halves rotated. */
export const qwen2: Architecture = {
  name: 'qwen2',
  describe: (file) => plainDecoder(file, 'qwen2', 'halves'),
};
