import type { ColumnMapping } from '../datasets/index.ts';
import type {
  DeviceChoice,
  StepReport,
  TrainingPlan,
  TrainingSettings,
} from '../../shared/contract/training.ts';

// Declared with the contract, because the page shows and asks for them.
export {
  defaultTrainingSettings,
  type DeviceChoice,
  deviceChoices,
  type LoraTarget,
  loraTargets,
  type ScheduleKind,
  schedules,
  type StepReport,
  type TrainingPlan,
  type TrainingSettings,
} from '../../shared/contract/training.ts';

export interface TrainingInput {
  /** GGUF model. */
  model: string;
  /** Files with examples. */
  data: readonly string[];
  /** Files with examples that are only measured on; where there are some, `settings.validation` has no effect. */
  validationData?: readonly string[];
  /** Whose messages are learnt, of chats between people; absent: whoever exported them, where that can be told. */
  me?: string | null;
  /** Which columns of tables are what; absent: by their usual names. */
  columns?: ColumnMapping | null;
  /** How chats write dates that are not known. */
  dates?: string | null;
  /** The adapter to write, or the model where all weights are trained. */
  out: string;
  settings: TrainingSettings;
  /** Goes on from the checkpoint beside `out`. */
  resume: boolean;
  /** The checkpoint stays also when the run is done: whoever asked has something left to do, and removes it then. Absent: it goes. */
  keepCheckpoint?: boolean;
}

export type TrainingEvent =
  | { type: 'loading'; progress: number }
  /** Something that the person should know. */
  | { type: 'note'; text: string }
  | ({ type: 'plan' } & TrainingPlan)
  | ({ type: 'step' } & StepReport)
  /** Step 0: the base, before the first step of the run; it is never `best`. */
  | { type: 'validation'; step: number; validationLoss: number; perplexity: number; best: boolean }
  /** A copy of the adapter as it is after so many steps, beside `out`; whoever listens removes it. */
  | { type: 'snapshot'; step: number; path: string };

export interface TrainingResult {
  /** `out`. */
  adapter: string;
  /** The adapter of the last step, where `out` is that of the best one. */
  last: string | null;
  finish: 'done' | 'stopped' | 'early';
  steps: number;
  loss: number | null;
  /** The best that was measured, and that of the base. */
  validationLoss: number | null;
  baseValidationLoss: number | null;
  estimatedBytes: number;
  peakMemoryBytes: number;
  seconds: number;
}

export interface EstimateInput {
  /** GGUF model. */
  model: string;
  settings: TrainingSettings;
  /** Tokens of a sequence. */
  length: number;
  /** Something will be measured on. */
  evaluates: boolean;
  /** Memory that would be given back before the run begins, in bytes. */
  freed?: number;
  /** Also measures how fast this machine is, which takes about a second. */
  speed: boolean;
}

export interface EstimateResult {
  /** What the engine would take, at its highest: `estimatedBytes` of the run's plan. */
  bytes: number;
  /** The most that it may take. */
  freeBytes: number;
  /** Whether the run would begin: some of the memory must stay free. */
  fits: boolean;
  /** Layers would be computed twice. */
  recompute: boolean;
  device: string;
  /** Places of a sequence, padding included; null where that was not asked for, or could not be measured. */
  tokensPerSecond: number | null;
}

export interface ImportanceInput {
  /** GGUF model. */
  model: string;
  /** UTF-8 text that the model reads, of the kind that it will be used for. */
  text: string;
  /** The importance matrix to write. */
  out: string;
  /** Tokens of a chunk: each is read on its own. */
  context: number;
  /** The most chunks that are read; null: all of the text. */
  chunks: number | null;
  /** Null: one less than there are cores. */
  threads: number | null;
  device: DeviceChoice;
  /** Also measures the head, which llama.cpp's tool leaves out unless it is asked. */
  processOutput: boolean;
}

export type ImportanceEvent =
  { type: 'loading'; progress: number } | { type: 'chunk'; chunk: number; chunks: number };

export interface ImportanceResult {
  /** `out`. */
  path: string;
  chunks: number;
  tokens: number;
  seconds: number;
}

/** What the training engine can do. */
export type TrainingJobs = {
  train: { input: TrainingInput; event: TrainingEvent; result: TrainingResult };
  /** Holds the run before its next step, or lets it go on. */
  pause: { input: { paused: boolean }; event: never; result: null };
  /** What a run would take, found out without loading the model. Errors: those of describing it. */
  estimate: { input: EstimateInput; event: never; result: EstimateResult };
  /** Measures which columns of a model's weights matter, for quantizing. */
  importance: { input: ImportanceInput; event: ImportanceEvent; result: ImportanceResult };
};

/** The file beside a run's result, from which the run goes on. */
export function checkpointPath(out: string): string {
  return `${out}.checkpoint`;
}
