import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BandwidthLimit } from '../../src/main/downloads/bandwidth.ts';
import { Claims } from '../../src/main/downloads/claims.ts';
import { Ranges } from '../../src/main/downloads/ranges.ts';
import { retryAfterMs } from '../../src/main/downloads/retry.ts';

describe('Ranges', () => {
  const total = 40;
  const stretch = fc
    .tuple(fc.nat(total), fc.nat(total))
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);

  test('know of every byte whether it is there, in whatever order it came', () => {
    fc.assert(
      fc.property(fc.array(stretch), fc.nat(total), (stretches, cut) => {
        const ranges = new Ranges(stretches);
        ranges.cut(cut);
        const bytes = Array.from(
          { length: total },
          (_, at) => at < cut && stretches.some(([start, end]) => at >= start && at < end),
        );
        const inside = (list: readonly (readonly [number, number])[]) =>
          Array.from({ length: total }, (_, at) => list.some(([start, end]) => at >= start && at < end));
        expect(inside(ranges.list())).toEqual(bytes);
        expect(inside(ranges.missing(total))).toEqual(bytes.map((there) => !there));
        expect(ranges.bytes).toBe(bytes.filter(Boolean).length);
        const gap = bytes.indexOf(false);
        expect(ranges.prefix).toBe(gap < 0 ? total : gap);
        // Neither touching nor overlapping.
        const flat = ranges.list().flat();
        expect(flat).toEqual([...new Set(flat)].toSorted((one, other) => one - other));
      }),
    );
  });
});

describe('Claims', () => {
  test('hand out every missing byte once, from the beginning', () => {
    const claims = new Claims(
      [
        [0, 10],
        [15, Infinity],
      ],
      4,
    );
    const taken = [claims.take()];
    claims.endAt(22, 6);
    for (let claim = claims.take(); claim; claim = claims.take()) taken.push(claim);
    expect(taken.map((claim) => [claim?.position, claim?.end])).toEqual([
      [0, 4],
      [4, 10],
      [15, 21],
      [21, 22],
    ]);
  });
});

describe('A bandwidth limit', () => {
  function clock() {
    let time = 1000;
    return {
      now: () => time,
      wait: (ms: number) => {
        time += ms;
        return Promise.resolve();
      },
    };
  }

  test('lets through as much as it says, for all that share it', async () => {
    const time = clock();
    const limit = new BandwidthLimit(1000, time);
    for (let piece = 0; piece < 20; piece++) {
      await limit.take(300);
      await limit.take(200);
    }
    // 10,000 bytes at 1000 in a second, but for what may be taken at once.
    expect(time.now() - 1000).toBeGreaterThanOrEqual(9_700);
    expect(time.now() - 1000).toBeLessThanOrEqual(10_000);
  });

  test('does not save up what was not taken', async () => {
    const time = clock();
    const limit = new BandwidthLimit(1000, time);
    await time.wait(60_000);
    const before = time.now();
    await limit.take(5000);
    expect(time.now() - before).toBeGreaterThanOrEqual(4_500);
  });

  test('can be changed and taken away while it is used', async () => {
    const time = clock();
    const limit = new BandwidthLimit(1, time);
    limit.bytesPerSecond = null;
    await limit.take(1e12);
    expect(time.now()).toBe(1000);
  });
});

test.each([
  ['120', 120_000],
  ['0', 0],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 60_000],
  ['Wed, 21 Oct 2015 07:00:00 GMT', 0],
  ['soon', undefined],
  ['', undefined],
])('Retry-After: %s', (value, ms) => {
  expect(retryAfterMs({ 'retry-after': value }, Date.UTC(2015, 9, 21, 7, 27))).toBe(ms);
});
