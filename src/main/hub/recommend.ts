import { totalmem } from 'node:os';
import type { GgufModel, GgufRepository } from './gguf-files.ts';

/** Small, quick, and hardly to be told from the whole model: what llama.cpp's own tables recommend. */
const preferred = 'Q4_K_M';

/**
 * The quantization for somebody who names none: Q4_K_M, or else the one nearest to it in bits per weight, of those that fit into the
 * memory. Where none fits, the smallest one. Null where there is no model.
 */
export function recommend(
  { groups }: Pick<GgufRepository, 'groups'>,
  fits: (model: GgufModel) => boolean = ({ bytes }) => fitsMemory(bytes),
): GgufModel | null {
  const models = groups.flatMap((group) => group.models);
  const fitting = models.filter((model) => fits(model));
  const [best] = fitting.toSorted((one, other) => distance(one) - distance(other) || other.bytes - one.bytes);
  return best ?? models.toSorted((one, other) => one.bytes - other.bytes)[0] ?? null;
}

/** Context and everything else beside the weights, in bytes: what a chat of some thousand tokens takes. */
const besideWeights = 0.75e9;
/** The system and other programs need the rest. */
const usableShare = 0.8;

/** Whether weights of so many bytes can be chatted with on this machine; a guess from the size alone. */
export function fitsMemory(bytes: number, memory = totalmem()): boolean {
  return bytes + besideWeights <= memory * usableShare;
}

function distance({ quantization }: GgufModel): number {
  if (quantization === preferred) return -1;
  return quantization === null ? Infinity : Math.abs(bitsOf(quantization) - bitsOf(preferred));
}

/** What the letters add to the number of bits, roughly. */
const added: Record<string, number> = {
  ...{ XXS: 0.1, XS: 0.3, S: 0.45, M: 0.85, L: 1, XL: 1, NL: 0.5, P: 0.9, K: 0.6 },
  ...{ '0': 0.5, '1': 1 },
};

/** Bits per weight of a quantization, near enough to put them in order. */
function bitsOf(quantization: string): number {
  const name = quantization.replace(/^UD-/, '');
  if (name === 'F32') return 32;
  if (/16$/.test(name)) return 16;
  if (/FP4/.test(name)) return 4.25;
  const bits = Number(/\d/.exec(name)?.[0] ?? 16);
  const last = name.split('_').slice(1).at(-1);
  return bits + (last === undefined ? 0 : (added[last] ?? 0));
}
