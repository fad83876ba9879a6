/** Reverse-mode differentiation over ggml graphs: a tape, and one rule per operation. It knows nothing of language models. */
export { attention, type AttentionOptions, type GradientTypes, joined, maskFrom } from './attention.ts';
export * as rules from './rules.ts';
export type { FrozenMatrix } from './rules.ts';
export { type Parameter, type Rule, Tape } from './tape.ts';
