import { describe, expect, it } from 'vitest';
import { ggmlTypes, type GgufTensor, type GgufValue } from '../../src/main/weights/formats/gguf.ts';
import type { ModelFile } from '../../src/main/weights/model-file.ts';
import {
  estimateQuantizedBytes,
  type PlanOptions,
  planQuantization,
} from '../../src/main/weights/quantize/plan.ts';
import {
  type QuantizationName,
  quantizationNamed,
  quantizationTypes,
} from '../../src/main/weights/quantize/quantization-types.ts';

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });

/** A model of the llama architecture, without its numbers. */
function modelOf(
  shape: { embedding: number; feedForward: number; layers: number; heads: number; groups: number },
  { vocabulary = 128_256, tied = false } = {},
): ModelFile {
  const { embedding, feedForward, layers, heads, groups } = shape;
  const keys = (embedding / heads) * groups;
  const matrices: Record<string, [number, number]> = {
    ...{ attn_q: [embedding, embedding], attn_k: [embedding, keys], attn_v: [embedding, keys] },
    ...{ attn_output: [embedding, embedding], ffn_gate: [embedding, feedForward] },
    ...{ ffn_up: [embedding, feedForward], ffn_down: [feedForward, embedding] },
  };
  const tensor = (name: string, ...dimensions: number[]): GgufTensor => ({
    ...{ name, type: ggmlTypes.F16, shape: dimensions, offset: 0, bytes: 0 },
  });
  const tensors = [
    tensor('token_embd.weight', embedding, vocabulary),
    ...(tied ? [] : [tensor('output.weight', embedding, vocabulary)]),
    tensor('output_norm.weight', embedding),
    ...Array.from({ length: layers }, (_, layer) => [
      tensor(`blk.${layer}.attn_norm.weight`, embedding),
      ...Object.entries(matrices).map(([name, size]) => tensor(`blk.${layer}.${name}.weight`, ...size)),
    ]).flat(),
  ];
  const metadata = new Map([
    ['llama.block_count', uint32(layers)],
    ['llama.attention.head_count', uint32(heads)],
    ['llama.attention.head_count_kv', uint32(groups)],
  ]);
  return {
    ...{ path: 'model.gguf', parts: 1, kind: 'model', architecture: 'llama', title: null, parameters: null },
    ...{ quantization: null, contextLength: null, hasChatTemplate: false, bytes: 0, ggufVersion: 3 },
    ...{ metadata, tensors },
    files: [{ path: 'model.gguf', version: 3, metadata, tensors, dataOffset: 0, bytes: 0 }],
  };
}

const llama8B = modelOf({ embedding: 4096, feedForward: 14_336, layers: 32, heads: 32, groups: 8 });

function bitsOf(file: ModelFile, type: QuantizationName, options?: PlanOptions): number {
  const weights = file.tensors.reduce(
    (sum, { shape }) => sum + shape.reduce((all, length) => all * length, 1),
    0,
  );
  return (estimateQuantizedBytes(file, type, options) * 8) / weights;
}

/** Of Llama 3.1 8B, as llama.cpp's own documents have measured it (tools/quantize/README.md). */
const measuredBits: [QuantizationName, number][] = [
  ...([
    ['IQ1_S', 2.0042],
    ['IQ1_M', 2.146],
    ['IQ2_XXS', 2.3824],
    ['IQ2_XS', 2.5882],
  ] as const),
  ...([
    ['IQ2_S', 2.7403],
    ['IQ2_M', 2.9294],
    ['IQ3_XXS', 3.2548],
    ['IQ3_XS', 3.4977],
  ] as const),
  ...([
    ['IQ3_S', 3.6606],
    ['IQ3_M', 3.7628],
    ['IQ4_XS', 4.4597],
    ['IQ4_NL', 4.6818],
  ] as const),
  ...([
    ['Q2_K_S', 2.9697],
    ['Q2_K', 3.1593],
    ['Q3_K_S', 3.6429],
    ['Q3_K_M', 3.996],
  ] as const),
  ...([
    ['Q3_K_L', 4.2979],
    ['Q4_K_S', 4.6672],
    ['Q4_K_M', 4.8944],
    ['Q5_K_S', 5.5704],
  ] as const),
  ...([
    ['Q5_K_M', 5.7036],
    ['Q6_K', 6.5633],
    ['Q8_0', 8.5008],
    ['F16', 16.0005],
  ] as const),
].map(([name, bits]) => [name, bits]);

describe('the plan of a quantization', () => {
  it.each(measuredBits)('of Llama 3.1 8B to %s takes the bits that llama.cpp has measured', (type, bits) => {
    const hasImportance = quantizationNamed(type)?.needsImportance ?? false;
    // The measured ones count the file's header, too.
    expect(bitsOf(llama8B, type, { hasImportance }) / bits).toBeCloseTo(1, 3);
  });

  it.each(quantizationTypes)(
    'says of $name what its table says',
    ({ name, bits, needsImportance, tensorType }) => {
      const plan = planQuantization(llama8B, name);
      expect(plan.some((tensor) => tensor.needsImportance)).toBe(needsImportance);
      expect(Math.abs(bitsOf(llama8B, name, { hasImportance: needsImportance }) - bits)).toBeLessThan(0.006);
      const queries = plan.find((tensor) => tensor.name === 'blk.10.attn_q.weight');
      if (!/^(IQ3_X|MXFP4)/.test(name)) expect(queries?.to).toBe(tensorType);
    },
  );

  it('leaves norms as they are, and gives the head more bits, the embeddings too where they are the head', () => {
    const to = (file: ModelFile, name: string) =>
      planQuantization(file, 'Q4_K_M').find((tensor) => tensor.name === name)?.to;
    const tied = modelOf(
      { embedding: 2048, feedForward: 8192, layers: 16, heads: 32, groups: 8 },
      { tied: true },
    );
    expect(to(llama8B, 'blk.3.attn_norm.weight')).toBe('F16');
    expect(to(llama8B, 'output.weight')).toBe('Q6_K');
    expect(to(llama8B, 'token_embd.weight')).toBe('Q4_K');
    expect(to(tied, 'token_embd.weight')).toBe('Q6_K');
  });

  it('keeps the head, or mixes nothing, when it is told to', () => {
    const kept = planQuantization(llama8B, 'Q4_K_M', { keepOutput: true });
    expect(kept.find(({ name }) => name === 'output.weight')?.to).toBe('F16');
    const pure = planQuantization(llama8B, 'Q4_K_M', { pure: true });
    expect(new Set(pure.filter(({ shape }) => shape.length === 2).map(({ to }) => to))).toEqual(
      new Set(['Q4_K']),
    );
  });

  it('falls back where rows are no whole blocks, to F16 where even 32 do not fit', () => {
    const narrow = modelOf(
      { embedding: 96, feedForward: 80, layers: 2, heads: 2, groups: 2 },
      { vocabulary: 64 },
    );
    const plan = planQuantization(narrow, 'Q4_K_M');
    const of = (name: string) => plan.find((tensor) => tensor.name === name);
    expect(of('blk.0.attn_q.weight')).toMatchObject({ to: 'Q5_0', isFallback: true });
    expect(of('blk.0.ffn_down.weight')).toMatchObject({ to: 'F16', isFallback: true });
    // llama.cpp itself makes the head Q8_0 there.
    expect(of('output.weight')).toMatchObject({ to: 'Q8_0', isFallback: false });
  });
});

describe('a type', () => {
  it('is found in letters of either case', () => {
    expect(quantizationNamed('q4_k_m')?.name).toBe('Q4_K_M');
    expect(quantizationNamed('Q4_K_XL')).toBeUndefined();
    expect(quantizationNamed('NVFP4')).toBeUndefined();
  });
});
