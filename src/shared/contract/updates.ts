import { z } from 'zod';

/** How Puna comes by newer versions of itself. `Settings.updates` has whether the person wants it to. */
export const updatesSchema = z.object({
  /** Whether this build knows whom to ask; otherwise it never asks anyone. */
  isConfigured: z.boolean(),
  /** A newer version that has been fetched, and will be installed when Puna is quit. */
  ready: z.string().nullable(),
});
export type Updates = z.infer<typeof updatesSchema>;
