import type { Architecture } from './decoder.ts';
import { plainDecoder } from './metadata.ts';

/** Qwen 3 (https://arxiv.org/abs/2505.09388): heads of a width of their own, and q and k normed per head. */
export const qwen3: Architecture = {
  name: 'qwen3',
  describe: (file) => plainDecoder(file, 'qwen3', 'halves'),
};
