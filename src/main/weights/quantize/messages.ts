import type { QuantizationName } from './quantization-types.ts';

export interface QuantizeInput {
  /** GGUF model, or the first file of one that is split. */
  from: string;
  /** Written as one file, whatever the input is. */
  to: string;
  type: QuantizationName;
  /** Importance matrix; null: without. */
  imatrix: string | null;
  /** Null: as many as there are cores. */
  threads: number | null;
  /** Leaves `output.weight` as it is. */
  keepOutput: boolean;
  /** Gives every tensor the same type, instead of more bits where errors matter most. */
  pure: boolean;
  /** Quantizes also what is quantized already. */
  requantize: boolean;
}

/** `progress`: the share that is written. */
export type QuantizeEvent =
  { type: 'plan'; bytes: number; fallbacks: number } | { type: 'progress'; progress: number };

export interface QuantizeResult {
  /** `to`. */
  path: string;
  bytes: number;
  /** Of the model before. */
  bytesBefore: number;
  tensors: number;
  /** Tensors whose rows do not fit their type, so that they got a coarser or larger one. */
  fallbacks: number;
  /** Matrices of layers of which the importance matrix says nothing; 0 without one. */
  withoutImportance: number;
  seconds: number;
}

/**
 * What an engine that quantizes can do. llama.cpp does not stop in the middle: whoever cancels the job ends the process.
 * For `serveEngine`: `quantize: (input, { signal, emit }) => quantizeGguf(input, { signal, onEvent: emit })`.
 */
export type QuantizeJobs = {
  quantize: { input: QuantizeInput; event: QuantizeEvent; result: QuantizeResult };
};
