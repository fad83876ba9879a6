import { z } from 'zod';

/** Puna's models for other programs of this machine, behind the API of OpenAI. */
export const apiSettingsSchema = z.object({
  on: z.boolean(),
  /** On 127.0.0.1. */
  port: z.int().min(1).max(65_535),
});

export const apiStatusSchema = apiSettingsSchema.extend({
  /** What programs take for a base URL; null while it is not reachable. */
  address: z.string().nullable(),
  /** The key that programs must have. */
  key: z.string(),
  /** Why it could not be started, as a sentence. */
  error: z.string().nullable(),
});
export type ApiStatus = z.infer<typeof apiStatusSchema>;
