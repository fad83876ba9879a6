import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../formats/gguf.ts';
import type { ModelConfig, RopeParameters } from './config.ts';
import { float32, type GgufEntry, text, uint32 } from './gguf-entries.ts';

export interface ExtraTensor {
  /** As in GGUF. */
  name: string;
  shape: number[];
  values: Float32Array;
}

interface Rotation {
  entries: GgufEntry[];
  tensors: ExtraTensor[];
}

/**
 * How the model turns keys and queries by their places (RoPE), and how that is stretched for longer texts. Errors:
 * `unsupported-model`, `invalid-input` (numbers of the stretching are missing or too few).
 */
export function describeRotation(model: ModelConfig, notes: string[]): Rotation {
  const { entries, tensors } = model.architecture === 'phi3' ? phi3(model) : stretched(model, notes);
  const base: GgufEntry[] = [['rope.freq_base', float32(model.rope.rope_theta)]];
  if (model.slidingRopeTheta !== null) base.push(['rope.freq_base_swa', float32(model.slidingRopeTheta)]);
  return {
    entries: [...base, ...entries].map(([key, value]) => [`${model.architecture}.${key}`, value]),
    tensors,
  };
}

function stretched(model: ModelConfig, notes: string[]): Rotation {
  const { rope, architecture } = model;
  if ((rope.partial_rotary_factor ?? 1) !== 1) {
    throw unsupported(`Only a part of each head (${rope.partial_rotary_factor}) is rotated`);
  }
  const entries: GgufEntry[] =
    architecture === 'llama' ? [['rope.dimension_count', uint32(model.headLength)]] : [];
  const kind = kindOf(rope);
  switch (kind) {
    case 'default':
      return { entries, tensors: [] };
    case 'linear':
      return { entries: [...entries, ...scaling('linear', needed(rope, 'factor'))], tensors: [] };
    case 'yarn':
      return { entries: [...entries, ...yarn(model)], tensors: [] };
    case 'dynamic':
      notes.push(
        `Texts longer than the model's ${model.contextLength} tokens are not stretched as its configuration says: GGUF ` +
          'has no dynamic scaling.',
      );
      return { entries, tensors: [] };
    case 'llama3':
      if (architecture === 'llama') return { entries, tensors: [llama3Frequencies(model)] };
  }
  throw unsupported(`Its rotation is stretched in the way ${quoted(kind)}`);
}

function scaling(type: string, factor: number): GgufEntry[] {
  return [
    ['rope.scaling.type', text(type)],
    ['rope.scaling.factor', float32(factor)],
  ];
}

function yarn(model: ModelConfig): GgufEntry[] {
  const { rope } = model;
  const entries = scaling('yarn', needed(rope, 'factor'));
  // As transformers has it: without that, the context that the model is said to have.
  const original =
    rope.original_max_position_embeddings ?? model.originalContextLength ?? model.contextLength;
  entries.push(['rope.scaling.original_context_length', uint32(original)]);
  const optional = {
    yarn_ext_factor: rope.extrapolation_factor,
    yarn_attn_factor: rope.attention_factor ?? rope.attn_factor,
    yarn_beta_fast: rope.beta_fast,
    yarn_beta_slow: rope.beta_slow,
  };
  for (const [key, value] of Object.entries(optional)) {
    if (typeof value === 'number') entries.push([`rope.scaling.${key}`, float32(value)]);
  }
  return entries;
}

/** By what each frequency is divided: nothing for quick ones, the factor for slow ones, a mixture between (Llama 3.1). */
function llama3Frequencies({ rope, headLength, originalContextLength }: ModelConfig): ExtraTensor {
  const { factor, low_freq_factor: low, high_freq_factor: high } = rope;
  const [slowest, fewest, most] = [factor ?? 8, low ?? 1, high ?? 4];
  const context = rope.original_max_position_embeddings ?? originalContextLength ?? 8192;
  const values = Float32Array.from({ length: headLength / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * rope.rope_theta ** ((2 * index) / headLength);
    if (wavelength < context / most) return 1;
    if (wavelength > context / fewest) return slowest;
    const smooth = (context / wavelength - fewest) / (most - fewest);
    return 1 / ((1 - smooth) / slowest + smooth);
  });
  return { name: 'rope_freqs.weight', shape: [values.length], values };
}

/** Phi-3 with 128 K: one set of divisors for short texts, one for long ones, and keys and queries that grow with it. */
function phi3(model: ModelConfig): Rotation {
  const { rope, contextLength, embedding, heads } = model;
  // In this order, as transformers has it.
  const original = model.originalContextLength ?? rope.original_max_position_embeddings ?? 4096;
  const rotated = Math.floor(Math.floor((rope.partial_rotary_factor ?? 1) * embedding) / heads);
  const entries: GgufEntry[] = [
    ['rope.dimension_count', uint32(rotated)],
    ['rope.scaling.original_context_length', uint32(original)],
  ];
  const kind = kindOf(rope);
  if (kind === 'default') return { entries, tensors: [] };
  if (kind !== 'longrope' && kind !== 'yarn') {
    throw unsupported(`Its rotation is stretched in the way ${quoted(kind)}`);
  }
  const { long_factor: long, short_factor: short } = rope;
  if (long?.length !== rotated / 2 || short?.length !== rotated / 2) {
    throw new PunaError(
      'invalid-input',
      `config.json has not the ${rotated / 2} numbers of long_factor and of short_factor that its rotation needs.`,
      "Download the model's config.json again.",
    );
  }
  const attention = rope.attention_factor ?? growthFactor(kind, contextLength / original, original);
  entries.push(['rope.scaling.attn_factor', float32(attention)]);
  const tensor = (name: string, values: number[]): ExtraTensor => ({
    ...{ name, shape: [values.length], values: Float32Array.from(values) },
  });
  return {
    entries,
    tensors: [tensor('rope_factors_long.weight', long), tensor('rope_factors_short.weight', short)],
  };
}

/** What keys and queries are multiplied by where texts may be longer by this growth than those of the first training. */
function growthFactor(kind: 'longrope' | 'yarn', growth: number, original: number): number {
  if (growth <= 1) return 1;
  return kind === 'yarn' ? 0.1 * Math.log(growth) + 1 : Math.sqrt(1 + Math.log(growth) / Math.log(original));
}

function kindOf({ rope_type: type, type: older }: RopeParameters): string {
  const kind = (type ?? older ?? 'default').toLowerCase();
  // The name that longrope had at first.
  return kind === 'su' ? 'longrope' : kind;
}

function needed(rope: RopeParameters, key: 'factor'): number {
  const value = rope[key];
  if (typeof value === 'number') return value;
  throw new PunaError(
    'invalid-input',
    `config.json lacks the ${key} of its rotation's scaling.`,
    "Download the model's config.json again.",
  );
}

function unsupported(what: string): PunaError {
  return new PunaError(
    'unsupported-model',
    `${what}, which llama.cpp cannot compute for this architecture.`,
    'The model cannot be converted.',
  );
}
