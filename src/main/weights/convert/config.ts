import { z } from 'zod';
import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/gguf.ts';
import { firstIssue, maxTokens } from './described-file.ts';
import { checkGemmaAttention, slidingPattern } from './gemma.ts';

/** The architectures that can be converted, as GGUF calls them. */
export type Architecture = 'llama' | 'qwen2' | 'qwen3' | 'gemma3' | 'phi3';

/** What transformers takes where config.json leaves something out, by the name that it gives the architecture. */
interface Family {
  architecture: Architecture;
  activation: 'silu' | 'gelu_pytorch_tanh';
  contextLength: number;
  ropeTheta: number;
  epsilon: number;
  kvHeads: number | null;
  heads?: number;
  /** Null: the embedding's length divided by the number of heads, and not written to the file. */
  headLength: number | 'divided' | null;
  vocabularySize?: number;
  tiesEmbeddings: boolean;
  /** Of queries, keys and values; null: as `attention_bias` says. */
  attentionBias: boolean | null;
}

const usual = {
  activation: 'silu',
  ropeTheta: 10_000,
  epsilon: 1e-6,
  tiesEmbeddings: false,
  attentionBias: null,
} as const;
const llama: Family = {
  ...usual,
  ...{ architecture: 'llama', contextLength: 2048, kvHeads: null, headLength: 'divided' },
};
const gemma3: Family = {
  ...{ architecture: 'gemma3', activation: 'gelu_pytorch_tanh', contextLength: 131_072, ropeTheta: 1e6 },
  ...{ epsilon: 1e-6, heads: 8, kvHeads: 4, headLength: 256, vocabularySize: 262_208 },
  ...{ tiesEmbeddings: true, attentionBias: null },
};
const families: Record<string, Family> = {
  LlamaForCausalLM: llama,
  // As the first conversions of LLaMA spelled it.
  LLaMAForCausalLM: llama,
  MistralForCausalLM: { ...llama, contextLength: 131_072, kvHeads: 8 },
  Qwen2ForCausalLM: {
    ...usual,
    ...{ architecture: 'qwen2', contextLength: 32_768, kvHeads: 32, headLength: null, attentionBias: true },
  },
  Qwen3ForCausalLM: {
    ...usual,
    ...{ architecture: 'qwen3', contextLength: 32_768, kvHeads: 32, headLength: 128 },
  },
  Gemma3ForCausalLM: gemma3,
  Gemma3ForConditionalGeneration: gemma3,
  Phi3ForCausalLM: {
    ...usual,
    ...{ architecture: 'phi3', epsilon: 1e-5, contextLength: 4096, kvHeads: null, headLength: null },
  },
};

/** Above any model's measures, and far below where arithmetic with them loses digits. */
const count = z
  .int()
  .min(1)
  .max(2 ** 30);
const vocabularySize = z.int().min(1).max(maxTokens);
const number = z.number();
const factors = z.array(number).max(4096);

const ropeSchema = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: number.nullish(),
  factor: number.nullish(),
  original_max_position_embeddings: count.nullish(),
  low_freq_factor: number.nullish(),
  high_freq_factor: number.nullish(),
  extrapolation_factor: number.nullish(),
  attention_factor: number.nullish(),
  attn_factor: number.nullish(),
  beta_fast: number.nullish(),
  beta_slow: number.nullish(),
  long_factor: factors.nullish(),
  short_factor: factors.nullish(),
  partial_rotary_factor: number.nullish(),
});
export type RopeParameters = z.output<typeof ropeSchema>;

/** Newer configurations tell the rotation of each kind of layer apart. */
const ropeByLayer = z.looseObject({
  full_attention: ropeSchema.nullish(),
  sliding_attention: ropeSchema.nullish(),
});

const modelSchema = z.looseObject({
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: z.int().min(1).max(10_000),
  num_attention_heads: count.nullish(),
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  vocab_size: vocabularySize.nullish(),
  max_position_embeddings: count.nullish(),
  max_sequence_length: count.nullish(),
  original_max_position_embeddings: count.nullish(),
  rms_norm_eps: number.nullish(),
  hidden_act: z.string().nullish(),
  hidden_activation: z.string().nullish(),
  rope_theta: number.nullish(),
  rope_local_base_freq: number.nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: z.union([ropeByLayer, ropeSchema]).nullish(),
  partial_rotary_factor: number.nullish(),
  sliding_window: z
    .int()
    .min(0)
    .max(2 ** 30)
    .nullish(),
  use_sliding_window: z.boolean().nullish(),
  sliding_window_pattern: z.int().nullish(),
  layer_types: z.array(z.string()).max(10_000).nullish(),
  query_pre_attn_scalar: number.nullish(),
  use_bidirectional_attention: z.boolean().nullish(),
  attention_bias: z.boolean().nullish(),
  mlp_bias: z.boolean().nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  attn_logit_softcapping: number.nullish(),
  final_logit_softcapping: number.nullish(),
});

const outerSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  quantization_config: z.looseObject({ quant_method: z.string().nullish() }).nullish(),
  text_config: z.looseObject({}).nullish(),
});

/** A model's measures, with everything that config.json leaves out. Counts are in what their names say. */
export interface ModelConfig {
  architecture: Architecture;
  contextLength: number;
  embedding: number;
  feedForward: number;
  layers: number;
  heads: number;
  kvHeads: number;
  /** Numbers of a head. */
  headLength: number;
  /** Whether the file says so, which llama.cpp's converter leaves out where it is plain division. */
  writesHeadLength: boolean;
  epsilon: number;
  /** Null: config.json does not say, and the tokenizer does. */
  vocabularySize: number | null;
  rope: RopeParameters & { rope_theta: number };
  /** The base of sliding layers' rotation, where it is another one. */
  slidingRopeTheta: number | null;
  /** The context that the model was first trained with, where config.json says it outside of the rotation. */
  originalContextLength: number | null;
  /** In tokens. */
  slidingWindow: number | null;
  /** Each how many layers one sees everything; null where this is as llama.cpp takes it to be. */
  slidingPattern: number | null;
  finalSoftcapping: number | null;
  /** Whether the embedding is the head, too. */
  tiesEmbeddings: boolean;
  attentionBias: boolean;
  feedForwardBias: boolean;
  /** All of config.json, for what only the tokenizer looks for. */
  raw: Readonly<Record<string, unknown>>;
}

/**
 * Reads what config.json holds. Errors: `invalid-input` (no configuration, something is missing or of another kind),
 * `unsupported-model` (naming the architecture, an activation, or a method of quantization).
 */
export function readConfig(config: unknown, notes: string[]): ModelConfig {
  const outer = parse(outerSchema, config);
  const { name, family } = familyOf(outer.architectures?.[0] ?? missing('architectures'));
  if (outer.quantization_config) {
    const method = outer.quantization_config.quant_method ?? 'unknown';
    throw new PunaError(
      'unsupported-model',
      `The model's weights are quantized (${quoted(method)}), which cannot be converted without loss.`,
      'Choose the folder of the model in its original precision.',
    );
  }
  const raw = { ...outer, ...outer.text_config };
  const model = parse(modelSchema, raw);
  checkActivation(model.hidden_activation ?? model.hidden_act, family, name);
  const heads = model.num_attention_heads ?? family.heads ?? missing('num_attention_heads');
  const headLength = model.head_dim ?? (typeof family.headLength === 'number' ? family.headLength : null);
  if (headLength === null && model.hidden_size % heads !== 0) {
    throw invalid(`says that ${heads} heads share ${model.hidden_size} numbers, which cannot be divided so`);
  }
  const kvHeads = model.num_key_value_heads ?? Math.min(family.kvHeads ?? heads, heads);
  if (heads % kvHeads !== 0)
    throw invalid(`says that ${heads} heads share ${kvHeads} of keys, no divisor of it`);
  const rope = readRope(model, family);
  if (family.architecture !== 'gemma3' && windowOf(model) !== null) {
    notes.push(
      `The model looks back ${windowOf(model)} tokens only; GGUF of its architecture has it look back at everything, ` +
        'so that longer texts may be answered in another way.',
    );
  }
  const measures = { heads, kvHeads, headLength: headLength ?? model.hidden_size / heads };
  if (family.architecture === 'gemma3') checkGemmaAttention(model, measures);
  return {
    architecture: family.architecture,
    contextLength: model.max_position_embeddings ?? model.max_sequence_length ?? family.contextLength,
    embedding: model.hidden_size,
    feedForward: model.intermediate_size,
    layers: model.num_hidden_layers,
    ...measures,
    writesHeadLength: headLength !== null || family.headLength !== null,
    epsilon: model.rms_norm_eps ?? family.epsilon,
    vocabularySize: model.vocab_size ?? family.vocabularySize ?? null,
    ...rope,
    originalContextLength: model.original_max_position_embeddings ?? null,
    slidingWindow: model.sliding_window ?? null,
    slidingPattern: family.architecture === 'gemma3' ? slidingPattern(model) : null,
    finalSoftcapping: model.final_logit_softcapping ?? null,
    tiesEmbeddings: model.tie_word_embeddings ?? family.tiesEmbeddings,
    attentionBias: family.attentionBias ?? model.attention_bias ?? false,
    feedForwardBias: model.mlp_bias ?? false,
    raw,
  };
}

type Parsed = z.output<typeof modelSchema>;

function familyOf(name: string): { name: string; family: Family } {
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  if (family) return { name, family };
  throw new PunaError(
    'unsupported-model',
    `Models of the architecture ${quoted(name)} cannot be converted.`,
    'Llama, Mistral, Qwen 2, Qwen 3, Gemma 3 and Phi 3 can; for others look for a GGUF file.',
  );
}

function parse<Schema extends z.ZodType>(schema: Schema, config: unknown): z.output<Schema> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  throw invalid(firstIssue(parsed.error), parsed.error);
}

function missing(key: string): never {
  throw invalid(`lacks ${key}`);
}

function invalid(what: string, cause?: unknown): PunaError {
  return new PunaError(
    'invalid-input',
    `config.json ${what}.`,
    "Download the model's config.json again, or choose the folder that has the right one.",
    { cause },
  );
}

function checkActivation(found: string | null | undefined, family: Family, name: string): void {
  if (found === null || found === undefined || found === family.activation) return;
  // Another name of the same function.
  if (found === 'swish' && family.activation === 'silu') return;
  throw new PunaError(
    'unsupported-model',
    `The model is a ${name} with the activation ${quoted(found)}; llama.cpp computes these with ${family.activation}.`,
    'It cannot be converted.',
  );
}

/** One description of the rotation out of the three that configurations have had. */
function readRope(model: Parsed, family: Family): Pick<ModelConfig, 'rope' | 'slidingRopeTheta'> {
  const given = model.rope_parameters ?? model.rope_scaling ?? {};
  const byLayer = ropeByLayer.parse(given);
  const full = byLayer.full_attention ?? parse(ropeSchema, given);
  const isGemma = family.architecture === 'gemma3';
  return {
    rope: {
      ...full,
      rope_theta: full.rope_theta ?? model.rope_theta ?? family.ropeTheta,
      partial_rotary_factor: full.partial_rotary_factor ?? model.partial_rotary_factor,
    },
    slidingRopeTheta: isGemma
      ? (byLayer.sliding_attention?.rope_theta ?? model.rope_local_base_freq ?? 10_000)
      : null,
  };
}

/** Where all layers look back so far only. Qwen names a window that most of its models do not use. */
function windowOf(model: Parsed): number | null {
  const { sliding_window: window, use_sliding_window: isUsed = true } = model;
  const context = model.max_position_embeddings ?? Infinity;
  return window && isUsed && window < context ? window : null;
}
