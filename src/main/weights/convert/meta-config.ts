import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { firstIssue } from './described-file.ts';

const count = z
  .int()
  .min(1)
  .max(2 ** 30);

/** Meta's params.json; what later models add (vision, routes) is not among it. */
const paramsSchema = z.looseObject({
  dim: count,
  n_layers: count,
  n_heads: count,
  n_kv_heads: count.nullish(),
  norm_eps: z.number(),
  multiple_of: count.default(256),
  ffn_dim_multiplier: z.number().positive().nullish(),
  rope_theta: z.number().nullish(),
  use_scaled_rope: z.boolean().nullish(),
  rope_scaling_factor: z.number().nullish(),
  /** −1 in LLaMA 1 and 2: as many as the tokenizer has. */
  vocab_size: z.int().nullish(),
  moe: z.unknown().optional(),
});
type Params = z.output<typeof paramsSchema>;

export interface MetaFacts {
  /** Number of tokens, where it is known from elsewhere. */
  vocabSize?: number;
  /** Shapes of the whole tensors (shards put together), slowest dimension first, by Meta's names. */
  tensorShapes?: ReadonlyMap<string, readonly number[]>;
}

/**
 * What Meta's params.json says, as the config.json of a LlamaForCausalLM; as transformers' conversion script has it. It
 * tells no context length: that follows from the generation, by which its other values give it away. Errors:
 * `invalid-input` (not the parameters of a LLaMA, or the number of tokens cannot be told), `unsupported-model`.
 */
export function metaConfig(params: unknown, facts: MetaFacts = {}) {
  const { tensorShapes } = facts;
  const parsed = paramsSchema.safeParse(params);
  if (!parsed.success) throw invalid(firstIssue(parsed.error), parsed.error);
  const meta = parsed.data;
  if (meta.moe !== undefined && meta.moe !== null) {
    throw new PunaError(
      'unsupported-model',
      'Models with experts (LLaMA 4, Mixtral) cannot be converted.',
      'Look for a GGUF file of this model.',
    );
  }
  const tokens = vocabulary(meta, facts);
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: meta.dim,
    intermediate_size: tensorShapes?.get('layers.0.feed_forward.w1.weight')?.[0] ?? feedForward(meta),
    num_hidden_layers: meta.n_layers,
    num_attention_heads: meta.n_heads,
    num_key_value_heads: meta.n_kv_heads ?? meta.n_heads,
    max_position_embeddings: contextLength(meta, tokens),
    rms_norm_eps: meta.norm_eps,
    rope_theta: meta.rope_theta ?? 10_000,
    rope_scaling: meta.use_scaled_rope ? scaledRope(meta) : null,
    tie_word_embeddings: tensorShapes !== undefined && !tensorShapes.has('output.weight'),
    vocab_size: tokens,
  };
}

function vocabulary({ vocab_size: told }: Params, { vocabSize, tensorShapes }: MetaFacts): number {
  const embedding = tensorShapes?.get('tok_embeddings.weight')?.[0];
  const found = embedding ?? (told && told > 0 ? told : vocabSize);
  if (found !== undefined) return found;
  throw invalid('does not tell the number of tokens');
}

/** Two thirds of four times the width, times a factor of the larger models, up to a multiple of a power of two. */
function feedForward({ dim, multiple_of: step, ffn_dim_multiplier: factor }: Params): number {
  const plain = Math.floor((8 * dim) / 3);
  return Math.ceil(Math.floor((factor ?? 1) * plain) / step) * step;
}

/** LLaMA 3 and later have this many tokens. */
const llama3Tokens = 128_256;

function contextLength(meta: Params, tokens: number): number {
  if (meta.use_scaled_rope) return 131_072;
  if (tokens >= llama3Tokens) return 8192;
  // Code Llama.
  if ((meta.rope_theta ?? 10_000) > 10_000) return 16_384;
  // LLaMA 2 is told from LLaMA 1 by its larger epsilon. The 65B of LLaMA 1 has that one, too, but as many heads of keys as
  // of queries, where the 70B of LLaMA 2 has eight.
  const isLargestOfFirst = meta.dim === 8192 && (meta.n_kv_heads ?? meta.n_heads) === meta.n_heads;
  return meta.norm_eps === 1e-5 && !isLargestOfFirst ? 4096 : 2048;
}

function scaledRope({ dim, rope_scaling_factor: factor }: Params) {
  return {
    rope_type: 'llama3',
    // params.json of LLaMA 3.2's 1B and 3B does not tell it, but they are stretched four times as far.
    factor: factor ?? (dim <= 3072 ? 32 : 8),
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
}

function invalid(what: string, cause?: unknown): PunaError {
  return new PunaError(
    'invalid-input',
    `params.json ${what}.`,
    "Choose the folder of one of Meta's LLaMA models, with the params.json that came with it.",
    { cause },
  );
}
