import { z } from 'zod';
import { idSchema, timeSchema } from './conversation.ts';
import { failureSchema } from './failure.ts';
import { modelOrigins } from './library-choices.ts';
import { modelServerSchema } from './servers.ts';

/** How a model is loaded. Null: chosen from the free memory and the cores. */
export const loadSettingsSchema = z.object({
  contextSize: z.int().min(64).nullable(),
  gpuLayers: z.int().min(0).nullable(),
  threads: z.int().min(1).max(512).nullable(),
});
export type LoadSettings = z.infer<typeof loadSettingsSchema>;

export const automaticLoadSettings: LoadSettings = { contextSize: null, gpuLayers: null, threads: null };

/** What came of a check of a model's files. It holds while the files have the size and the time that they had then. */
export const verifiedSchema = z.object({
  /**
   * `confirmed`: it is what its publisher has, as far as known; `unchanged`: as at an earlier check; `recorded`: there was nothing to
   * compare it with before; `damaged`: it is not what it should be.
   */
  result: z.enum(['confirmed', 'unchanged', 'recorded', 'damaged']),
  /** Of a model of one file. */
  sha256: z.string().nullable(),
  /** Names of the files that are not what they should be. */
  damaged: z.array(z.string()),
  at: timeSchema,
});
export type Verified = z.infer<typeof verifiedSchema>;

export const tagSchema = z.string().trim().min(1).max(40);

/** A GGUF file of the library, which stays where it is unless it was uploaded; or a model of a server. */
export const modelSchema = z.object({
  id: idSchema,
  /**
   * `adapter`: a LoRA, which works only on top of a model of its architecture. `weights`: a Hugging Face folder, a base for operations;
   * only `LibraryState` has those. `remote`: it answers from `server`; its path is empty and its size 0.
   */
  kind: z.enum(['model', 'adapter', 'weights', 'remote']),
  name: z.string(),
  path: z.string(),
  bytes: z.int().nonnegative(),
  architecture: z.string(),
  /** Number of weights; null where the tensor table does not tell. */
  parameters: z.number().nullable(),
  /** Such as `Q4_K_M`; null where the file does not tell. */
  quantization: z.string().nullable(),
  /** Longest context that the model was trained for, in tokens. */
  contextLength: z.int().nullable(),
  hasChatTemplate: z.boolean(),
  /** Such as `apache-2.0`; null where the file does not tell. */
  license: z.string().nullable(),
  origin: z.enum(modelOrigins),
  /** Null: it lies on this machine. Nothing goes there but the conversations that a person has given this model. */
  server: modelServerSchema.nullable(),
  tags: z.array(tagSchema),
  /** Null: never checked, or changed since. */
  verified: verifiedSchema.nullable(),
  /** Why it could not be loaded or read, as its file is now; null: nothing is known against it. */
  broken: failureSchema.nullable(),
  loadSettings: loadSettingsSchema,
  /** The file is gone or cannot be read now. */
  missing: z.boolean(),
  addedAt: timeSchema,
});
export type Model = z.infer<typeof modelSchema>;

/** Everything that the file says of itself. */
export const modelDetailsSchema = z.object({
  ggufVersion: z.int(),
  /** Key and value as text; long arrays are cut and say how long they are. */
  metadata: z.array(z.object({ key: z.string(), type: z.string(), value: z.string() })),
  tensors: z.array(z.object({ name: z.string(), type: z.string(), shape: z.array(z.int()) })),
});
export type ModelDetails = z.infer<typeof modelDetailsSchema>;

/** What the inference engine is doing, and on what. */
export const engineStatusSchema = z.object({
  state: z.enum(['stopped', 'starting', 'loading', 'ready', 'failed']),
  /** The model that is loaded or loading. */
  modelId: idSchema.nullable(),
  /** Share of the model that is loaded, 0 to 1. */
  progress: z.number().min(0).max(1).nullable(),
  /** Why it failed. */
  failure: failureSchema.nullable(),
  /** Such as `CPU, 7 threads` or `NVIDIA GeForce RTX 4070 (CUDA), 29 of 33 layers`. */
  device: z.string().nullable(),
  contextSize: z.int().nullable(),
});
export type EngineStatus = z.infer<typeof engineStatusSchema>;

/** A reply that waits for its turn or is being made. The first of the queue is the one at work; those of servers stand last, and are at work too. */
export const queueEntrySchema = z.object({
  messageId: idSchema,
  conversationId: idSchema,
  state: z.enum(['waiting', 'loading', 'reading', 'writing']),
  /** While `reading`: share of the prompt that is done. */
  progress: z.number().min(0).max(1).nullable(),
});
export type QueueEntry = z.infer<typeof queueEntrySchema>;
