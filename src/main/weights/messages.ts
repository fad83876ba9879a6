import type {
  LayerChange,
  WeightsItem,
  WeightsOperation,
  WeightsPlan,
  WeightsProgress,
  WeightsResult,
} from '../../shared/contract/weights.ts';

// Declared with the contract, because the page shows and asks for them.
export type {
  LayerChange,
  WeightsItem,
  WeightsOperation,
  WeightsPlan,
  WeightsProgress,
  WeightsProof,
  WeightsResult,
} from '../../shared/contract/weights.ts';

/** What an operation tells while it runs. */
export type WeightsEvent =
  | ({ type: 'progress' } & WeightsProgress)
  | { type: 'note'; text: string }
  | ({ type: 'change' } & LayerChange);

/** What the library keeps of a GGUF file. */
export interface ModelFacts {
  /** The file, or all files of a split model in their order. */
  files: { path: string; bytes: number; modifiedAt: number }[];
  kind: 'model' | 'adapter' | 'delta';
  architecture: string | null;
  parameters: number | null;
  quantization: string | null;
  contextLength: number | null;
  hasChatTemplate: boolean;
  license: string | null;
  /** Of an adapter, such as `lora`. */
  adapterType: string | null;
  /** Of all files together. */
  bytes: number;
}

/** What the weights engine can do. Nothing of an input is changed, and an output appears when it is whole. */
export type WeightsJobs = {
  /** Says what a file or folder is. */
  recognise: { input: { path: string }; event: never; result: WeightsItem };
  /** Says what the library keeps of a GGUF file. */
  facts: { input: { path: string }; event: never; result: ModelFacts };
  /** SHA-256 of a file in hexadecimal digits; tells how many of its bytes are read. */
  hash: { input: { path: string }; event: { bytes: number }; result: string };
  /** Says what an operation will take and give. */
  plan: { input: WeightsOperation; event: never; result: WeightsPlan };
  run: { input: WeightsOperation; event: WeightsEvent; result: WeightsResult };
  /** Removes what an operation that did not end has left. */
  discard: { input: WeightsOperation; event: never; result: null };
};
