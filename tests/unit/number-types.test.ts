import { expect, test } from 'vitest';
import type { Device } from '../../src/main/ggml/index.ts';
import { attentionGradientType, transposedType } from '../../src/main/training/models/number-types.ts';

const device = (...features: string[]) => ({ features: new Set(features) }) as unknown as Device;

test('the gradients of attention are of BF16 where the processor is faster with it and nobody wants them exact', () => {
  expect(attentionGradientType(device('AVX2', 'AVX512_BF16'), { exact: false })).toBe('BF16');
  expect(attentionGradientType(device('AVX2', 'AVX512_BF16'), { exact: true })).toBe('F32');
  expect(attentionGradientType(device('AVX2'), { exact: false })).toBe('F32');
});

test('a transposed copy is of 8 bits beside quantized weights whose columns are whole blocks', () => {
  expect(transposedType({ type: 'Q4_K', shape: [256, 64] }, { exact: false })).toBe('Q8_0');
  expect(transposedType({ type: 'Q8_0', shape: [64, 48] }, { exact: false })).toBe('BF16');
  expect(transposedType({ type: 'F16', shape: [64, 64] }, { exact: false })).toBe('BF16');
  expect(transposedType({ type: 'Q8_0', shape: [64, 64] }, { exact: true })).toBe('F32');
});
