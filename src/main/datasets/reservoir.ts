import { seededRandom, type SeededRandom } from '../training/random.ts';

/**
 * So many examples of a source are kept; of more, an even sample. Reading all of them once takes the trainer of an ordinary
 * computer weeks, and their table still answers at once.
 */
export const mostExamples = 200_000;

/**
 * An even sample of a stream of unknown length (Vitter's algorithm R): after any number of items each of them is kept with the
 * same probability. It holds no items, but tells where they go. The same seed gives the same places.
 */
export class Reservoir {
  readonly #places: number;
  readonly #random: SeededRandom;
  /** Items so far. */
  seen = 0;

  constructor(places: number, seed: number) {
    this.#places = places;
    this.#random = seededRandom(seed, places);
  }

  /** Where the next item goes, replacing what is there; null: nowhere. */
  slot(): number | null {
    const item = this.seen++;
    if (item < this.#places) return item;
    const place = this.#random.below(this.seen);
    return place < this.#places ? place : null;
  }
}
