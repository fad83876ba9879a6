import { PunaError } from '../../../shared/error.ts';
import { metadataNumber, metadataString } from '../../weights/formats/gguf.ts';
import type { RopeOptions } from '../../ggml/index.ts';
import type { ArchitectureFile, Decoder } from './decoder.ts';

/** Reads an architecture's keys, such as `llama.block_count`. Errors: `file-damaged` where one that must be is not there. */
export class ArchitectureKeys {
  readonly #file: ArchitectureFile;
  readonly #architecture: string;

  constructor(file: ArchitectureFile, architecture: string) {
    this.#file = file;
    this.#architecture = architecture;
  }

  optional(key: string): number | undefined {
    return metadataNumber(this.#file.metadata, `${this.#architecture}.${key}`);
  }

  required(key: string): number {
    const value = this.optional(key);
    if (value !== undefined && Number.isFinite(value) && value >= 0) return value;
    throw new PunaError(
      'file-damaged',
      `${this.#file.path} does not say its ${this.#architecture}.${key}.`,
      'Get the file again, or convert the model anew.',
    );
  }

  text(key: string): string | undefined {
    return metadataString(this.#file.metadata, `${this.#architecture}.${key}`);
  }
}

/** YaRN's borders (https://arxiv.org/abs/2309.00071), as llama.cpp takes them. */
const yarnBetas = { betaFast: 32, betaSlow: 1 };

/** Rotation as the metadata tells it, with linear or YaRN scaling. */
export function readRope(keys: ArchitectureKeys, mode: RopeOptions['mode'], head: number): RopeOptions {
  const kind = keys.text('rope.scaling.type');
  const factor = keys.optional('rope.scaling.factor') ?? keys.optional('rope.scale_linear') ?? 0;
  const scaled = factor > 0 && kind !== 'none';
  return {
    mode,
    dimensions: keys.optional('rope.dimension_count') ?? head,
    originalContext: keys.optional('rope.scaling.original_context_length') ?? keys.required('context_length'),
    base: keys.optional('rope.freq_base') ?? 10_000,
    scale: scaled ? 1 / factor : 1,
    extrapolation: kind === 'yarn' ? 1 : 0,
    // llama.cpp cancels YaRN's own factor, which ggml puts in again.
    attentionFactor: keys.optional('rope.scaling.attn_factor') ?? 1,
    ...yarnBetas,
  };
}

/** What all architectures tell in the same way: a plain decoder, of which each changes what is different in it. */
export function plainDecoder(
  file: ArchitectureFile,
  architecture: string,
  ropeMode: RopeOptions['mode'],
): Decoder {
  const keys = new ArchitectureKeys(file, architecture);
  const embedding = keys.required('embedding_length');
  const heads = keys.required('attention.head_count');
  const head = keys.optional('attention.key_length') ?? embedding / heads;
  const rope = readRope(keys, ropeMode, head);
  return {
    architecture,
    layers: keys.required('block_count'),
    ...{ embedding, heads, head },
    groups: keys.optional('attention.head_count_kv') ?? heads,
    vocabulary: file.tensors.get('token_embd.weight')?.shape[1] ?? 0,
    contextLength: keys.required('context_length'),
    epsilon: keys.required('attention.layer_norm_rms_epsilon'),
    ...{ activation: 'silu', embeddingScale: 1, attentionScale: 1 / Math.sqrt(head), logitCap: null },
    attentionOf: () => ({ rope, window: null }),
    ropeFactors: null,
  };
}
