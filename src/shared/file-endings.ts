import type { BrowsedKind } from './contract/index.ts';

/** By which names files of a kind are looked for, in folders and in what a person types. */
export const fileEndings: Record<BrowsedKind, RegExp> = {
  gguf: /\.gguf$/i,
  // Those of models and adapters, of compressed deltas, of recipes for merges, and of importance matrices.
  weights: /\.(gguf|safetensors|bin|pt|pth|zst|ya?ml|imatrix|dat)$/i,
  text: /\.(txt|md|raw|csv|jsonl?)$/i,
};
