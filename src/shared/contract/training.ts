import { z } from 'zod';
import { errorCodes } from '../error.ts';
import { idSchema, timeSchema } from './conversation.ts';
import { defaultTrainingSettings, deviceChoices, loraTargets, schedules } from './default-training.ts';

// Apart, so that the page can have them without the schemas.
export {
  defaultTrainingSettings,
  type DeviceChoice,
  deviceChoices,
  type LoraTarget,
  loraTargets,
  type ScheduleKind,
  schedules,
} from './default-training.ts';

const count = z.int().nonnegative();
const positive = z.int().min(1);

/** How a run trains. */
export const trainingSettingsSchema = z.object({
  /** Adapters beside frozen weights, or all weights of a model in F32. */
  trained: z.enum(['adapters', 'all']),
  rank: z.int().min(1).max(1024),
  alpha: z.number().min(0).max(1e6),
  /** alpha / √rank instead of alpha / rank. */
  rankStabilized: z.boolean(),
  targets: z.array(z.enum(loraTargets)).min(1).readonly(),
  /** Probability, before each adapter. */
  dropout: z.number().min(0).max(0.9),
  /** How often all data is read; `steps` overrides it. */
  epochs: z.number().min(0),
  steps: positive.nullable(),
  learningRate: z.number().min(0).max(10),
  schedule: z.enum(schedules),
  /** Steps in which the learning rate rises. */
  warmup: count,
  weightDecay: z.number().min(0).max(1),
  /** Longest gradient of all parameters together; null: as long as it is. */
  clip: z.number().positive().nullable(),
  /** Sequences of a step. */
  batch: z.int().min(1).max(65_536),
  /** Tokens of a sequence, at most. */
  context: z.int().min(32).max(1_048_576),
  seed: z.int().min(0).max(0xffff_ffff),
  /** Share of the examples that is not learnt from, but measured on. */
  validation: z.number().min(0).max(0.9),
  /** Measurements without improvement after which the run ends; null: it goes on. */
  patience: positive.nullable(),
  /** Steps between two measurements, and between two checkpoints. */
  evaluateEvery: positive,
  checkpointEvery: positive,
  /** Layers are computed twice instead of being kept; `auto`: where the memory would not do otherwise. */
  recompute: z.enum(['auto', 'always', 'never']),
  /** Transposed copies of frozen weights keep every digit. */
  exact: z.boolean(),
  /** Null: one less than the machine has cores. */
  threads: z.int().min(1).max(512).nullable(),
  device: z.enum(deviceChoices),
  /** Memory that the run may take, in bytes, with the model that chats beside it; null: all that is free. */
  memoryLimit: positive.nullable(),
});
export type TrainingSettings = z.infer<typeof trainingSettingsSchema>;

/** What a run is going to do, known once everything is read and has its place in memory. */
export const trainingPlanSchema = z.object({
  device: z.string(),
  threads: count,
  samples: count,
  validationSamples: count,
  sequences: count,
  /** Tokens of a sequence. */
  length: count,
  steps: count,
  /** Done already, before this run went on. */
  doneSteps: count,
  /** Numbers that are trained. */
  parameters: z.number(),
  recompute: z.boolean(),
  /** Of the engine, at its highest. */
  estimatedBytes: z.number(),
});
export type TrainingPlan = z.infer<typeof trainingPlanSchema>;

export const stepReportSchema = z.object({
  step: count,
  /** How much of the data has been read so far, in readings of all of it. */
  epoch: z.number(),
  /** Nats per token that is learnt, before the step. */
  loss: z.number(),
  learningRate: z.number(),
  gradientNorm: z.number(),
  /** Tokens of this step, without padding. */
  tokens: count,
  tokensPerSecond: z.number(),
});
export type StepReport = z.infer<typeof stepReportSchema>;

export const lossPointSchema = z.object({ step: count, loss: z.number() });
export type LossPoint = z.infer<typeof lossPointSchema>;

/** A measurement on examples that are not learnt from. `best`: of all until then. */
export const validationPointSchema = lossPointSchema.extend({ best: z.boolean() });
export type ValidationPoint = z.infer<typeof validationPointSchema>;

/**
 * How a run stands. `waiting`: another one is at work; `preparing`: data and model are being read; `stopped`: by a person, or
 * because Puna ended; `failed`: `error` says why. What is stopped or failed can be resumed.
 */
export const trainingStateSchema = z.enum([
  'waiting',
  'preparing',
  'running',
  'paused',
  'done',
  'stopped',
  'failed',
]);
export type TrainingState = z.infer<typeof trainingStateSchema>;

export const trainingRunSchema = z.object({
  id: idSchema,
  /** A person's own; may be empty. */
  name: z.string(),
  state: trainingStateSchema,
  /** The model that is taught; null when it has been removed from the library. */
  modelId: idSchema.nullable(),
  modelName: z.string(),
  modelPath: z.string(),
  /** Paths of the files with examples. */
  data: z.array(z.string()),
  settings: trainingSettingsSchema,
  /** While `preparing`: share of the model that is loaded. */
  progress: z.number().min(0).max(1).nullable(),
  plan: trainingPlanSchema.nullable(),
  /** The last step. */
  step: stepReportSchema.nullable(),
  /** Of all steps, thinned evenly where there are many. */
  losses: z.array(lossPointSchema),
  validations: z.array(validationPointSchema),
  /** What the person should know, one sentence each. */
  notes: z.array(z.string()),
  error: z.object({ code: z.enum(errorCodes), message: z.string(), remedy: z.string() }).nullable(),
  /** Where the adapter is written, or the model where all weights are trained. */
  adapterPath: z.string(),
  /** Its place in the library, once the run has ended. */
  adapterId: idSchema.nullable(),
  /** Resuming goes on from a checkpoint; otherwise it begins anew. */
  hasCheckpoint: z.boolean(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  endedAt: timeSchema.nullable(),
  /** Estimated; null while it is not known. */
  secondsLeft: z.number().nonnegative().nullable(),
});
export type TrainingRun = z.infer<typeof trainingRunSchema>;

/** What to train: settings that are absent are those of `defaultTrainingSettings`. */
export const trainingOrderSchema = z.object({
  modelId: idSchema,
  data: z.array(z.string().min(1)).min(1).max(1000),
  settings: trainingSettingsSchema
    .partial()
    .default({})
    .transform((given): TrainingSettings => filled(given)),
  name: z.string().max(200).default(''),
});
export type TrainingOrder = z.infer<typeof trainingOrderSchema>;

/** Settings with those that are absent as they usually are. */
function filled(given: object): TrainingSettings {
  const there = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaultTrainingSettings, ...Object.fromEntries(there) };
}
