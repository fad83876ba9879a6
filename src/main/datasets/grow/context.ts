import type { NewExample } from '../../dataset-engine/messages.ts';
import type { Turn } from '../../inference/messages.ts';

/** What a model is asked while it writes examples. The same request is meant to get the same reply. */
export interface GrowRequest {
  systemPrompt: string;
  /** The last one is the user's. */
  turns: Turn[];
  seed: number;
  temperature: number;
  maxTokens: number;
}

/** What writing examples with a model needs of its surroundings. */
export interface GrowContext {
  /** The reply's text. A model that can think is to answer without doing so: thoughts would take the room of the answer. */
  generate(request: GrowRequest): Promise<string>;
  /** The texts that question–answer pairs are made of, always in the same order. It is asked more than once. */
  texts(): AsyncIterable<{ text: string; source: string }>;
  /** What an earlier run of the same order has written, in order: it is gone on from there. */
  written: readonly NewExample[];
  signal: AbortSignal;
  /** `share`: of all that is to be done, 0 to 1. `current`: what is being asked. */
  onProgress(share: number, current: string): void;
  /** Something that the model wrote is left out, for a reason of `GrowReason`. */
  onLeftOut?(reason: string): void;
}
