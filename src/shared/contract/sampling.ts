import { z } from 'zod';

/** How the next token is chosen. Ranges are those that llama.cpp's samplers give a meaning to. */
export const samplingSchema = z.object({
  /** 0 takes the likeliest token every time. */
  temperature: z.number().min(0).max(5),
  /** Keep the k likeliest tokens; 0 keeps all. */
  topK: z.int().min(0).max(1000),
  /** Keep the likeliest tokens whose probabilities add up to this; 1 keeps all. */
  topP: z.number().min(0).max(1),
  /** Keep tokens at least this likely relative to the likeliest; 0 keeps all. */
  minP: z.number().min(0).max(1),
  /** Divides the logits of recent tokens; 1 is off. */
  repeatPenalty: z.number().min(0.5).max(2),
  /** Same seed, same reply; null draws a new one each time (and records it). */
  seed: z.int().min(0).max(0xffff_ffff).nullable(),
  /** Longest reply in tokens; null lets the model end by itself. */
  maxTokens: z.int().min(1).nullable(),
});
export type Sampling = z.infer<typeof samplingSchema>;

// Apart, so that the page can have it without the schemas.
export { defaultSampling } from './default-sampling.ts';
