import { describe, expect, test } from 'vitest';
import { Reservoir } from '../../src/main/datasets/reservoir.ts';

/** Which of so many items are kept, by place. */
function sample(items: number, places: number, seed: number): number[] {
  const reservoir = new Reservoir(places, seed);
  const kept: number[] = [];
  for (let item = 0; item < items; item++) {
    const slot = reservoir.slot();
    if (slot !== null) kept[slot] = item;
  }
  expect(reservoir.seen).toBe(items);
  return kept;
}

describe('A reservoir', () => {
  test('keeps everything while there is room, in order', () => {
    expect(sample(5, 5, 1)).toEqual([0, 1, 2, 3, 4]);
    expect(sample(3, 5, 1)).toEqual([0, 1, 2]);
  });

  test('keeps as many as it has places, none twice, and the same for the same seed', () => {
    const kept = sample(1000, 20, 7);
    expect(new Set(kept).size).toBe(20);
    expect(sample(1000, 20, 7)).toEqual(kept);
    expect(sample(1000, 20, 8)).not.toEqual(kept);
  });

  test('keeps each item equally often, wherever it stands', () => {
    const [items, places, rounds] = [40, 8, 4000];
    const counts = new Array<number>(items).fill(0);
    for (let seed = 0; seed < rounds; seed++) {
      for (const item of sample(items, places, seed)) counts[item] = (counts[item] ?? 0) + 1;
    }
    const expected = (rounds * places) / items;
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Of 39 degrees of freedom; by chance one in a thousand is greater than 72. A reservoir that favours early or late items by
    // a tenth is far beyond.
    expect(chiSquared).toBeLessThan(72);
  });

  test('has nothing to give without places', () => {
    expect(sample(10, 0, 1)).toEqual([]);
  });
});
