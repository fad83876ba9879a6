import { describe, expect, it } from 'vitest';
import {
  endOf,
  gather,
  isContiguous,
  overlapsItself,
  type Strided,
} from '../../src/main/weights/formats/strided.ts';
import { seededRandom, type SeededRandom } from '../support/tiny-random.ts';

/** Places in the storage of a view's numbers row by row, by counting through all indices. */
function placesOf({ offset, shape, strides }: Strided): number[] {
  let places = [offset];
  for (const [dimension, length] of shape.entries()) {
    const stride = strides[dimension] ?? 0;
    places = places.flatMap((place) => Array.from({ length }, (_, index) => place + index * stride));
  }
  return places;
}

/** A view that PyTorch could have made: of a whole, with steps, cuts, and its dimensions in another order. */
function randomView(random: SeededRandom): Strided {
  const steps: { length: number; stride: number }[] = [];
  let stride = 1 + random.below(3);
  for (let dimension = random.below(5); dimension > 0; dimension--) {
    const length = random.below(6);
    const expanded = random.below(6) === 0;
    steps.splice(random.below(steps.length + 1), 0, { length, stride: expanded ? 0 : stride });
    if (!expanded) stride *= Math.max(length, 1) + random.below(3);
  }
  return {
    offset: random.below(5),
    shape: steps.map((step) => step.length),
    strides: steps.map((step) => step.stride),
  };
}

async function gathered(view: Strided, bytes: 1 | 2 | 4 | 8): Promise<{ actual: Buffer; expected: Buffer }> {
  const storage = Buffer.alloc(endOf(view) * bytes);
  for (let at = 0; at < storage.length; at++) storage[at] = (at * 151) >>> (at % 7);
  let reached = 0;
  const actual = await gather(view, bytes, async (target, offset) => {
    // Once from front to back, and nothing beyond the last number.
    expect(offset).toBeGreaterThanOrEqual(reached);
    reached = offset + target.byteLength;
    expect(reached).toBeLessThanOrEqual(storage.byteLength);
    target.set(storage.subarray(offset, reached));
  });
  const expected = Buffer.concat(
    placesOf(view).map((place) => storage.subarray(place * bytes, (place + 1) * bytes)),
  );
  return { actual: Buffer.from(actual), expected };
}

describe('a view of a storage', () => {
  it.each([1, 2, 4, 8] as const)('of numbers of %d bytes is gathered row by row', async (bytes) => {
    const random = seededRandom(bytes);
    let strided = 0;
    for (let round = 0; round < 300; round++) {
      const view = randomView(random);
      if (!isContiguous(view)) strided++;
      const { actual, expected } = await gathered(view, bytes);
      expect(actual.equals(expected), JSON.stringify(view)).toBe(true);
    }
    expect(strided).toBeGreaterThan(100);
  });

  it('that is larger than what is read at once is gathered, too', async () => {
    // Two megabytes and more; columns, whose neighbours are far apart.
    for (const view of [
      { offset: 3, shape: [7, 3, 1000], strides: [1, 700_000, 70 * 10] },
      { offset: 0, shape: [5, 300_000], strides: [0, 4] },
    ]) {
      const { actual, expected } = await gathered(view, 2);
      expect(actual.equals(expected)).toBe(true);
    }
  });

  it('is contiguous exactly if its numbers follow each other', () => {
    const random = seededRandom(5);
    const counts = { yes: 0, no: 0 };
    for (let round = 0; round < 500; round++) {
      const view = randomView(random);
      const follow = placesOf(view).every((place, index) => place === view.offset + index);
      counts[follow ? 'yes' : 'no']++;
      expect(isContiguous(view), JSON.stringify(view)).toBe(follow);
    }
    expect(Math.min(counts.yes, counts.no)).toBeGreaterThan(50);
  });

  it.each<[shape: number[], strides: number[], overlaps: boolean]>([
    [[3, 2], [1, 1], true],
    [[2, 3], [2, 1], true],
    [[2, 3], [3, 1], false],
    [[3, 2], [1, 3], false],
    [[4, 2], [0, 1], false],
    [[0, 2], [1, 1], false],
    [[1, 1], [1, 1], false],
  ])('of shape %j with strides %j overlaps itself: %j', (shape, strides, overlaps) => {
    expect(overlapsItself({ offset: 0, shape, strides })).toBe(overlaps);
  });
});
