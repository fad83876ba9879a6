/** ggml through its C API: devices, tensors, operations and graphs, in the process that calls this. */
export { Backend } from './backend.ts';
export type { Buffer } from './buffer.ts';
export { TensorContext } from './context.ts';
export type { Pointer } from './declarations.ts';
export { chooseDevice, type Device } from './device.ts';
export { Graph } from './graph.ts';
export type { Library, LibraryKind } from './library.ts';
export { type ImportanceOfTensor, type Llama, openLlama, type QuantizeParameters } from './llama.ts';
export { fromFloats, toFloats } from './numbers.ts';
export { Operations, type RopeOptions } from './operations.ts';
export { packingFor } from './packing.ts';
export { Tensor } from './tensor.ts';
