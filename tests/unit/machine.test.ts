import { expect, test } from 'vitest';
import { fitOf, type Room } from '../../src/main/machine/fit.ts';
import { shapeOfConfig } from '../../src/main/machine/model-shape.ts';
import { needsOf } from '../../src/main/machine/needs-from-shape.ts';
import type { ModelNeeds, TypeSpeed } from '../../src/main/machine-engine/messages.ts';
import { contextSizes } from '../../src/main/machine-engine/context-sizes.ts';

const gibibyte = 1024 ** 3;

// config.json of the models' repositories, shortened.
const llama8 = {
  ...{ model_type: 'llama', hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32 },
  ...{ num_key_value_heads: 8, intermediate_size: 14_336, vocab_size: 128_256 },
  max_position_embeddings: 131_072,
};
const llama70 = {
  ...{ ...llama8, hidden_size: 8192, num_hidden_layers: 80, num_attention_heads: 64 },
  intermediate_size: 28_672,
};

test.each([
  // The sizes of caches that https://huggingface.co/blog/llama31 tells.
  { config: llama8, tokens: 16_000, cache: 1.95 },
  { config: llama8, tokens: 128_000, cache: 15.62 },
  { config: llama70, tokens: 16_000, cache: 4.88 },
  { config: llama70, tokens: 128_000, cache: 39.06 },
])('a cache of $tokens tokens takes $cache GiB', ({ config, tokens, cache }) => {
  const needs = needsOf({ bytes: 1e9, quantization: 'Q4_K_M', config }, tokens, 0);
  const taken = (needs.contexts[0]?.one.ram ?? 0) / gibibyte;
  expect(taken / cache).toBeGreaterThan(0.97);
  expect(taken / cache).toBeLessThan(1.05);
});

test('layers that look back only so far, or keep nothing, take less', () => {
  const gemma = shapeOfConfig({
    model_type: 'gemma3',
    text_config: {
      ...{ model_type: 'gemma3_text', hidden_size: 2560, num_hidden_layers: 34, num_attention_heads: 8 },
      ...{ num_key_value_heads: 4, head_dim: 256, intermediate_size: 10_240, sliding_window: 1024 },
    },
  });
  expect(gemma).toMatchObject({ kept: 2048, whole: 5, windowed: 29, window: 1024 });
  const oss = shapeOfConfig({
    ...{ model_type: 'gpt_oss', hidden_size: 2880, num_hidden_layers: 4, num_attention_heads: 64 },
    ...{ num_key_value_heads: 8, head_dim: 64, sliding_window: 128 },
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'],
  });
  expect(oss).toMatchObject({ kept: 1024, whole: 2, windowed: 2 });
  const qwen2 = shapeOfConfig({ ...llama8, sliding_window: 32_768, use_sliding_window: false });
  expect(qwen2).toMatchObject({ whole: 32, windowed: 0 });
  const next = shapeOfConfig({ ...llama8, full_attention_interval: 4 });
  expect(next).toMatchObject({ whole: 8, windowed: 0 });
  const latent = shapeOfConfig({ ...llama8, kv_lora_rank: 512, qk_rope_head_dim: 64 });
  expect(latent).toMatchObject({ kept: 576 });
});

test('of experts, only those that are asked are read', () => {
  // Qwen3 30B A3B: 3.3 of its 30.5 billion weights are active.
  const shape = shapeOfConfig({
    ...{ model_type: 'qwen3_moe', hidden_size: 2048, num_hidden_layers: 48, num_attention_heads: 32 },
    ...{ num_key_value_heads: 4, head_dim: 128, moe_intermediate_size: 768 },
    ...{ num_experts: 128, num_experts_per_tok: 8 },
  });
  expect(shape?.readShare).toBeGreaterThan(0.07);
  expect(shape?.readShare).toBeLessThan(0.12);
});

test.each([null, 'text', [], {}, { hidden_size: -1 }, { text_config: { hidden_size: 'wide' } }])(
  'what is no configuration, %j, is none',
  (config) => {
    expect(shapeOfConfig(config)).toBeNull();
    const { contexts } = needsOf({ bytes: 5e9, quantization: null, config }, null, 0);
    expect(contexts.every(({ one }) => Number.isFinite(one.ram) && one.ram > 0)).toBe(true);
  },
);

test('without a configuration, a context is about as large as those of models of that size', () => {
  const context = (bytes: number) =>
    needsOf({ bytes, quantization: 'Q4_K_M', config: null }, 16_000, 0).contexts[0]?.one.ram ?? 0;
  expect(context(4.7e9) / (1.95 * gibibyte)).toBeGreaterThan(0.6);
  expect(context(4.7e9) / (1.95 * gibibyte)).toBeLessThan(1.6);
  expect(context(40e9) / (4.88 * gibibyte)).toBeGreaterThan(0.6);
  expect(context(40e9) / (4.88 * gibibyte)).toBeLessThan(1.6);
});

const speed: TypeSpeed = { streamed: 50e9, products: 200e9 };
const cpu = { F16: speed, Q8_0: speed, Q6_K: speed, Q4_K: speed };
const room = (ram: number, more: Partial<Room> = {}): Room => ({
  ...{ total: { ram, video: 0 }, free: { ram, video: 0 }, speeds: { cpu, gpu: null } },
  ...more,
});
const needs8 = needsOf({ bytes: 4.9e9, quantization: 'Q4_K_M', config: llama8 }, null, 0);

test('a model has the longest context that there is room for, or none', () => {
  expect(fitOf(needs8, room(16e9))).toMatchObject({ verdict: 'well', contextSize: 16_384, crowded: false });
  expect(fitOf(needs8, room(8e9))).toMatchObject({ verdict: 'well', contextSize: 8192 });
  expect(fitOf(needs8, room(7e9))).toMatchObject({ verdict: 'well', contextSize: 2048 });
  const none = fitOf(needs8, room(4e9));
  expect(none).toMatchObject({ verdict: 'not', contextSize: 512, conversations: 1 });
  expect(none.bytes).toBeGreaterThan(4.9e9);
});

test('how fast it is decides between well and slowly', () => {
  const slow = { streamed: 20e9, products: 20e9 };
  const slowly = { cpu: { F16: slow, Q8_0: slow, Q6_K: slow, Q4_K: slow }, gpu: null };
  expect(fitOf(needs8, room(16e9, { speeds: slowly }))).toMatchObject({ verdict: 'slowly' });
  expect(fitOf(needs8, room(16e9)).tokensPerSecond).toBeGreaterThan(5);
  // What is not measured is not held against it.
  expect(fitOf(needs8, room(16e9, { speeds: null }))).toMatchObject({
    verdict: 'well',
    tokensPerSecond: null,
  });
});

test('what other programs hold is told, and leaves room for fewer conversations', () => {
  const roomy = fitOf(needs8, room(64e9));
  expect(roomy).toMatchObject({ conversations: 4, crowded: false });
  expect(roomy.mostBytes).toBeGreaterThan(roomy.bytes);
  const crowded = fitOf(needs8, room(64e9, { free: { ram: 5e9, video: 0 } }));
  expect(crowded).toMatchObject({ verdict: 'well', conversations: 1, crowded: true });
  expect(crowded.mostBytes).toBe(crowded.bytes);
});

test('layers go to the GPUs as far as there is memory, and are quicker there', () => {
  const fast = { streamed: 500e9, products: 5000e9 };
  const gpu = { F16: fast, Q8_0: fast, Q6_K: fast, Q4_K: fast };
  const on = (
    video: number,
  ): Pick<ModelNeeds, 'gpuLayers' | 'layers'> & { fit: ReturnType<typeof fitOf> } => {
    const needs = needsOf({ bytes: 4.9e9, quantization: 'Q4_K_M', config: llama8 }, null, video);
    const both = { ram: 32e9, video };
    return { ...needs, fit: fitOf(needs, { total: both, free: both, speeds: { cpu, gpu } }) };
  };
  const [none, some, all] = [on(0), on(3e9), on(24e9)];
  expect(none.gpuLayers).toBe(0);
  expect(some.gpuLayers).toBeGreaterThan(5);
  expect(some.gpuLayers).toBeLessThan(33);
  expect(all.gpuLayers).toBe(all.layers);
  expect(some.fit.videoBytes).toBeLessThan(3e9);
  const speeds = [none, some, all].map(({ fit }) => fit.tokensPerSecond ?? 0);
  expect(speeds).toEqual(speeds.toSorted((one, other) => one - other));
  expect(all.fit.bytes).toBeLessThan(1e9);
});

test('contexts are those that models are loaded with', () => {
  expect(contextSizes(131_072, null)).toEqual([16_384, 8192, 4096, 2048, 1024, 512]);
  expect(contextSizes(3000, null)).toEqual([3000, 2048, 1024, 512]);
  expect(contextSizes(64, null)).toEqual([64]);
  expect(contextSizes(null, null)).toEqual([2048, 1024, 512]);
  expect(contextSizes(4096, 100_000)).toEqual([100_000]);
});
