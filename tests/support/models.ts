/** Models that tests build for themselves: small, seeded, and real enough that llama.cpp loads and runs them. */
export { buildTinyAdapter, type TinyAdapterOptions } from './tiny-adapter.ts';
export {
  benchShapes,
  buildBenchModel,
  buildTinyModel,
  type ModelShape,
  tinyShape,
  type TinyModelOptions,
} from './tiny-model.ts';
export { buildScriptedModel, type ScriptedModelOptions } from './tiny-scripted.ts';
