/**
 * How the tensors of an architecture are named and stored in GGUF and by Hugging Face. Sources: llama.cpp's
 * `gguf-py/gguf/tensor_mapping.py` and `convert_hf_to_gguf.py`.
 */
export interface WeightsArchitecture {
  /** As `general.architecture` of a GGUF file says. */
  readonly name: string;
  /** `model_type` of Hugging Face configurations. */
  readonly modelTypes: readonly string[];
  /** By the name in GGUF, without `blk.N.` and the ending. */
  readonly layer: Readonly<Record<string, string>>;
  /** Whether GGUF keeps the rows of queries and keys as pairs, where Hugging Face has halves. */
  readonly pairsRotary: boolean;
  /** Whether GGUF keeps the weights of norms with one added. */
  readonly addsOneToNorms: boolean;
}

const attention = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
} as const;
const headNorms = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' } as const;
const feedForward = {
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
} as const;
const norms = { attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm' } as const;

const usual = {
  layer: { ...norms, ...attention, ...feedForward },
  pairsRotary: false,
  addsOneToNorms: false,
};

export const weightsArchitectures: readonly WeightsArchitecture[] = [
  { ...usual, name: 'llama', modelTypes: ['llama', 'mistral'], pairsRotary: true },
  { ...usual, name: 'qwen2', modelTypes: ['qwen2'] },
  { ...usual, name: 'qwen3', modelTypes: ['qwen3'], layer: { ...usual.layer, ...headNorms } },
  {
    ...usual,
    name: 'gemma3',
    modelTypes: ['gemma3', 'gemma3_text'],
    layer: {
      ...attention,
      ...headNorms,
      ...feedForward,
      attn_norm: 'input_layernorm',
      post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
    addsOneToNorms: true,
  },
  {
    ...usual,
    name: 'phi3',
    modelTypes: ['phi3'],
    layer: {
      ...norms,
      attn_qkv: 'self_attn.qkv_proj',
      attn_output: 'self_attn.o_proj',
      ffn_up: 'mlp.gate_up_proj',
      ffn_down: 'mlp.down_proj',
    },
  },
];

/** Outside of layers; the same for all architectures. */
const outer: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};

/** The architecture of a GGUF file, by its name. */
export function architectureNamed(name: string): WeightsArchitecture | undefined {
  return weightsArchitectures.find((architecture) => architecture.name === name);
}

/** The architecture of a Hugging Face configuration, by its `model_type`. */
export function architectureOfModelType(modelType: string): WeightsArchitecture | undefined {
  return weightsArchitectures.find(({ modelTypes }) => modelTypes.includes(modelType));
}

const ggufLayerName = /^blk\.(\d+)\.([^.]+)\.(weight|bias)$/;
const ggufOuterName = /^([^.]+)\.(weight|bias)$/;
const hfLayerName = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/;
const hfOuterName = /^(.+)\.(weight|bias)$/;

/** What Hugging Face calls a tensor of a GGUF file; undefined for one that it does not have. */
export function huggingFaceName({ layer }: WeightsArchitecture, ggufName: string): string | undefined {
  const inLayer = ggufLayerName.exec(ggufName);
  if (inLayer) {
    const [, index = '', part = '', ending = ''] = inLayer;
    const name = Object.hasOwn(layer, part) ? layer[part] : undefined;
    return name && `model.layers.${index}.${name}.${ending}`;
  }
  const [, part = '', ending = ''] = ggufOuterName.exec(ggufName) ?? [];
  return Object.hasOwn(outer, part) ? `${outer[part]}.${ending}` : undefined;
}

/** What GGUF calls a tensor of Hugging Face; undefined for one that it does not have. */
export function ggufName({ layer }: WeightsArchitecture, name: string): string | undefined {
  const inLayer = hfLayerName.exec(name);
  if (inLayer) {
    const [, index, part, ending] = inLayer;
    const found = Object.entries(layer).find(([, hfName]) => hfName === part);
    return found && `blk.${index}.${found[0]}.${ending}`;
  }
  const [, part, ending] = hfOuterName.exec(name) ?? [];
  const found = Object.entries(outer).find(([, hfName]) => hfName === part);
  return found && `${found[0]}.${ending}`;
}

/** Whether a tensor is the query or the key projection (of Hugging Face's name), whose rows are rotated. */
export function rotatedHeads(name: string): 'query' | 'key' | null {
  if (/\.self_attn\.q_proj\.(weight|bias)$/.test(name)) return 'query';
  return /\.self_attn\.k_proj\.(weight|bias)$/.test(name) ? 'key' : null;
}

/** Whether a tensor is the weight of a norm, by Hugging Face's name. */
export function isNorm(name: string): boolean {
  return /norm\.weight$/.test(name);
}
