import type { GgufMetadata } from '../formats/gguf.ts';
import type { Tensor } from '../formats/tensor.ts';
import type { HeadCounts } from '../sources/head-counts.ts';
import type { PeftConfig } from './peft-config.ts';

/** What an adapter adds to one weight: scale · B·A. */
export interface AdapterModule {
  /** [r, in]. */
  readonly a: Tensor;
  /** [out, r], its rows in the order of Hugging Face. */
  readonly b: Tensor;
  /** alpha / r, or alpha / √r, with what the adapter says of this weight alone. */
  readonly scale: number;
}

/** A LoRA adapter (https://arxiv.org/abs/2106.09685), wherever it lies. It can be read until it is disposed of. */
export interface Adapter extends AsyncDisposable {
  /** What it was opened from, or what errors call it. */
  readonly path: string;
  readonly layout: 'peft' | 'gguf';
  /** As GGUF names it; null where the adapter does not tell, as those of PEFT. */
  readonly architecture: string | null;
  /** Numbers between A and B, where they are most. */
  readonly rank: number;
  readonly alpha: number;
  /** Whether it says of itself that alpha is divided by √rank (https://arxiv.org/abs/2312.03732). */
  readonly rankStabilized: boolean;
  /** The model that it was trained on, as it tells. */
  readonly baseName: string | null;
  /** Of its base, as far as the adapter knows them: they decide the order of rows in GGUF. */
  readonly heads: HeadCounts | null;
  /** By Hugging Face's name of the weight, such as `model.layers.0.self_attn.q_proj.weight`; never empty. */
  readonly modules: ReadonlyMap<string, AdapterModule>;
  /** What its GGUF file says of it, in that order, also after it has been a PEFT folder; empty where it never was one. */
  readonly metadata: GgufMetadata;
  /** What its PEFT folder says of it, also after it has been a GGUF file; null where it never was one. */
  readonly config: PeftConfig | null;
  /** What the person should know, one sentence each. */
  readonly notes: readonly string[];
}

/** Numbers between A and B of a module. */
export function rankOf({ a }: Pick<AdapterModule, 'a'>): number {
  return a.shape[0] ?? 0;
}

/** The largest of all modules' ranks. */
export function largestRank(modules: Adapter['modules']): number {
  return Math.max(...[...modules.values()].map(rankOf));
}

/** The weight of embeddings, whose adapters both formats keep turned around. */
export const embeddingName = 'model.embed_tokens.weight';
export const headName = 'lm_head.weight';
