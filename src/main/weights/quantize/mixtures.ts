import type { GgmlTypeName } from '../formats/gguf.ts';
import type { QuantizationName } from './quantization-types.ts';

/** What a tensor is for, as llama.cpp tells by its name (llama-quant.cpp, tensor_get_category). */
export type Category =
  | 'output'
  | 'embedding'
  | 'values'
  | 'fused values'
  | 'keys'
  | 'queries'
  | 'attention output'
  | 'up'
  | 'gate'
  | 'down'
  | 'other';

const categories: readonly [part: string, category: Category][] = [
  ['attn_qkv.weight', 'fused values'],
  ['attn_kv_b.weight', 'fused values'],
  ['attn_v.weight', 'values'],
  ['attn_k.weight', 'keys'],
  ['attn_q.weight', 'queries'],
  ['attn_output.weight', 'attention output'],
  ['ffn_up', 'up'],
  ['ffn_gate', 'gate'],
  ['ffn_down', 'down'],
];

export function categoryOf(name: string): Category {
  if (name === 'output.weight') return 'output';
  if (name === 'token_embd.weight' || name === 'per_layer_token_embd.weight') return 'embedding';
  return categories.find(([part]) => name.includes(part))?.[1] ?? 'other';
}

/** What the choice depends on beside the tensor's name. */
export interface MixtureFacts {
  type: QuantizationName;
  /** The type of most tensors. */
  base: GgmlTypeName;
  layers: number;
  /** Heads that share keys and values. */
  groupSize: number;
  experts: number;
  /** Of 80 layers with grouped queries, whose values are so small that more bits cost nothing. */
  is70B: boolean;
  /** Whether the embeddings are the head, too. */
  tied: boolean;
  hasImportance: boolean;
  /** Tensors of the two categories of values. */
  valueTensors: number;
}

/** Where a tensor stands: its category, its layer, and how many of the values' tensors came before it. */
export interface Place {
  category: Category;
  layer: number;
  valueIndex: number;
  /** Numbers of a row. */
  columns: number;
  /** Whether it holds a matrix for each of several experts. */
  isStack: boolean;
  rowFits: boolean;
}

type Choice = Partial<Record<QuantizationName, GgmlTypeName>>;

const lowBits: readonly QuantizationName[] = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ2_M', 'IQ1_S', 'IQ1_M'];

/**
 * The type that llama.cpp gives a tensor in a mixture such as Q4_K_M: more bits where errors matter most (llama-quant.cpp,
 * llama_tensor_get_type_impl, of the bundled release). Falcon's exceptions are left out.
 */
export function mixtureType(facts: MixtureFacts, place: Place): GgmlTypeName {
  const { type, base } = facts;
  const { category } = place;
  if (category === 'output' || (facts.tied && category === 'embedding')) return headType(facts, place);
  if (type === 'MXFP4_MOE') return place.isStack ? 'MXFP4' : 'Q8_0';
  if (category === 'embedding') return embeddings[type] ?? base;
  if (lowBits.includes(type)) return lowBitType(facts, place) ?? base;
  switch (category) {
    case 'values':
    case 'fused values':
      return valuesType(facts, place);
    case 'keys':
      return (facts.experts === 8 ? 'Q8_0' : queriesAndKeys[type]) ?? base;
    case 'queries':
      return queriesAndKeys[type] ?? base;
    case 'down':
      return downType(facts, place) ?? base;
    case 'attention output':
      return attentionOutputType(facts) ?? base;
    case 'gate':
    case 'up': {
      const isMiddle = place.layer >= eighth(facts) && place.layer < Math.floor((7 * facts.layers) / 8);
      return type === 'IQ3_XS' && isMiddle ? 'IQ3_XXS' : base;
    }
    case 'other':
      return base;
  }
}

const embeddings: Choice = {
  ...{ IQ2_XXS: 'Q2_K', IQ2_XS: 'Q2_K', IQ1_S: 'Q2_K', IQ1_M: 'Q2_K' },
  ...{ IQ2_S: 'IQ3_S', IQ2_M: 'IQ3_S', IQ3_XXS: 'IQ3_S', TQ1_0: 'Q4_K', TQ2_0: 'Q4_K', Q2_0: 'Q4_K' },
};
const queriesAndKeys: Choice = { IQ3_XS: 'IQ3_XXS', IQ3_XXS: 'IQ2_S' };

function headType({ type, base }: MixtureFacts, { rowFits }: Place): GgmlTypeName {
  if (type === 'MXFP4_MOE' || !rowFits) return 'Q8_0';
  if (lowBits.includes(type) || type === 'IQ3_XXS') return 'Q5_K';
  return base === 'Q8_0' ? 'Q8_0' : 'Q6_K';
}

function lowBitType(facts: MixtureFacts, { category, layer }: Place): GgmlTypeName | undefined {
  const isUpper = facts.type === 'IQ2_S' || facts.type === 'IQ2_M';
  const better = isUpper ? 'IQ3_S' : 'Q2_K';
  switch (category) {
    case 'values':
    case 'fused values':
      return facts.groupSize >= 4 || facts.experts >= 4 ? 'Q4_K' : better;
    case 'keys':
      return facts.experts === 8 ? 'Q4_K' : undefined;
    case 'down':
      return layer < eighth(facts) ? better : undefined;
    case 'attention output':
      if (facts.experts === 8) return 'Q5_K';
      if (isUpper) return 'IQ3_S';
      return facts.type === 'IQ1_S' || facts.type === 'IQ1_M' ? 'IQ2_XXS' : undefined;
    default:
      return undefined;
  }
}

function valuesType(facts: MixtureFacts, { valueIndex }: Place): GgmlTypeName {
  if (facts.experts === 8) return 'Q8_0';
  const chosen = plainValuesType(facts, valueIndex) ?? facts.base;
  return facts.is70B && (chosen === 'Q3_K' || chosen === 'Q4_K') ? 'Q5_K' : chosen;
}

function plainValuesType(facts: MixtureFacts, valueIndex: number): GgmlTypeName | undefined {
  const isGrouped = facts.groupSize >= 4;
  switch (facts.type) {
    case 'Q2_K':
      return isGrouped ? 'Q4_K' : 'Q3_K';
    case 'Q2_K_S':
    case 'IQ3_XS':
    case 'IQ3_S':
      return isGrouped ? 'Q4_K' : undefined;
    case 'IQ3_XXS':
      if (isGrouped) return 'Q4_K';
      return facts.hasImportance ? 'IQ3_XXS' : 'IQ3_S';
    case 'IQ3_M':
      return 'Q4_K';
    case 'Q3_K_M':
      return valueIndex < 2 ? 'Q5_K' : 'Q4_K';
    case 'Q3_K_L':
      return 'Q5_K';
    case 'IQ4_NL':
    case 'IQ4_XS':
      return isGrouped ? 'Q5_K' : undefined;
    case 'Q4_K_M':
    case 'Q5_K_M':
      return usesMoreBits(valueIndex, facts.valueTensors) ? 'Q6_K' : undefined;
    case 'Q4_K_S':
      return valueIndex < 4 ? 'Q5_K' : undefined;
    default:
      return undefined;
  }
}

function downType(facts: MixtureFacts, { layer }: Place): GgmlTypeName | undefined {
  const isFirst = layer < eighth(facts);
  const { hasImportance, layers } = facts;
  switch (facts.type) {
    case 'Q2_K':
      return 'Q3_K';
    case 'Q2_K_S':
      return isFirst ? 'Q4_K' : undefined;
    case 'IQ3_XXS':
      if (hasImportance) return undefined;
      return isFirst ? 'Q4_K' : 'Q3_K';
    case 'Q3_K_M':
      return layer < Math.floor(layers / 16) ? 'Q5_K' : 'Q4_K';
    case 'IQ3_M':
      return isFirst || (facts.experts === 8 && usesMoreBits(layer, layers)) ? 'Q4_K' : undefined;
    case 'Q3_K_L':
      return 'Q5_K';
    case 'Q4_K_M':
    case 'Q5_K_M':
      return usesMoreBits(layer, layers) ? 'Q6_K' : undefined;
    case 'IQ4_NL':
    case 'IQ4_XS':
      return isFirst && !hasImportance ? 'Q5_K' : undefined;
    case 'Q4_K_S':
      return isFirst ? 'Q5_K' : undefined;
    case 'Q4_0':
      return isFirst && hasImportance ? 'Q4_1' : undefined;
    case 'Q5_0':
      return isFirst && hasImportance ? 'Q5_1' : undefined;
    default:
      return undefined;
  }
}

const attentionOutputs: Choice = {
  ...{ Q2_K: 'Q3_K', IQ3_XXS: 'IQ3_S', Q3_K_M: 'Q4_K', Q3_K_L: 'Q5_K', IQ3_M: 'Q4_K' },
};
const attentionOutputsOf8: readonly QuantizationName[] = [
  ...(['Q2_K', 'IQ3_XS', 'IQ3_XXS', 'Q3_K_S', 'Q3_K_M', 'IQ4_NL'] as const),
  ...(['Q4_K_S', 'Q4_K_M', 'IQ3_S', 'IQ3_M', 'IQ4_XS'] as const),
];

function attentionOutputType({ type, experts }: MixtureFacts): GgmlTypeName | undefined {
  if (experts === 8) return attentionOutputsOf8.includes(type) ? 'Q5_K' : undefined;
  return attentionOutputs[type];
}

/** The first and the last eighth of the layers, and every third one between them. */
function usesMoreBits(index: number, count: number): boolean {
  const first = Math.floor(count / 8);
  return index < first || index >= Math.floor((7 * count) / 8) || (index - first) % 3 === 2;
}

function eighth({ layers }: MixtureFacts): number {
  return Math.floor(layers / 8);
}
