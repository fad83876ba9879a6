import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pack, type Sample, shuffled } from '../../src/main/training/batches.ts';
import { defaultTrainingSettings } from '../../src/main/training/messages.ts';
import { Plan, splitValidation } from '../../src/main/training/plan.ts';
import { seededRandom } from '../../src/main/training/random.ts';
import { learningRate } from '../../src/main/training/schedule.ts';

const length = 16;
const samples = fc.array(
  fc.array(fc.record({ token: fc.integer({ min: 1, max: 999 }), learnt: fc.boolean() }), {
    ...{ minLength: 1, maxLength: length },
  }),
  { minLength: 1, maxLength: 40 },
);
const sampleOf = (parts: { token: number; learnt: boolean }[]): Sample => ({
  tokens: parts.map(({ token }) => token),
  learnt: parts.map(({ learnt }) => learnt),
});

describe('packing', () => {
  test('keeps every sample whole and apart, and tells what follows each token that is learnt', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const found: Sample[] = [];
        for (const sequence of pack(all.map(sampleOf), length)) {
          for (let start = 0; start < sequence.usedTokens;) {
            let end = start + 1;
            while (end < sequence.usedTokens && sequence.sampleStarts[end] === start) end++;
            const places = Array.from({ length: end - start }, (_, index) => start + index);
            expect(places.map((at) => sequence.positions[at])).toEqual(places.map((at) => at - start));
            const tokens = places.map((at) => sequence.tokens[at] ?? 0);
            // A token is learnt where the one before it says so; the first one never is.
            const learnt = places.map((at) => at > start && sequence.learnt[at - 1] === 1);
            places.forEach(
              (at) => sequence.learnt[at] && expect(sequence.labels[at]).toBe(sequence.tokens[at + 1]),
            );
            found.push({ tokens, learnt });
            start = end;
          }
        }
        const key = ({ tokens, learnt }: Sample) =>
          JSON.stringify([tokens, learnt.map((is, index) => is && index > 0)]);
        expect(found.map(key).sort()).toEqual(all.map(sampleOf).map(key).sort());
      }),
      { seed: 5 },
    );
  });

  test('leaves less than half empty, but for one sequence', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const sparse = pack(all.map(sampleOf), length).filter(({ usedTokens }) => usedTokens <= length / 2);
        expect(sparse.length).toBeLessThanOrEqual(1);
      }),
      { seed: 6 },
    );
  });
});

describe('a plan', () => {
  const many = Array.from({ length: 50 }, (_, index): Sample => ({
    tokens: [index, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    learnt: new Array<boolean>(10).fill(true),
  }));
  const settings = { ...defaultTrainingSettings, batch: 4, epochs: 2, context: 32, validation: 0.2 };

  test('reads everything once an epoch, in another order each time, the same for the same seed', () => {
    const plan = new Plan(many, [], settings);
    const epoch = (first: number) =>
      Array.from({ length: plan.stepsPerEpoch }, (_, index) => plan.batch(first + index)).flat();
    expect(plan.steps).toBe(2 * plan.stepsPerEpoch);
    expect(new Set(epoch(1))).toEqual(new Set(plan.sequences));
    expect(epoch(1)).toHaveLength(plan.sequences.length);
    expect(epoch(1 + plan.stepsPerEpoch)).not.toEqual(epoch(1));
    expect(new Plan(many, [], settings).batch(7)).toEqual(plan.batch(7));
    expect(new Plan(many, [], { ...settings, seed: 2 }).batch(7)).not.toEqual(plan.batch(7));
  });

  test('puts a share aside to measure on, but never all', () => {
    const { learnt, measured } = splitValidation(many, settings);
    expect([learnt.length, measured.length]).toEqual([40, 10]);
    expect(new Set([...learnt, ...measured])).toEqual(new Set(many));
    expect(splitValidation(many.slice(0, 1), settings).learnt).toHaveLength(1);
  });

  test('is no longer than the data', () => {
    expect(new Plan(many.slice(0, 2), [], { ...settings, context: 512 }).length).toBe(32);
  });
});

test('A learning rate rises during the warm-up, and falls along its schedule', () => {
  const rates = (kind: 'constant' | 'linear' | 'cosine') =>
    Array.from({ length: 12 }, (_, index) =>
      learningRate({ kind, peak: 1, warmup: 2, steps: 12 }, index + 1),
    );
  expect(rates('constant')).toEqual([0.5, ...new Array<number>(11).fill(1)]);
  expect(rates('linear').slice(0, 4)).toEqual([0.5, 1, 1, 0.9]);
  expect(rates('linear').at(-1)).toBeCloseTo(0.1);
  expect(rates('cosine')[7]).toBeCloseTo(0.5);
  expect(rates('cosine').at(-1)).toBeGreaterThan(0);
});

test('A shuffled list has the same elements', () => {
  const list = Array.from({ length: 100 }, (_, index) => index);
  const mixed = shuffled(list, seededRandom(4));
  expect(mixed).not.toEqual(list);
  expect(mixed.toSorted((one, other) => one - other)).toEqual(list);
});
