import type { GgufMetadata, GgufTensor } from '../../weights/formats/gguf.ts';
import type { RopeOptions } from '../../ggml/index.ts';

/** How the tokens of one layer see each other and where they are. */
export interface LayerAttention {
  rope: RopeOptions;
  /** How many tokens back a token sees, itself included; null: all. */
  window: number | null;
}

/**
 * A transformer decoder as data: everything in which the supported architectures differ. What a layer has beyond this (biases,
 * norms of q and k, norms behind attention and feed-forward, fused matrices) is told by the tensors that the file has.
 */
export interface Decoder {
  architecture: string;
  layers: number;
  /** Width of the residual stream. */
  embedding: number;
  heads: number;
  /** Heads of keys and values; several heads of queries share one. */
  groups: number;
  /** Width of a head. */
  head: number;
  vocabulary: number;
  /** Longest context that the model was made for, in tokens. */
  contextLength: number;
  epsilon: number;
  activation: 'silu' | 'gelu';
  /** Factor of token embeddings. */
  embeddingScale: number;
  /** Factor of attention scores. */
  attentionScale: number;
  /** Logits l become c · tanh(l / c); null: they stay. */
  logitCap: number | null;
  attentionOf(layer: number): LayerAttention;
  /** The tensor of [head / 2] numbers that divide the rotation's frequencies; null: there is none. */
  ropeFactors: string | null;
}

/** One architecture: how a decoder is described by its metadata. */
export interface Architecture {
  name: string;
  describe(file: ArchitectureFile): Decoder;
}

/** What a GGUF file tells. */
export interface ArchitectureFile {
  path: string;
  metadata: GgufMetadata;
  tensors: ReadonlyMap<string, GgufTensor>;
}
