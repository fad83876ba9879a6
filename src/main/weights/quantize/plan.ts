import {
  type GgmlTypeName,
  ggmlTypes,
  type GgufTensor,
  metadataNumber,
  tensorBytes,
} from '../formats/gguf.ts';
import { fileTypeName } from '../file-type.ts';
import type { ModelFile } from '../model-file.ts';
import { categoryOf, type MixtureFacts, mixtureType, type Place } from './mixtures.ts';
import { type QuantizationName, quantizationNamed } from './quantization-types.ts';

export interface PlanOptions {
  /** Whether an importance matrix will be given. */
  hasImportance?: boolean;
  /** Leaves `output.weight` as it is. */
  keepOutput?: boolean;
  /** Gives every tensor the same type, instead of more bits where errors matter most. */
  pure?: boolean;
}

/** What becomes of a tensor. */
export interface PlannedTensor {
  name: string;
  /** Fastest dimension first. */
  shape: readonly number[];
  from: GgmlTypeName;
  to: GgmlTypeName;
  /** Its rows are no whole blocks of the type that it should get, so that it gets a coarser or larger one. */
  isFallback: boolean;
  /** llama.cpp refuses to quantize it without an importance matrix. */
  needsImportance: boolean;
  bytes: number;
}

/**
 * What llama.cpp will make of each tensor of a model, in the order in which it does (llama-quant.cpp of the bundled release).
 * The file decides how its mixtures fall out, so that this is a forecast for Falcon and a few odd architectures only.
 */
export function planQuantization(
  file: ModelFile,
  type: QuantizationName,
  options: PlanOptions = {},
): PlannedTensor[] {
  const tensors = file.tensors.toSorted(byLayer);
  const facts = factsOf(file, type, options);
  let valueIndex = 0;
  return tensors.map((tensor) => {
    const { name, shape, type: from } = tensor;
    const keep = { to: from.name, isFallback: false };
    const wanted = isQuantizable(tensor, options) ? wantedType(tensor, facts, options, valueIndex) : null;
    const isValues = ['values', 'fused values'].includes(categoryOf(name));
    if (wanted && isValues) valueIndex++;
    const { to, isFallback } = wanted ? fitting(wanted, shape[0] ?? 1) : keep;
    const needsImportance = wanted !== null && to !== from.name && refusesWithout(name, to, type);
    return {
      ...{ name, shape, from: from.name, to, isFallback, needsImportance },
      bytes: tensorBytes(ggmlTypes[to], shape),
    };
  });
}

/** How large the quantized file will be, in bytes. */
export function estimateQuantizedBytes(
  file: ModelFile,
  type: QuantizationName,
  options: PlanOptions = {},
): number {
  return bytesOfPlan(file, planQuantization(file, type, options));
}

/** Bytes of the file that a plan leads to: the tensors, each of them aligned, behind a header as long as before. */
export function bytesOfPlan({ files }: ModelFile, tensors: readonly PlannedTensor[]): number {
  const header = files.reduce((sum, { dataOffset }) => sum + dataOffset, 0);
  return tensors.reduce((sum, { bytes }) => sum + Math.ceil(bytes / alignment) * alignment, header);
}

/** llama.cpp writes no other, whatever the input has. */
const alignment = 32;

function wantedType(
  { name, shape }: GgufTensor,
  facts: MixtureFacts,
  { pure = false }: PlanOptions,
  valueIndex: number,
): GgmlTypeName {
  const { base } = facts;
  if (pure || ggmlTypes[base].blockSize === 1) return base;
  const columns = shape[0] ?? 1;
  const place: Place = {
    ...{ category: categoryOf(name), layer: layerOf(name), valueIndex, columns },
    isStack: (shape[2] ?? 1) > 1,
    rowFits: columns % ggmlTypes[base].blockSize === 0,
  };
  return mixtureType(facts, place);
}

function factsOf(
  file: ModelFile,
  type: QuantizationName,
  { hasImportance = false }: PlanOptions,
): MixtureFacts {
  const { metadata, architecture } = file;
  const value = (key: string) => metadataNumber(metadata, `${architecture}.${key}`) ?? firstOf(file, key);
  const names = file.tensors.map(({ name }) => name);
  const layers = value('block_count') ?? 0;
  const heads = value('attention.head_count') ?? 1;
  const groups = value('attention.head_count_kv') ?? heads;
  const groupSize = groups === 0 ? 0 : Math.floor(heads / groups);
  return {
    ...{ type, layers, groupSize, hasImportance },
    base: quantizationNamed(type)?.tensorType ?? 'F32',
    experts: value('expert_count') ?? 0,
    is70B: layers === 80 && (architecture === 'qwen2' || (architecture === 'llama' && groupSize > 1)),
    tied: !names.includes('output.weight'),
    valueTensors: names.filter((name) => ['values', 'fused values'].includes(categoryOf(name))).length,
  };
}

/** Some architectures give a number for each layer; llama.cpp looks at the first one. */
function firstOf({ metadata, architecture }: ModelFile, key: string): number | undefined {
  const found = metadata.get(`${architecture}.${key}`);
  const first = found?.type === 'array' ? found.value[0] : undefined;
  return typeof first === 'number' ? first : undefined;
}

/** Names of tensors that stay as they are, in whole or in part (llama-quant.cpp, tensor_allows_quantization). */
const keptNames = new Set(['position_embd.weight', 'token_types.weight']);
const keptParts = [
  ...['_norm.weight', 'ffn_gate_inp.weight', 'ffn_gate_tid2eid.weight', 'altup', 'laurel'],
  ...['per_layer_model_proj', 'ssm_conv1d', 'shortconv.conv.weight'],
  ...['indexer.k_proj.weight', 'indexer.q_proj.weight'],
  ...['first', 'w0', 'w1', 'w2', 'v0', 'v1', 'v2', 'a0', 'a1', 'a2', 'g1', 'g2'].map(
    (part) => `time_mix_${part}.weight`,
  ),
  ...['time_mix_decay_w1.weight', 'time_mix_decay_w2.weight', 'time_mix_lerp_fused.weight'],
  ...['attn_rel_b.weight', '.position_embd', 'sam.pos_embd', 'sam.neck.', 'sam.net_', '.rel_pos'],
  ...['.patch_embd', '.patch_merger', 'a.rvq.codebook', 'mm.a.code_embd'],
];

function isQuantizable({ name, shape }: GgufTensor, { keepOutput = false }: PlanOptions): boolean {
  const isMatrix = shape.slice(1).some((length) => length > 1);
  if (!isMatrix || !name.endsWith('weight') || keptNames.has(name)) return false;
  if (keepOutput && name === 'output.weight') return false;
  return !keptParts.some((part) => name.includes(part));
}

/** Types by the one that takes their place where rows are no whole blocks (llama-quant.cpp, tensor_type_fallback). */
const fallbacks: Partial<Record<GgmlTypeName, GgmlTypeName>> = {
  ...{ IQ1_S: 'IQ4_NL', IQ1_M: 'IQ4_NL', IQ2_XXS: 'IQ4_NL', IQ2_XS: 'IQ4_NL', IQ2_S: 'IQ4_NL' },
  ...{ IQ3_XXS: 'IQ4_NL', IQ3_S: 'IQ4_NL', IQ4_XS: 'IQ4_NL' },
  ...{ Q2_0: 'Q4_0', Q2_K: 'Q4_0', Q3_K: 'Q4_0', TQ1_0: 'Q4_0', TQ2_0: 'Q4_0' },
  ...{ Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0' },
};

function fitting(wanted: GgmlTypeName, columns: number): { to: GgmlTypeName; isFallback: boolean } {
  const fits = (type: GgmlTypeName) => columns % ggmlTypes[type].blockSize === 0;
  if (fits(wanted)) return { to: wanted, isFallback: false };
  const other = fallbacks[wanted] ?? wanted;
  return { to: fits(other) ? other : 'F16', isFallback: true };
}

const starvedTypes: readonly GgmlTypeName[] = ['IQ3_XXS', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ1_M', 'IQ1_S'];

function refusesWithout(name: string, to: GgmlTypeName, type: QuantizationName): boolean {
  if (categoryOf(name) === 'embedding' || name === 'output.weight') return false;
  return starvedTypes.includes(to) || (to === 'Q2_K' && type === 'Q2_K_S');
}

/** The layer of a name such as `blk.12.attn_q.weight`; −1 outside of layers. */
export function layerOf(name: string): number {
  return Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
}

function byLayer(a: GgufTensor, b: GgufTensor): number {
  return layerOf(a.name) - layerOf(b.name) || (a.name < b.name ? -1 : 1);
}

/** The file type that most of a model's bytes have, where they are quantized already. */
export function quantizedTypeOf(file: ModelFile): string | null {
  const number = metadataNumber(file.metadata, 'general.file_type');
  const blocks = file.tensors.filter(({ type }) => type.blockSize > 1);
  if (blocks.length === 0) return null;
  return (number === undefined ? undefined : fileTypeName(number)) ?? blocks[0]?.type.name ?? null;
}
