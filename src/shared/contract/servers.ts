import { z } from 'zod';
import { idSchema } from './conversation.ts';
import { failureSchema } from './failure.ts';

/**
 * Where words go that are sent to a server: to another program on this computer, to a machine on one's own network, or anywhere
 * else. Told by its address.
 */
export const serverPlaceSchema = z.enum(['this-computer', 'local-network', 'elsewhere']);
export type ServerPlace = z.infer<typeof serverPlaceSchema>;

/** Which server a model answers from that does not lie on this machine as a file. */
export const modelServerSchema = z.object({ id: idSchema, name: z.string(), place: serverPlaceSchema });
export type ModelServer = z.infer<typeof modelServerSchema>;

export const serverNameSchema = z.string().trim().min(1).max(100);
/** Up to where OpenAI's API begins, such as `http://192.168.0.7:8000/v1`. */
const serverAddress = z.string().trim().min(1).max(2000);

/** A program that speaks OpenAI's API (vLLM, llama-server, Ollama, LM Studio…), and that a person has added. */
export const serverSchema = z.object({
  id: idSchema,
  name: z.string(),
  address: z.string(),
  place: serverPlaceSchema,
  /** Whether a key goes along. It is never told itself. */
  hasKey: z.boolean(),
  /** What came of asking for its models last; `unknown`: not asked since Puna was started. */
  state: z.enum(['unknown', 'asking', 'reached', 'failed']),
  /** Why it `failed`. */
  failure: failureSchema.nullable(),
  /** What it offers, as far as known; `modelId` of those that are in Puna's list. */
  models: z.array(z.object({ name: z.string(), modelId: idSchema.nullable() })),
});
export type Server = z.infer<typeof serverSchema>;

export const newServerSchema = z.object({
  name: serverNameSchema,
  address: serverAddress,
  key: z.string().trim().min(1).max(1000).nullable(),
});
export type NewServer = z.infer<typeof newServerSchema>;

/**
 * Absent properties stay as they are; `key: null` forgets it. `takesKeyAlong`: with an address on another host, a person has said that the
 * key which is kept may go there.
 */
export const serverPatchSchema = newServerSchema.extend({ takesKeyAlong: z.boolean() }).partial();
export type ServerPatch = z.infer<typeof serverPatchSchema>;
