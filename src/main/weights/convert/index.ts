/** What a model folder tells of itself besides its tensors, as GGUF's metadata: measures, tokenizer, chat template. */
export { type ModelConfig, readConfig } from './config.ts';
export { describeGguf, type DescribedGguf, type ModelDescription } from './describe.ts';
export { metaConfig, type MetaFacts } from './meta-config.ts';
