import type { Sampling } from './sampling.ts';

/** What llama.cpp's own programs start with, but for the temperature, which chat models' cards usually put at 0.7. */
export const defaultSampling: Sampling = {
  temperature: 0.7,
  topK: 40,
  topP: 0.95,
  minP: 0.05,
  repeatPenalty: 1.1,
  seed: null,
  maxTokens: null,
};

/**
 * For the starter model: so small that any word but the likeliest leads it astray, and that it has to say some things twice in the same
 * words.
 */
export const literalSampling: Sampling = { ...defaultSampling, temperature: 0, repeatPenalty: 1 };
