import { rules, type Tape } from './autodiff/index.ts';
import type { Tensor } from '../ggml/index.ts';
import type { LoraTarget } from './messages.ts';
import type { Adapters } from './models/index.ts';
import type { NewParameter, ParameterSet } from './parameters.ts';
import { seededRandom } from './random.ts';

/** The tensors of each target. Some architectures have several in one, which then has one adapter for all. */
const tensorsOf: Record<LoraTarget, readonly string[]> = {
  q: ['attn_q', 'attn_qkv'],
  k: ['attn_k', 'attn_qkv'],
  v: ['attn_v', 'attn_qkv'],
  o: ['attn_output'],
  gate: ['ffn_gate', 'ffn_up'],
  up: ['ffn_up'],
  down: ['ffn_down'],
};

export interface LoraOptions {
  rank: number;
  /** What an adapter adds is multiplied by alpha / rank, or alpha / √rank (https://arxiv.org/abs/2312.03732). */
  alpha: number;
  rankStabilized: boolean;
  targets: readonly LoraTarget[];
}

/** A matrix that gets an adapter: [in, out]. */
export interface AdaptedMatrix {
  name: string;
  shape: readonly [number, number];
}

/** The matrices of a file that get an adapter. */
export function adaptedMatrices(
  tensors: readonly { name: string; shape: readonly number[] }[],
  targets: readonly LoraTarget[],
): AdaptedMatrix[] {
  const names = new Set(tensors.map(({ name }) => name));
  const isFused = (layer: string) => !names.has(`${layer}.ffn_gate.weight`);
  return tensors.flatMap(({ name, shape }) => {
    const [, layer = '', part = ''] = /^(blk\.\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    const [width, height] = shape;
    const wanted = targets.some(
      (target) =>
        tensorsOf[target].includes(part) && (target !== 'gate' || part !== 'ffn_up' || isFused(layer)),
    );
    return wanted && width !== undefined && height !== undefined
      ? [{ name, shape: [width, height] as const }]
      : [];
  });
}

/** The factor of what adapters add. */
export function loraScale({ rank, alpha, rankStabilized }: LoraOptions): number {
  return rankStabilized ? alpha / Math.sqrt(rank) : alpha / rank;
}

/** The parameters of adapters: A [in, rank] and B [rank, out] for each matrix. */
export function loraParameters(matrices: readonly AdaptedMatrix[], rank: number): NewParameter[] {
  return matrices.flatMap(({ name, shape: [width, height] }) => [
    { name: `${name}.lora_a`, shape: [width, rank] },
    { name: `${name}.lora_b`, shape: [rank, height] },
  ]);
}

/**
 * The values that adapters begin with, as PEFT chooses them: A evenly spread over ±1/√in, B zero, so that a new adapter changes
 * nothing. Seeded by tensor, so that the order makes no difference.
 */
export function initialValues(
  { name, shape }: NewParameter,
  index: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, length) => product * length, 1);
  if (name.endsWith('.lora_b')) return new Float32Array(count);
  const random = seededRandom(seed, index);
  const bound = 1 / Math.sqrt(shape[0] ?? 1);
  return Float32Array.from({ length: count }, () => (2 * random.unit() - 1) * bound);
}

/** What a graph needs to put dropout before an adapter; null where there is none. */
export type DropoutMask = ((weight: string, x: Tensor) => Tensor) | null;

/** Low-rank adapters (https://arxiv.org/abs/2106.09685): y + B(A x) · scale. */
export class Lora implements Adapters {
  readonly #modules = new Map<string, { a: Tensor; b: Tensor }>();
  readonly #scale: number;
  readonly #dropout: DropoutMask;

  constructor(parameters: ParameterSet, scale: number, dropout: DropoutMask = null) {
    this.#scale = scale;
    this.#dropout = dropout;
    const byName = new Map(parameters.tensors.map((tensor) => [tensor.name, tensor.value]));
    for (const [name, a] of byName) {
      if (!name.endsWith('.lora_a')) continue;
      const weight = name.slice(0, -'.lora_a'.length);
      const b = byName.get(`${weight}.lora_b`);
      if (b) this.#modules.set(weight, { a, b });
    }
  }

  apply(tape: Tape, weight: string, x: Tensor, y: Tensor): Tensor {
    const module = this.#modules.get(weight);
    if (!module) return y;
    const input = this.#dropout ? tape.apply(rules.mul, x, this.#dropout(weight, x)) : x;
    const low = tape.apply(rules.linear, module.a, input); // [rank, tokens]
    // Scaled while it is narrow.
    const added = tape.apply(rules.linear, module.b, tape.apply(rules.scale(this.#scale), low));
    return tape.apply(rules.add, y, added);
  }
}
