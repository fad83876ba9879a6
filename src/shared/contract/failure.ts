import { z } from 'zod';
import { errorCodes } from '../error.ts';

/** Why something failed, as it is kept and told: what a `PunaError` says. */
export const failureSchema = z.object({ code: z.enum(errorCodes), message: z.string(), remedy: z.string() });
export type Failure = z.infer<typeof failureSchema>;
