import { z } from 'zod';
import { timeSchema } from './conversation.ts';

const bytes = z.number().nonnegative();
const rate = z.number().positive();

/** What this machine has, and what it was measured to do. */
export const machineSchema = z.object({
  processor: z.string(),
  cores: z.int().positive(),
  /** With which models write, unless a person sets another number. */
  threads: z.int().positive(),
  /** In bytes. `limited`: the system lets Puna have less than is built in (a container). */
  memory: z.object({ total: bytes, free: bytes, limited: z.boolean() }),
  /** Null where the processor computes alone. Memory of all GPUs together; `isShared`: it is that of the system. */
  gpu: z
    .object({
      kind: z.enum(['cuda', 'vulkan', 'metal']),
      names: z.array(z.string()),
      memory: z.object({ total: bytes, free: bytes, isShared: z.boolean() }),
    })
    .nullable(),
  /** The one with Puna's data. Null where the system does not tell. */
  disk: z.object({ free: bytes.nullable(), readBytesPerSecond: rate.nullable() }),
  /** Weights that come through from memory in a second where models write; null: not measured yet. */
  bandwidth: z.object({ cpu: rate, gpu: rate.nullable(), measuredAt: timeSchema }).nullable(),
});
export type MachineFacts = z.infer<typeof machineSchema>;

/** Whether a model can be used on this machine, and how. */
export const fitSchema = z.object({
  /** `slowly`: slower than people read; `not`: there is no memory for it. */
  verdict: z.enum(['well', 'slowly', 'not']),
  /** Tokens of a conversation that this holds for. */
  contextSize: z.int(),
  /** What one conversation needs, of the system's memory and of the GPUs'. */
  bytes,
  videoBytes: bytes,
  /** Of `bytes` and `videoBytes` together. */
  parts: z.object({ weights: bytes, context: bytes, program: bytes }),
  /** Conversations that stay in memory side by side, as many as there is room for, and what they take together of the system's memory. */
  conversations: z.int().positive(),
  mostBytes: bytes,
  /** What the engine is seen to take beyond that: weights that it has put in another order, of which the system takes the file's copy back. */
  reclaimableBytes: bytes,
  /** It fits, but not beside all that is in memory now. */
  crowded: z.boolean(),
  layers: z.int(),
  gpuLayers: z.int(),
  /** Expected, when it writes and when it reads; null until the machine is measured. */
  tokensPerSecond: rate.nullable(),
  readingPerSecond: rate.nullable(),
  /** Longest sequence that it can be taught with, in tokens; 0: none; null: it cannot be taught, or that was not asked. */
  trainingContext: z.int().nullable(),
});
export type Fit = z.infer<typeof fitSchema>;
