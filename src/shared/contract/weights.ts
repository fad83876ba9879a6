import { z } from 'zod';
import { idSchema, timeSchema } from './conversation.ts';
import { failureSchema } from './failure.ts';
import { mergeMethods } from './weights-choices.ts';

// Apart, so that the page can have them without the schemas.
export { type MergeMethod, mergeMethods } from './weights-choices.ts';

const count = z.int().nonnegative();
const path = z.string().min(1);
const share = z.number().min(0).max(1);

/** What a file or folder of weights can be. `tensors`: numbers without a description of what they make. */
export const weightsKinds = ['model', 'delta', 'adapter', 'tensors', 'importance', 'recipe'] as const;
export const weightsKindSchema = z.enum(weightsKinds);
export type WeightsKind = z.infer<typeof weightsKindSchema>;

export const weightsLayouts = [
  'gguf',
  'hugging-face',
  'meta',
  'safetensors',
  'pytorch',
  'peft',
  'other',
] as const;

/** A file or folder as it was recognised by its content. */
export const weightsItemSchema = z.object({
  path,
  /** Its last part, or what it calls itself. */
  name: z.string(),
  kind: weightsKindSchema,
  layout: z.enum(weightsLayouts),
  /** As GGUF or Hugging Face names it; null where it does not tell. */
  architecture: z.string().nullable(),
  parameters: count.nullable(),
  /** Such as `F16` or `Q4_K_M`. */
  type: z.string().nullable(),
  bytes: count,
  /** Of a delta or an adapter: what it was made from, as far as it tells. */
  base: z.string().nullable(),
  /** One of a delta's own kind carries hashes of base and result. */
  proved: z.boolean(),
});
export type WeightsItem = z.infer<typeof weightsItemSchema>;

/** How the matrices of a result are stored; null: as in the source. */
const type = z.string().max(20).nullable();

/** What can be done with weights. Paths are files or folders; `out` ends in .gguf for a GGUF file, else it is a folder. */
export const weightsOperationSchema = z.discriminatedUnion('kind', [
  /** target = base + delta. `anyBase`: also where the delta was made from another one. */
  z.object({
    kind: z.literal('delta-apply'),
    base: path,
    delta: path,
    out: path,
    type,
    anyBase: z.boolean(),
  }),
  /** delta = target − base. */
  z.object({ kind: z.literal('delta-make'), base: path, target: path, out: path, compress: z.boolean() }),
  z.object({
    kind: z.literal('merge'),
    method: z.enum(mergeMethods),
    models: z
      .array(z.object({ path, weight: z.number() }))
      .min(1)
      .max(32),
    base: path.nullable(),
    /** For slerp: 0 is the first model, 1 the second. */
    t: share.nullable(),
    density: share.nullable(),
    lambda: z.number().nullable(),
    seed: count,
    ...{ out: path, type },
  }),
  /** A merge as mergekit's YAML describes it. */
  z.object({ kind: z.literal('recipe'), recipe: path, out: path, type }),
  z.object({
    kind: z.literal('adapter-merge'),
    base: path,
    adapters: z
      .array(z.object({ path, scale: z.number() }))
      .min(1)
      .max(32),
    ...{ out: path, type, anyBase: z.boolean() },
  }),
  /** PEFT to GGUF where `out` ends in .gguf, else GGUF to PEFT. */
  z.object({ kind: z.literal('adapter-convert'), adapter: path, base: path.nullable(), out: path }),
  /** The difference between two models as an adapter of some rank. */
  z.object({
    kind: z.literal('adapter-extract'),
    base: path,
    target: path,
    rank: z.int().min(1).max(1024),
    out: path,
  }),
  z.object({ kind: z.literal('convert'), from: path, out: path, type }),
  z.object({
    kind: z.literal('quantize'),
    from: path,
    out: path,
    type: z.string().max(20),
    /** A file of importance, or a text to compute it from. */
    importance: path.nullable(),
    importanceText: path.nullable(),
    requantize: z.boolean(),
  }),
]);
export type WeightsOperation = z.infer<typeof weightsOperationSchema>;

/** What an operation will take and give, before it begins. */
export const weightsPlanSchema = z.object({
  /** Of the result. */
  bytes: count,
  /** On the disk at the highest, with what is needed on the way. */
  neededBytes: count,
  freeBytes: count,
  /** Estimated from the disk's speed. */
  seconds: z.number().nonnegative(),
  /** What is there already of an earlier try, and can be gone on with. */
  begunBytes: count,
  /** What the person should know, one sentence each. */
  notes: z.array(z.string()),
});
export type WeightsPlan = z.infer<typeof weightsPlanSchema>;

/** How much the weights of a layer were changed: the norm of the change relative to that of what was there. Null: outside of layers. */
export const layerChangeSchema = z.object({ layer: count.nullable(), change: z.number().nonnegative() });
export type LayerChange = z.infer<typeof layerChangeSchema>;

/** What shows that a result is what it should be. */
export const weightsProofSchema = z.object({
  /** `hashes`: of base and every tensor; `sum`: of all weights, as Alpaca's; `exact`: of the arithmetic only, as there is nothing to compare with. */
  kind: z.enum(['hashes', 'sum', 'exact', 'none']),
  /** One sentence. */
  text: z.string(),
});
export type WeightsProof = z.infer<typeof weightsProofSchema>;

/** A plan with the place that the result will have. */
export const plannedSchema = weightsPlanSchema.extend({ out: path });
export type Planned = z.infer<typeof plannedSchema>;

export const weightsResultSchema = z.object({
  /** File or folder. */
  out: z.string(),
  bytes: count,
  seconds: z.number(),
  proof: weightsProofSchema,
  changes: z.array(layerChangeSchema),
  notes: z.array(z.string()),
  peakMemoryBytes: count,
});
export type WeightsResult = z.infer<typeof weightsResultSchema>;

export const weightsProgressSchema = z.object({
  phase: z.enum(['reading', 'computing', 'writing', 'importance', 'quantizing', 'checking']),
  /** Of `total`, in bytes or steps. */
  done: z.number(),
  total: z.number(),
});
export type WeightsProgress = z.infer<typeof weightsProgressSchema>;

export const weightsStateSchema = z.enum(['waiting', 'running', 'done', 'stopped', 'failed']);

/** An operation that was ordered, and how it stands. What is stopped or failed can be resumed; it goes on where it was. */
export const weightsJobSchema = z.object({
  id: idSchema,
  operation: weightsOperationSchema,
  state: weightsStateSchema,
  progress: weightsProgressSchema.nullable(),
  /** Estimated; null while it is not known. */
  secondsLeft: z.number().nonnegative().nullable(),
  changes: z.array(layerChangeSchema),
  /** What came up so far, one sentence each. */
  notes: z.array(z.string()),
  result: weightsResultSchema.nullable(),
  /** The result's place in the library, where it is one that can be chatted with. */
  modelId: idSchema.nullable(),
  /** It is being asked for its first words. */
  speaking: z.boolean(),
  /** What the model said first; null while it has said nothing. */
  firstWords: z.string().nullable(),
  error: failureSchema.nullable(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  endedAt: timeSchema.nullable(),
});
export type WeightsJob = z.infer<typeof weightsJobSchema>;

export const originRoles = [
  ...['model', 'base', 'delta', 'target', 'adapter', 'recipe', 'importance', 'text', 'examples'],
] as const;

/** What weights were made from, and how: a family tree, of which the leaves were made elsewhere. */
export const lineageSchema = z.object({
  path,
  /** As the library has it, else the last part of the path. */
  name: z.string(),
  /** What it was to what was made of it; null for the one that the tree is of. */
  role: z.enum(originRoles).nullable(),
  /** By an operation, or by training; null: not by Puna, as far as it knows. */
  how: z
    .enum([...weightsOperationSchema.options.map(({ shape }) => shape.kind.value), 'training'])
    .nullable(),
  madeAt: timeSchema.nullable(),
  get from() {
    return z.array(lineageSchema);
  },
});
export type Lineage = z.infer<typeof lineageSchema>;
