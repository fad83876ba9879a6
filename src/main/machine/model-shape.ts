import { z } from 'zod';

/** What the memory of a model's contexts depends on. */
export interface ModelShape {
  layers: number;
  embedding: number;
  feedForward: number;
  vocabulary: number;
  /** Longest context that it was made for, in tokens; null where nobody tells. */
  contextLength: number | null;
  /** Numbers of keys and values that a layer keeps of each token. */
  kept: number;
  /** Layers that keep all tokens, and those that keep the last `window` ones only; others keep none. */
  whole: number;
  windowed: number;
  window: number;
  /** Of the weights, the share that one token needs: not all experts are asked. */
  readShare: number;
}

const count = z.number().int().positive().max(1e9);
const maybe = count.nullish();

/** `config.json` of Hugging Face, as far as it matters here. */
const configSchema = z.looseObject({
  model_type: z.string().nullish(),
  hidden_size: count,
  num_hidden_layers: count.max(10_000),
  num_attention_heads: count,
  num_key_value_heads: maybe,
  head_dim: maybe,
  intermediate_size: maybe,
  moe_intermediate_size: maybe,
  vocab_size: maybe,
  max_position_embeddings: maybe,
  sliding_window: maybe,
  use_sliding_window: z.boolean().nullish(),
  sliding_window_pattern: maybe,
  layer_types: z.array(z.string()).nullish(),
  full_attention_interval: maybe,
  kv_lora_rank: maybe,
  qk_rope_head_dim: maybe,
  num_experts: maybe,
  num_local_experts: maybe,
  n_routed_experts: maybe,
  num_experts_per_tok: maybe,
});
type Config = z.infer<typeof configSchema>;

/** Every which layer keeps all tokens, where the configuration does not list them. */
const usualPatterns: Record<string, number> = {
  gemma2: 2,
  gemma3: 6,
  gemma3_text: 6,
  cohere2: 4,
  gpt_oss: 2,
};

/** The shape of what a `config.json` describes; null where it describes something else. */
export function shapeOfConfig(config: unknown): ModelShape | null {
  const nested = z.looseObject({ text_config: z.unknown() }).safeParse(config);
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) return nested.data?.text_config ? shapeOfConfig(nested.data.text_config) : null;
  const found = parsed.data;
  const head = found.head_dim ?? found.hidden_size / found.num_attention_heads;
  const groups = found.num_key_value_heads ?? found.num_attention_heads;
  const window = found.use_sliding_window === false ? null : (found.sliding_window ?? null);
  const layers = found.num_hidden_layers;
  const kinds = Array.from({ length: layers }, (_, layer) => layerKind(found, layer, window));
  return {
    ...{ layers, embedding: found.hidden_size, vocabulary: found.vocab_size ?? 0 },
    feedForward: found.intermediate_size ?? 4 * found.hidden_size,
    contextLength: found.max_position_embeddings ?? null,
    // With multi-head latent attention, what all heads share is kept once.
    kept: found.kv_lora_rank ? found.kv_lora_rank + (found.qk_rope_head_dim ?? 0) : 2 * head * groups,
    whole: kinds.filter((kind) => kind === 'whole').length,
    windowed: kinds.filter((kind) => kind === 'windowed').length,
    window: window ?? 0,
    readShare: readShare(found),
  };
}

function layerKind(config: Config, layer: number, window: number | null): 'whole' | 'windowed' | 'none' {
  const listed = config.layer_types?.[layer];
  if (listed !== undefined) {
    if (/sliding|chunked/.test(listed)) return window === null ? 'whole' : 'windowed';
    return /attention/.test(listed) && !/linear/.test(listed) ? 'whole' : 'none';
  }
  const interval = config.full_attention_interval;
  if (interval) return (layer + 1) % interval === 0 ? 'whole' : 'none';
  if (window === null) return 'whole';
  const pattern = config.sliding_window_pattern ?? usualPatterns[config.model_type ?? ''];
  return pattern && (layer + 1) % pattern !== 0 ? 'windowed' : 'whole';
}

/** Three matrices an expert; all else of a layer is some four times its width squared. */
function readShare(config: Config): number {
  const experts = config.num_experts ?? config.num_local_experts ?? config.n_routed_experts ?? 0;
  const used = config.num_experts_per_tok ?? experts;
  if (experts <= 1 || used >= experts) return 1;
  const width = config.hidden_size;
  const expert = 3 * width * (config.moe_intermediate_size ?? config.intermediate_size ?? 4 * width);
  const rest = 4 * width * width;
  return (used * expert + rest) / (experts * expert + rest);
}

/** Of a kind that is usual for so many weights, where nobody tells more: 128 thousand tokens, keys and values shared by several heads. */
export function usualShape(weights: number): ModelShape {
  const billions = Math.max(0.05, weights / 1e9);
  const layers = Math.round(Math.min(100, 20 * billions ** 0.3));
  // Llama 3.2 1B keeps 33 kB of a token, Llama 3.1 8B 131 kB, Qwen 2.5 72B 328 kB.
  const kept = (45e3 * Math.sqrt(billions)) / bytesOfNumber / layers;
  const embedding = Math.round(Math.sqrt(weights / (12 * layers)));
  return {
    ...{ layers, embedding, feedForward: 3 * embedding, vocabulary: 128_000, contextLength: null },
    ...{ kept, whole: layers, windowed: 0, window: 0, readShare: 1 },
  };
}

/** Keys and values are kept as F16. */
export const bytesOfNumber = 2;
