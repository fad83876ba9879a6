import type { FileTypeName } from '../file-type.ts';
import type { GgmlTypeName } from '../formats/gguf.ts';

/** What a model can be quantized to: all file types but NVFP4, which llama.cpp only reads. */
export type QuantizationName = Exclude<FileTypeName, 'NVFP4'>;

export interface QuantizationType {
  name: QuantizationName;
  /** The type of most of its tensors. */
  tensorType: GgmlTypeName;
  /** Bits that a weight takes on average, for a model of the shape of Llama 3.1 8B. */
  bits: number;
  /** Whether llama.cpp refuses to make it without an importance matrix. */
  needsImportance: boolean;
  /** When to choose it, in one sentence. */
  advice: string;
}

/**
 * Best first. Bits are those of the planned tensors (plan.ts), which agree with llama.cpp's own table
 * (tools/quantize/README.md); advice follows its measurements of perplexity.
 */
const types: Record<QuantizationName, Omit<QuantizationType, 'name'>> = {
  Q4_K_M: type('Q4_K', 4.89, 'The usual choice: a third of the size of F16, and hardly worse.'),
  Q5_K_M: type('Q5_K', 5.7, 'Very near the original, where there is some more memory.'),
  Q6_K: type('Q6_K', 6.56, 'All but the original, at less than half of its size.'),
  Q8_0: type('Q8_0', 8.5, 'The original for all purposes, at half of its size.'),
  Q4_K_S: type('Q4_K', 4.67, 'A little smaller and a little worse than Q4_K_M.'),
  Q5_K_S: type('Q5_K', 5.57, 'A little smaller and a little worse than Q5_K_M.'),
  Q3_K_L: type('Q3_K', 4.3, 'Where Q4_K_S does not fit; answers suffer visibly in small models.'),
  Q3_K_M: type('Q3_K', 4, 'Where memory is short: clearly worse than four bits.'),
  Q3_K_S: type('Q3_K', 3.64, 'Smaller still; IQ3_S is better at about this size.'),
  Q2_K: type('Q2_K', 3.16, 'For large models that would not run otherwise.'),
  Q2_K_S: type('Q2_K', 2.97, 'The smallest of the K types; poor.', { needsImportance: true }),
  IQ4_XS: type(
    'IQ4_XS',
    4.46,
    'Nearly Q4_K_S at less size, but slower on CPUs; better with an importance matrix.',
  ),
  IQ4_NL: type('IQ4_NL', 4.68, 'Like IQ4_XS for rows that are no multiples of 256.'),
  IQ3_M: type('IQ3_S', 3.76, 'The best of the three-bit types, but slow on CPUs.'),
  IQ3_S: type('IQ3_S', 3.66, 'Better than Q3_K_S at the same size, but slow on CPUs.'),
  IQ3_XS: type('IQ3_S', 3.5, 'Between IQ3_S and IQ3_XXS.', { needsImportance: true }),
  IQ3_XXS: type('IQ3_XXS', 3.25, 'Three bits at their smallest.', { needsImportance: true }),
  IQ2_M: type('IQ2_S', 2.93, 'For large models only: usable, but worse.', { needsImportance: true }),
  IQ2_S: type('IQ2_XS', 2.74, 'For very large models only.', { needsImportance: true }),
  IQ2_XS: type('IQ2_XS', 2.59, 'For very large models only.', { needsImportance: true }),
  IQ2_XXS: type('IQ2_XXS', 2.38, 'For very large models only.', { needsImportance: true }),
  IQ1_M: type('IQ1_M', 2.15, 'A last resort for the largest models.', { needsImportance: true }),
  IQ1_S: type('IQ1_S', 2, 'A last resort for the largest models.', { needsImportance: true }),
  Q5_1: type('Q5_1', 6.04, 'An older type; Q5_K_M is smaller and better.'),
  Q5_0: type('Q5_0', 5.57, 'An older type; Q5_K_S is better.'),
  Q4_1: type('Q4_1', 5.1, 'An older type; Q4_K_M is smaller and better.'),
  Q4_0: type('Q4_0', 4.63, 'An older type that some machines compute fastest with; Q4_K_S is better.'),
  MXFP4_MOE: type('MXFP4', 8.5, 'For mixtures of experts that were trained in MXFP4, such as gpt-oss.'),
  TQ2_0: type(
    'TQ2_0',
    2.52,
    'Only for models that were trained with three values for a weight, such as BitNet.',
  ),
  TQ1_0: type('TQ1_0', 2.19, 'Like TQ2_0, smaller and slower.'),
  Q2_0: type('Q2_0', 2.68, 'Only for models that were trained with two bits for a weight.'),
  Q1_0: type('Q1_0', 1.48, 'Only for models that were trained with one bit for a weight.'),
  BF16: type('BF16', 16, 'Without loss where the original is BF16, as most are.'),
  F16: type('F16', 16, 'Without loss where the original is F16.'),
  F32: type('F32', 32, 'Without any loss, and twice as large as most originals.'),
};

/** Every type that a model can be quantized to, best first. */
export const quantizationTypes: readonly QuantizationType[] = Object.entries(types).map(([name, rest]) => ({
  // The keys of a literal are the names of its type.
  name: name as QuantizationName,
  ...rest,
}));

export const recommendedQuantization: QuantizationName = 'Q4_K_M';

/** The type of a name, in letters of either case; undefined where there is none. */
export function quantizationNamed(name: string): QuantizationType | undefined {
  const upper = name.toUpperCase();
  return quantizationTypes.find((each) => each.name === upper);
}

function type(
  tensorType: GgmlTypeName,
  bits: number,
  advice: string,
  { needsImportance = false } = {},
): Omit<QuantizationType, 'name'> {
  return { tensorType, bits, needsImportance, advice };
}
