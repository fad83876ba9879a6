/** What a person may ask for. */
export const deviceChoices = ['auto', 'cpu', 'cuda', 'vulkan', 'metal'] as const;
export type DeviceChoice = (typeof deviceChoices)[number];

/** The matrices of a layer that can have an adapter, in the names of the papers. */
export const loraTargets = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const;
export type LoraTarget = (typeof loraTargets)[number];

/** How the learning rate changes over a run, behind its warm-up. */
export const schedules = ['constant', 'linear', 'cosine'] as const;
export type ScheduleKind = (typeof schedules)[number];

/** How a run trains. */
export interface TrainingSettings {
  /** Adapters beside frozen weights, or all weights of a model in F32. */
  trained: 'adapters' | 'all';
  rank: number;
  alpha: number;
  /** alpha / √rank instead of alpha / rank. */
  rankStabilized: boolean;
  targets: readonly LoraTarget[];
  /** Probability, before each adapter. */
  dropout: number;
  /** How often all data is read; `steps` overrides it. */
  epochs: number;
  steps: number | null;
  learningRate: number;
  schedule: ScheduleKind;
  /** Steps in which the learning rate rises. */
  warmup: number;
  weightDecay: number;
  /** Longest gradient of all parameters together; null: as long as it is. */
  clip: number | null;
  /** Sequences of a step. */
  batch: number;
  /** Tokens of a sequence, at most. */
  context: number;
  seed: number;
  /** Share of the examples that is not learnt from, but measured on. */
  validation: number;
  /** Measurements without improvement after which the run ends; null: it goes on. */
  patience: number | null;
  /** Steps between two measurements, and between two checkpoints. */
  evaluateEvery: number;
  checkpointEvery: number;
  /** Layers are computed twice instead of being kept; `auto`: where the memory would not do otherwise. */
  recompute: 'auto' | 'always' | 'never';
  /** Transposed copies of frozen weights keep every digit. */
  exact: boolean;
  /** Null: one less than the machine has cores. */
  threads: number | null;
  device: DeviceChoice;
}

export const defaultTrainingSettings: TrainingSettings = {
  trained: 'adapters',
  // Rank and alpha of the paper's experiments; all matrices, as QLoRA found best (https://arxiv.org/abs/2305.14314).
  ...{ rank: 16, alpha: 32, rankStabilized: false, dropout: 0 },
  targets: loraTargets,
  ...{ epochs: 3, steps: null, batch: 1, context: 512 },
  ...{ learningRate: 2e-4, schedule: 'cosine', warmup: 5, weightDecay: 0, clip: 1 },
  ...{ seed: 1, validation: 0, patience: null, evaluateEvery: 20, checkpointEvery: 50 },
  ...{ recompute: 'auto', exact: false, threads: null, device: 'auto' },
};

export interface TrainingInput {
  /** GGUF model. */
  model: string;
  /** Files with examples. */
  data: readonly string[];
  /** The adapter to write, or the model where all weights are trained. */
  out: string;
  settings: TrainingSettings;
  /** Goes on from the checkpoint beside `out`. */
  resume: boolean;
}

export type TrainingEvent =
  | { type: 'loading'; progress: number }
  /** Something that the person should know. */
  | { type: 'note'; text: string }
  | ({ type: 'plan' } & TrainingPlan)
  | ({ type: 'step' } & StepReport)
  | { type: 'validation'; step: number; validationLoss: number; perplexity: number; best: boolean };

export interface TrainingPlan {
  device: string;
  threads: number;
  samples: number;
  validationSamples: number;
  sequences: number;
  /** Tokens of a sequence. */
  length: number;
  steps: number;
  /** Done already, before this run went on. */
  doneSteps: number;
  /** Numbers that are trained. */
  parameters: number;
  recompute: boolean;
  /** Of the engine, at its highest. */
  estimatedBytes: number;
}

export interface StepReport {
  step: number;
  /** How much of the data has been read so far, in readings of all of it. */
  epoch: number;
  /** Nats per token that is learnt, before the step. */
  loss: number;
  learningRate: number;
  gradientNorm: number;
  /** Tokens of this step, without padding. */
  tokens: number;
  tokensPerSecond: number;
}

export interface TrainingResult {
  /** `out`. */
  adapter: string;
  /** The adapter of the last step, where `out` is that of the best one. */
  last: string | null;
  finish: 'done' | 'stopped' | 'early';
  steps: number;
  loss: number | null;
  validationLoss: number | null;
  estimatedBytes: number;
  peakMemoryBytes: number;
  seconds: number;
}

/** What the training engine can do. */
export type TrainingJobs = {
  train: { input: TrainingInput; event: TrainingEvent; result: TrainingResult };
  /** Holds the run before its next step, or lets it go on. */
  pause: { input: { paused: boolean }; event: never; result: null };
};
