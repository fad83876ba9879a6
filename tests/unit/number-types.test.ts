import { expect, test } from 'vitest';
import type { Device } from '../../src/main/ggml/index.ts';
import { attentionGradientTypes, transposedType } from '../../src/main/training/models/number-types.ts';

const device = (isCpu: boolean, ...features: string[]) =>
  ({ isCpu, features: new Set(features) }) as unknown as Device;

test('the gradients of attention are of what the processor is fastest with, unless somebody wants them exact', () => {
  const types = (device: Device, exact = false) => attentionGradientTypes(device, { exact });
  expect(types(device(true, 'AVX2', 'AVX512_BF16'))).toEqual({ values: 'Q8_0', others: 'BF16' });
  expect(types(device(true, 'AVX2', 'AVX512_BF16'), true)).toEqual({ values: 'F32', others: 'F32' });
  expect(types(device(true, 'AVX2'))).toEqual({ values: 'Q8_0', others: 'F32' });
  expect(types(device(false))).toEqual({ values: 'F32', others: 'F32' });
});

test('a transposed copy is of 8 bits beside quantized weights whose columns are whole blocks', () => {
  expect(transposedType({ type: 'Q4_K', shape: [256, 64] }, { exact: false })).toBe('Q8_0');
  expect(transposedType({ type: 'Q8_0', shape: [64, 48] }, { exact: false })).toBe('BF16');
  expect(transposedType({ type: 'F16', shape: [64, 64] }, { exact: false })).toBe('BF16');
  expect(transposedType({ type: 'Q8_0', shape: [64, 64] }, { exact: true })).toBe('F32');
});
