import type { LayerChange } from '../messages.ts';

/** Sums of squares of what was there, and of what was added to it. */
interface Sums {
  before: number;
  change: number;
}

/** Gathers how much each layer is changed: the norm of the change relative to that of the weights before. */
export class LayerChanges {
  readonly #sums = new Map<number | null, Sums>();

  /** Adds a tensor's, or a piece's, sums of squares. */
  add(name: string, { before, change }: Sums): void {
    const layer = layerOf(name);
    const sums = this.#sums.get(layer) ?? { before: 0, change: 0 };
    this.#sums.set(layer, { before: sums.before + before, change: sums.change + change });
  }

  /** By layer, what is outside of layers last. */
  list(): LayerChange[] {
    return [...this.#sums]
      .map(([layer, { before, change }]) => ({ layer, change: before > 0 ? Math.sqrt(change / before) : 0 }))
      .toSorted((one, other) => (one.layer ?? Infinity) - (other.layer ?? Infinity));
  }
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
