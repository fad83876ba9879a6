import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defaultTrainingSettings,
  type Pair,
  trainingSettingsSchema,
} from '../../src/shared/contract/index.ts';
import { digitsFor, lossRange, nearest, zoomed } from '../../src/renderer/components/run/chart/axes.ts';
import { aligned, type Curve, readingAt } from '../../src/renderer/components/run/chart/curve.ts';
import { smoothed, thinned } from '../../src/renderer/components/run/chart/smoothing.ts';
import { differingSettings, sameSettings } from '../../src/renderer/components/run/compare.ts';
import { tallyOf } from '../../src/renderer/components/run/pairs.ts';
import {
  beforeAndAfter,
  bestOf,
  keptOf,
  runAtWork,
  shareOf,
  verdictOf,
} from '../../src/renderer/components/run/progress.ts';
import { type Field, fieldGroups } from '../../src/renderer/components/run/settings-fields.ts';
import { settingText } from '../../src/renderer/components/run/settings-words.ts';
import { sentenceOf } from '../../src/renderer/components/run/suggestion-words.ts';
import { perplexityText, rateText } from '../../src/renderer/components/run/words.ts';
import { ageText } from '../../src/renderer/lib/age.ts';
import { duration } from '../../src/renderer/lib/figures.ts';

const points = (losses: number[], every = 1) =>
  losses.map((loss, index) => ({ step: (index + 1) * every, loss }));
const losses = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('the course of losses', () => {
  test('is the weighted mean that its sentence describes', () => {
    const [, second] = smoothed(points([8, 4, 2], 10), 1);
    // 10 steps away at a half-life of 1 count 1/1024.
    const far = 2 ** -10;
    expect(second?.loss).toBeCloseTo((8 * far + 4 + 2 * far) / (1 + 2 * far), 12);
  });

  test('stays between the least and the most, at the same steps, and leaves what is even as it is', () => {
    fc.assert(
      fc.property(losses, fc.integer({ min: 1, max: 50 }), (given, halfLife) => {
        const course = smoothed(points(given), halfLife);
        expect(course.map(({ step }) => step)).toEqual(given.map((_, index) => index + 1));
        for (const { loss } of course) {
          expect(loss).toBeGreaterThanOrEqual(Math.min(...given) - 1e-9);
          expect(loss).toBeLessThanOrEqual(Math.max(...given) + 1e-9);
        }
      }),
    );
    for (const { loss } of smoothed(points([3, 3, 3, 3]), 2)) expect(loss).toBeCloseTo(3, 12);
  });

  test('takes most of the noise away, and does not lag behind a line', () => {
    const line = Array.from({ length: 101 }, (_, index) => 10 - index / 20);
    const noisy = line.map((loss, index) => loss + (index % 2 ? 1 : -1));
    const course = smoothed(points(noisy), 4);
    for (const { step, loss } of course.slice(30, 70)) {
      expect(Math.abs(loss - (line[step - 1] ?? NaN))).toBeLessThan(0.1);
    }
  });

  test('begins where the losses begin, however steeply they fall', () => {
    const [first] = smoothed(points([10, 2, 0.5, ...Array.from({ length: 300 }, () => 0.1)]), 5);
    expect(first?.loss).toBeCloseTo(10, 1);
  });

  test('is thinned evenly, with its first and its last point', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 2, max: 40 }), (count, most) => {
        const all = Array.from({ length: count }, (_, index) => index);
        const few = thinned(all, most);
        expect(few).toHaveLength(Math.min(count, most));
        expect([few[0], few.at(-1)]).toEqual([all[0], all.at(-1)]);
        expect(new Set(few).size).toBe(few.length);
      }),
    );
  });
});

describe('the axes of a chart', () => {
  test('have as many digits as tell their numbers apart, and no more', () => {
    expect([1, 2, 50, 0.5, 0.25, 0.1, 0.05, 0.025, 0.001].map(digitsFor)).toEqual([
      0, 0, 0, 1, 2, 1, 2, 3, 3,
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 2.5, 5),
        fc.integer({ min: -5, max: 3 }),
        fc.integer({ min: 0, max: 40 }),
        (first, power, at) => {
          const increment = first * 10 ** power;
          const digits = digitsFor(increment);
          expect(Number((at * increment).toFixed(digits))).toBeCloseTo(at * increment, 9);
        },
      ),
    );
  });

  test('show all losses with some room, and never less than nothing', () => {
    expect(lossRange(null, null)).toEqual([0, 1]);
    const [from, to] = lossRange(2, 4);
    expect(from).toBeLessThan(2);
    expect(to).toBeGreaterThan(4);
    expect(lossRange(0.01, 4)[0]).toBe(0);
    const [low, high] = lossRange(3, 3);
    expect(high - low).toBeGreaterThan(0);
  });

  test('zoom around a value that stays where it is, and not beyond the ends', () => {
    expect(zoomed([0, 100], 2, 50, [0, 100])).toEqual([25, 75]);
    expect(zoomed([25, 75], 1 / 2, 50, [0, 100])).toEqual([0, 100]);
    expect(zoomed([40, 60], 1 / 8, 60, [0, 100])).toEqual([0, 60]);
  });

  test('read what is nearest where a curve has no point', () => {
    const curve = (key: string, given: [number, number][]): Curve => ({
      ...{ key, label: key, colour: 1, look: 'line' },
      points: given.map(([step, loss]) => ({ step, loss })),
    });
    const data = aligned([
      curve('loss', [
        [1, 5],
        [2, 4],
        [3, 3],
      ]),
      curve('held out', [
        [0, 6],
        [3, 2],
      ]),
    ]);
    expect(data[0]).toEqual([0, 1, 2, 3]);
    expect(readingAt(data, 2)).toEqual({ step: 2, losses: [4, 2] });
    expect(readingAt(data, 0)).toEqual({ step: 0, losses: [5, 6] });
    expect(readingAt(data, 4)).toBeNull();
    expect(nearest([null, undefined], 1)).toBeNull();
  });
});

describe('every setting of a run', () => {
  const fields = fieldGroups.flatMap((group): readonly Field[] => group.fields);

  test('can be changed in the form, once, but for what the dataset says', () => {
    const known = Object.keys(trainingSettingsSchema.shape).filter((key) => key !== 'validation');
    expect(fields.map(({ key }) => key).toSorted()).toEqual(known.toSorted());
  });

  test('takes what the contract takes: the ends of each field, its choices, and nothing where it may be empty', () => {
    const { shape } = trainingSettingsSchema;
    for (const field of fields) {
      const accepts = (value: unknown) => shape[field.key].safeParse(value).success;
      if (field.kind === 'number' || field.kind === 'optional') {
        const unit = field.unit ?? 1;
        expect([field.key, accepts(field.max * unit)]).toEqual([field.key, true]);
        // An end that is not reached, as that of the longest gradient, is refused by the contract in words.
        if (field.key !== 'clip') expect([field.key, accepts(field.min * unit)]).toEqual([field.key, true]);
        expect([field.key, accepts(null)]).toEqual([field.key, field.kind === 'optional']);
      }
      if (field.kind === 'choice') expect(field.choices.every(accepts)).toBe(true);
    }
  });

  test('is told in words', () => {
    const told = fields.map(({ key }) => settingText(defaultTrainingSettings, key));
    expect(told.every((text) => text !== '' && !text.includes('runs.'))).toBe(true);
    expect(settingText({ ...defaultTrainingSettings, memoryLimit: 2e9 }, 'memoryLimit')).toBe('2 GB');
    expect(settingText(defaultTrainingSettings, 'learningRate')).toBe('2e-4');
  });

  test('is compared by its value', () => {
    const other = { ...defaultTrainingSettings, rank: 64, targets: [...defaultTrainingSettings.targets] };
    expect(sameSettings(defaultTrainingSettings, { ...other, rank: 16 })).toBe(true);
    expect(differingSettings([{ settings: defaultTrainingSettings }, { settings: other }])).toEqual(['rank']);
    expect(differingSettings([])).toEqual([]);
  });
});

describe('what a run has come to', () => {
  const validation = (...given: [number, number][]) =>
    given.map(([step, loss]) => ({ step, loss, best: false }));

  test('is measured before it learnt anything, and where it was best afterwards', () => {
    const measured = beforeAndAfter(validation([0, 3], [10, 2], [20, 1.5], [30, 1.8]));
    expect(measured).toMatchObject({ before: { step: 0, loss: 3 }, after: { step: 20, loss: 1.5 } });
    // What has become worse is told by what was kept of it, not by the base.
    expect(keptOf(validation([0, 1], [10, 2], [20, 1.5]))).toMatchObject({ step: 20 });
    expect(beforeAndAfter(validation([10, 2]))).toBeNull();
    expect(beforeAndAfter(validation([0, 2]))).toBeNull();
    expect(bestOf([])).toBeNull();
  });

  test('is said to be worse where it is worse, and the same where nobody would notice', () => {
    const verdict = (before: number, after: number) =>
      verdictOf({ before: { step: 0, loss: before }, after: { step: 9, loss: after } });
    expect([verdict(3, 2), verdict(3, 2.99), verdict(3, 3.01), verdict(3, 3.2)]).toEqual([
      'better',
      'same',
      'same',
      'worse',
    ]);
  });

  test('is counted of blind pairs by what was taught, on whichever side it stood', () => {
    const pair = (taught: Pair['taught'], choice: Pair['choice']): Pair => ({
      ...{ prompt: '', left: 'one', right: 'other', taught, choice },
    });
    const pairs = [
      ...[pair('left', 'left'), pair('right', 'right'), pair('left', 'right'), pair('right', 'same')],
      pair('left', null),
      // Nobody has chosen between these.
      { ...pair('left', 'same'), right: 'one' },
    ];
    expect(tallyOf(pairs)).toEqual({ judged: 4, taught: 2, base: 1, same: 1, identical: 1 });
  });

  test('is a share of its steps, also where it went on from a checkpoint', () => {
    const plan = { steps: 200, doneSteps: 50 } as never;
    expect(shareOf({ plan: null, step: null })).toBeNull();
    expect(shareOf({ plan, step: null })).toBe(0.25);
    expect(shareOf({ plan, step: { step: 100 } as never })).toBe(0.5);
    const run = (state: string) => ({ state }) as never;
    expect(runAtWork([run('waiting'), run('paused'), run('done')])).toEqual({ state: 'paused' });
    expect(runAtWork([run('waiting'), run('failed')])).toBeNull();
  });
});

describe('the words of teaching', () => {
  test('tell in one sentence what Puna chose', () => {
    const suggestion = {
      ...{ settings: defaultTrainingSettings, examples: 420, validationExamples: 42, tokens: 1, steps: 1260 },
      ...{ seconds: 240, bytes: 1.2e9, freeBytes: 8e9, fits: true, warnings: [] },
    };
    expect(sentenceOf(suggestion)).toBe(
      'Rank 16, 3 times through 420 examples: about 4 minutes and 1.2 GB; 42 examples are kept to measure on.',
    );
    const settings = { ...defaultTrainingSettings, steps: 100, trained: 'all' as const };
    expect(sentenceOf({ ...suggestion, settings, steps: 100, validationExamples: 0, seconds: null })).toBe(
      'All weights, 100 steps over 420 examples: a time that shows once it runs and 1.2 GB.',
    );
    const once = { ...defaultTrainingSettings, epochs: 1 };
    expect(sentenceOf({ ...suggestion, settings: once, examples: 1, validationExamples: 1 })).toContain(
      'once through 1 example: about 4 minutes and 1.2 GB; 1 example is kept',
    );
  });

  test('write small rates, perplexities, times and ages as people do', () => {
    expect([0.002, 2e-4, 1.5e-5, 0, 1].map(rateText)).toEqual(['0.002', '2e-4', '1.5e-5', '0', '1']);
    expect(perplexityText(Math.log(12.345))).toBe('12.3');
    expect([1, 240, 7200].map((seconds) => duration(seconds, 'long'))).toEqual([
      '1 second',
      '4 minutes',
      '2 hours',
    ]);
    const now = Date.UTC(2026, 10, 25);
    expect(ageText(now - 5000, now)).toBe('just now');
    // The clock of the page goes on once a minute.
    expect(ageText(now + 5000, now)).toBe('just now');
    expect(ageText(now - 3 * 60_000, now)).toBe('3 minutes ago');
    expect(ageText(now - 26 * 3600_000, now)).toBe('yesterday');
    expect(ageText(now - 30 * 86_400_000, now)).toMatch(/2026/);
  });
});
