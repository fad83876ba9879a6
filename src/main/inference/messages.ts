import type { LoadSettings, Sampling } from '../../shared/contract/index.ts';

/** One turn of the prompt, attachments already written into the text. */
export interface Turn {
  role: 'user' | 'assistant';
  text: string;
}

/** An adapter file at work; a file trained anew has a new path, because llama.cpp keeps adapters by path. */
export interface AdapterFile {
  path: string;
  scale: number;
  /** It may work on a model that it was not trained on; absent: it may not. */
  anyBase?: boolean;
}

export interface LoadInput {
  path: string;
  settings: LoadSettings;
}

export interface LoadedModel {
  /** Such as `CPU, 7 threads` or `NVIDIA GeForce RTX 4070 (CUDA), 29 of 33 layers`. */
  device: string;
  contextSize: number;
  gpuLayers: number;
  threads: number;
}

export interface ReplyInput {
  systemPrompt: string;
  /** The branch, oldest first; the last turn is the user's, unless `continued` is given. */
  turns: Turn[];
  /** A reply to write on, which ended here. */
  continued: { text: string; thinking: string } | null;
  adapters: AdapterFile[];
  sampling: Sampling;
  /** The model is to answer at once, without thoughts; absent: as it likes. */
  thoughtless?: boolean;
}

export type ReplyEvent =
  /** The prompt is being read; share that is done, 0 to 1. */
  { type: 'reading'; progress: number } | { type: 'piece'; part: 'text' | 'thinking'; piece: string };

export interface ReplyResult {
  /** `end`: the model ended by itself; `length`: at maxTokens or at the end of the context; `stopped`: cancelled. */
  finish: 'end' | 'length' | 'stopped';
  seed: number;
  promptTokens: number;
  cachedTokens: number;
  tokens: number;
  /** Seconds from the job's start. */
  seconds: number;
  timeToFirstToken: number;
  tokensPerSecond: number;
  contextUsed: number;
  contextSize: number;
  /** Oldest turns left out because the context was too small. */
  droppedTurns: number;
}

/** How often words that were written before are written again; 0 is off. Negative ones make repetition likelier. */
export interface Penalties {
  /** Taken off a token's logit once it is among the recent ones. */
  presencePenalty: number;
  /** Taken off for each time that it is. */
  frequencyPenalty: number;
}

/** A text that another program wants. */
export interface CompletionInput {
  /** The file of the model that is meant: another one may have been loaded meanwhile. */
  path: string;
  /** A conversation to be answered, or a text to be written on as it stands; its special tokens count. */
  prompt: Omit<ReplyInput, 'adapters' | 'sampling'> | { text: string };
  adapters: AdapterFile[];
  sampling: Sampling & Penalties;
  /** Words at which the text ends; they are not part of it. */
  stop: string[];
  /** What may be written, in GBNF; null: anything. */
  grammar: string | null;
}

/**
 * The jobs of the inference engine. It holds one model at a time. `reply` and `title` jobs run one after the other; `complete`
 * jobs run side by side, hold while one of those runs, and fail with `cancelled` when the model makes room for another.
 */
export type InferenceJobs = {
  /** Replaces the model that was loaded, if any. Cancelling it leaves none. */
  load: { input: LoadInput; event: { progress: number }; result: LoadedModel };
  unload: { input: null; event: never; result: null };
  /** A cancelled reply gives a result (`stopped`), not an error. */
  reply: { input: ReplyInput; event: ReplyEvent; result: ReplyResult };
  countTokens: { input: { text: string }; event: never; result: { tokens: number } };
  /** A cancelled one gives a result (`stopped`). */
  complete: { input: CompletionInput; event: ReplyEvent; result: ReplyResult };
  /** A vector of length 1 for each text, and how many tokens they have together. */
  embed: {
    input: { path: string; texts: string[] };
    event: never;
    result: { vectors: Float32Array[]; tokens: number };
  };
  /** A short title for a conversation's beginning, in its language; leaves the contexts of conversations as they are. */
  title: { input: { turns: Turn[] }; event: never; result: { title: string } };
};
