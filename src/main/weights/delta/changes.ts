import type { LayerChange } from '../messages.ts';
import type { SaidOfTensors } from '../outputs/tensor-units.ts';

/** Sums over a tensor: of the squares of what was there, of the squares of what was added to it, and of what came out. */
interface Sums {
  before: number;
  change: number;
  total: number;
}

/** Gathers how much each tensor is changed, as far as tensors have been computed. */
export class TensorChanges {
  readonly #sums = new Map<string, Sums>();

  /** Adds a tensor's, or a piece's, sums. */
  add(name: string, { before, change, total = 0 }: Partial<Sums> & Omit<Sums, 'total'>): void {
    const sums = this.#sums.get(name) ?? { before: 0, change: 0, total: 0 };
    this.#sums.set(name, {
      before: sums.before + before,
      change: sums.change + change,
      total: sums.total + total,
    });
  }

  /** A tensor's sums as text, which lasts through a crash as what is said of a tensor; empty where it was not changed. */
  said(name: string): string {
    const sums = this.#sums.get(name);
    // JSON has no NaN.
    return sums ? [sums.before, sums.change, sums.total].join(' ') : '';
  }
}

function sumsIn(said: SaidOfTensors): [string, Sums][] {
  return [...said].flatMap(([name, text]): [string, Sums][] => {
    if (text === '') return [];
    const [before = NaN, change = NaN, total = NaN] = text.split(' ').map(Number);
    return [[name, { before, change, total }]];
  });
}

/** The sum of all weights that came out. */
export function totalIn(said: SaidOfTensors): number {
  return sumsIn(said).reduce((sum, [, { total }]) => sum + total, 0);
}

/** How much each layer is changed: the norm of the change relative to that of the weights before; what is outside of layers last. */
export function changesIn(said: SaidOfTensors): LayerChange[] {
  const byLayer = Map.groupBy(sumsIn(said), ([name]) => layerOf(name));
  return [...byLayer]
    .map(([layer, tensors]) => {
      const before = tensors.reduce((sum, [, sums]) => sum + sums.before, 0);
      const change = tensors.reduce((sum, [, sums]) => sum + sums.change, 0);
      return { layer, change: before > 0 ? Math.sqrt(change / before) : 0 };
    })
    .toSorted((one, other) => (one.layer ?? Infinity) - (other.layer ?? Infinity));
}

/** The number of the layer that a tensor of Hugging Face's name belongs to; null outside of layers. */
export function layerOf(name: string): number | null {
  const number = /^model\.layers\.(\d+)\./.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

/** Sum of squares. */
export function sumOfSquares(floats: Float32Array): number {
  let sum = 0;
  // Ten times faster than for … of.
  for (let index = 0; index < floats.length; index++) sum += (floats[index] ?? 0) ** 2;
  return sum;
}
