import { seededRandom } from '../../src/main/training/random.ts';

/** Draws by a seed. */
export class Draw {
  readonly #random;

  constructor(...seeds: readonly number[]) {
    this.#random = seededRandom(...seeds);
  }

  /** At least 0, less than 1. */
  unit(): number {
    return this.#random.unit();
  }

  /** A whole number of at least 0, less than `limit`. */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  chance(probability: number): boolean {
    return this.#random.unit() < probability;
  }

  /** One of them. Errors: there is none. */
  of<Element>(elements: readonly Element[]): Element {
    const index = this.below(elements.length);
    if (index >= elements.length) throw new Error('There is nothing to draw from.');
    return elements[index] as Element;
  }

  /** One of them, the likelier the larger its weight. */
  weighted<Element>(elements: readonly Element[], weight: (element: Element) => number): Element {
    let left = this.#random.unit() * elements.reduce((sum, element) => sum + weight(element), 0);
    return elements.find((element) => (left -= weight(element)) < 0) ?? this.of(elements);
  }
}
