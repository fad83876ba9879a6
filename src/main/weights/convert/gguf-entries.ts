import type { GgufValue } from '../formats/gguf.ts';

export type GgufEntry = [key: string, value: GgufValue];

export const text = (value: string): GgufValue => ({ type: 'string', value });
export const texts = (value: readonly string[]): GgufValue => ({ type: 'array', of: 'string', value });
export const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
export const float32 = (value: number): GgufValue => ({ type: 'float32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
