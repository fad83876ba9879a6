/** Decoders that can be trained: described as data, loaded from GGUF, and built as graphs. */
export type { Decoder } from './decoder.ts';
export { describeDecoder } from './describe.ts';
export {
  type Adapters,
  type ForwardOptions,
  hiddenStates,
  isHeadTrained,
  logitsOf,
  type Model,
  type SequenceInputs,
} from './forward.ts';
export { Weights, type WeightsOptions } from './weights.ts';
