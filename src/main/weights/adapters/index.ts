/** LoRA adapters: PEFT's and GGUF's, one into the other, merged into models, and taken from the difference of two. */
export { type Adapter, type AdapterModule } from './adapter.ts';
export { checkAdapterFits } from './check-fit.ts';
export { estimateExtraction, type ExtractedAdapter, extractAdapter, type ExtractOptions } from './extract.ts';
export type { ExtractionReport } from './extraction-report.ts';
export { type AdapterGguf, planAdapterGguf, writeAdapterGguf } from './gguf-writer.ts';
export { mergedWith, type MergedModel, type ScaledAdapter, type WeightChange } from './merge.ts';
export { openAdapter } from './open.ts';
export { type AdapterFolder, planAdapterPeft, writeAdapterPeft } from './peft-writer.ts';
export { Products } from './products.ts';
