import type { TrainingSettings } from './training.ts';

/** Where a run may compute. */
export const deviceChoices = ['auto', 'cpu', 'cuda', 'vulkan', 'metal'] as const;
export type DeviceChoice = (typeof deviceChoices)[number];

/** The matrices of a layer that can have an adapter, in the names of the papers. */
export const loraTargets = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const;
export type LoraTarget = (typeof loraTargets)[number];

/** How the learning rate changes over a run, behind its warm-up. */
export const schedules = ['constant', 'linear', 'cosine'] as const;
export type ScheduleKind = (typeof schedules)[number];

export const defaultTrainingSettings: TrainingSettings = {
  trained: 'adapters',
  // Rank and alpha of the paper's experiments; all matrices, as QLoRA found best (https://arxiv.org/abs/2305.14314).
  ...{ rank: 16, alpha: 32, rankStabilized: false, dropout: 0 },
  targets: loraTargets,
  ...{ epochs: 3, steps: null, batch: 1, context: 512 },
  ...{ learningRate: 2e-4, schedule: 'cosine', warmup: 5, weightDecay: 0, clip: 1 },
  ...{ seed: 1, validation: 0, patience: null, evaluateEvery: 20, checkpointEvery: 50, sampleEvery: null },
  ...{ recompute: 'auto', exact: false, threads: null, device: 'auto', memoryLimit: null },
};
