import { z } from 'zod';
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
import { failureSchema } from './failure.ts';

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
  /** Steps between two copies of the adapter as it is then, for sample replies; null: none. */
  sampleEvery: positive.nullable(),
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
  /** That the engine takes, at its highest so far; 0 in runs of before it was measured. */
  memoryBytes: count.default(0),
});
export type StepReport = z.infer<typeof stepReportSchema>;

export const lossPointSchema = z.object({ step: count, loss: z.number() });
export type LossPoint = z.infer<typeof lossPointSchema>;

/** A measurement on examples that are not learnt from; the one of step 0 is the base's. `best`: of all until then. */
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

/** The most prompts of a person's own that are answered now and then while a run is at work. */
export const mostPrompts = 3;

/** What the model answers to a prompt: as it was, and as it is after so many steps. */
export const sampleSchema = z.object({
  prompt: z.string(),
  /** Null: not yet. */
  base: z.string().nullable(),
  replies: z.array(z.object({ step: count, text: z.string() })),
  /** What is not there by now does not come, unless the run goes on. */
  missing: z.boolean().optional(),
});
export type Sample = z.infer<typeof sampleSchema>;

/** Two answers side by side, one of the base and one of what was taught; which is which is seen only after the choice. */
export const pairSchema = z.object({
  prompt: z.string(),
  left: z.string(),
  right: z.string(),
  taught: z.enum(['left', 'right']),
  choice: z.enum(['left', 'right', 'same']).nullable(),
});
export type Pair = z.infer<typeof pairSchema>;

/** The dataset that a run learns from, as it was then. */
export const runDatasetSchema = z.object({
  /** Null when it was removed. */
  id: idSchema.nullable(),
  name: z.string(),
  fingerprint: z.string(),
});
export type RunDataset = z.infer<typeof runDatasetSchema>;

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
  /** The same for examples that are only measured on; then `settings.validation` has no effect. */
  validationData: z.array(z.string()),
  datasets: z.array(runDatasetSchema),
  settings: trainingSettingsSchema,
  /** The conversation that the adapter joins when it is done; null: none. */
  conversationId: idSchema.nullable(),
  samples: z.array(sampleSchema),
  /** Blind pairs; empty until they are asked for. */
  pairs: z.array(pairSchema),
  /** Pairs that are being made: how many are still to come. */
  pairsComing: count,
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
  error: failureSchema.nullable(),
  /** Where the adapter is written, or the model where all weights are trained. */
  adapterPath: z.string(),
  /** Its place in the library, once the run has ended. */
  adapterId: idSchema.nullable(),
  /** Resuming goes on from a checkpoint; otherwise it begins anew. */
  hasCheckpoint: z.boolean(),
  createdAt: timeSchema,
  /** When it began. It moves on by the time that the run is paused or stopped: from here to `endedAt` it was at work. */
  startedAt: timeSchema.nullable(),
  endedAt: timeSchema.nullable(),
  /** Estimated; null while it is not known. */
  secondsLeft: z.number().nonnegative().nullable(),
});
export type TrainingRun = z.infer<typeof trainingRunSchema>;

/** What to train, from datasets or files: settings that are absent are those of `defaultTrainingSettings`. */
export const trainingOrderSchema = z.object({
  modelId: idSchema,
  data: z.array(z.string().min(1)).max(1000).default([]),
  datasetIds: z.array(idSchema).max(100).default([]),
  /** Answered now and then, by the base too. */
  prompts: z.array(z.string().min(1).max(4000)).max(mostPrompts).default([]),
  /** The conversation that the adapter joins at once when it is done. */
  conversationId: idSchema.nullable().default(null),
  settings: trainingSettingsSchema
    .partial()
    .default({})
    .transform((given): TrainingSettings => filled(given)),
  name: z.string().max(200).default(''),
});
export type TrainingOrder = z.infer<typeof trainingOrderSchema>;

/** What Puna would do with a model and datasets, and what that takes. */
export const suggestionSchema = z.object({
  settings: trainingSettingsSchema,
  /** Examples that are learnt from, and measured on. */
  examples: count,
  validationExamples: count,
  /** Of all that is learnt from, once. */
  tokens: count,
  steps: count,
  /** Estimated from this machine's speed; null where that could not be measured. */
  seconds: z.number().nonnegative().nullable(),
  /** Of the engine, at its highest. */
  bytes: count,
  freeBytes: count,
  fits: z.boolean(),
  /** What the person should know: too few examples to learn much; longer than an hour, or a night; examples lose their ends; the chat's model has to make room. */
  warnings: z.array(z.enum(['few-examples', 'long', 'shortened', 'chat-makes-room', 'no-validation'])),
});
export type Suggestion = z.infer<typeof suggestionSchema>;
export type SuggestionWarning = Suggestion['warnings'][number];

export const trainingPresetSchema = z.object({
  id: idSchema,
  name: z.string().min(1).max(200),
  settings: trainingSettingsSchema,
});
export type TrainingPreset = z.infer<typeof trainingPresetSchema>;

/** Settings with those that are absent as they usually are. */
function filled(given: object): TrainingSettings {
  const there = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaultTrainingSettings, ...Object.fromEntries(there) };
}
