import type { LoadSettings } from '../../shared/contract/index.ts';
import type { GgmlTypeName } from '../weights/formats/gguf.ts';

/** What computes on this machine, as llama.cpp sees it. */
export interface Devices {
  /** Null: there is only the processor. */
  gpu: 'cuda' | 'vulkan' | 'metal' | null;
  /** Of the GPUs, as their makers call them. */
  names: string[];
  /** Memory of all GPUs together, in bytes; null where there is none. */
  video: { total: number; free: number; isShared: boolean } | null;
  /** With which models write and read, unless a person sets another number. */
  threads: number;
}

/** Which llama.cpp it is, and what it could compute with. */
export interface LlamaBuild {
  release: string;
  /** Null: it computes with the processor alone. */
  gpu: Devices['gpu'];
  /** Kinds of GPUs of which the driver is installed here. */
  usable: NonNullable<Devices['gpu']>[];
}

/** Types of weights of which the speed is measured; others are about as fast as the nearest of these. */
export type MeasuredType = 'F16' | 'Q8_0' | 'Q6_K' | 'Q4_K';

/** How fast one device works with weights of one type. */
export interface TypeSpeed {
  /** Bytes of weights a second, where one token needs each of them once: that is how a model writes. */
  streamed: number;
  /** Products a second, where many tokens share the weights: that is how a model reads. */
  products: number;
}
export type Speeds = Record<MeasuredType, TypeSpeed>;

export interface Measured {
  cpu: Speeds;
  gpu: Speeds | null;
  /** Of the disk with the data folder, in bytes a second; null where it cannot be measured. */
  diskRead: number | null;
}

export interface Bytes {
  ram: number;
  video: number;
}

/** What a model's contexts take, for so many conversations side by side. */
export interface ContextNeeds {
  /** In tokens, of one conversation. */
  contextSize: number;
  one: Bytes;
  four: Bytes;
}

/** What a model takes, as far as it does not depend on what the machine has. */
export interface ModelNeeds {
  layers: number;
  gpuLayers: number;
  /** Longest context that it was made for, in tokens; null where nobody tells. */
  contextLength: number | null;
  weights: Bytes;
  /** Weights that ggml keeps a second time, in another order; the first copy, a mapped file, is only in memory while there is room. */
  copied: number;
  /** Tokens that it knows. */
  vocabulary: number;
  /** Weights that each token needs. */
  read: { type: GgmlTypeName; bytes: number }[];
  /** Longest first. */
  contexts: ContextNeeds[];
}

export interface DescribeInput {
  /** GGUF model, or the first file of a split one. */
  path: string;
  /** `contextSize` null: as long as fits, of what models are loaded with. */
  settings: LoadSettings;
}

/** The jobs of the engine that finds out what the machine can do and what models need. */
export type MachineJobs = {
  devices: { input: null; event: never; result: Devices };
  build: { input: null; event: never; result: LlamaBuild };
  /** Takes about two seconds, and should have the machine for itself. */
  measure: { input: { folder: string }; event: never; result: Measured };
  /** Reads what a file says of itself; no weights are loaded. */
  describe: { input: DescribeInput; event: never; result: ModelNeeds };
};
