import { describe, expect, test } from 'vitest';
import { refuseIfTooLarge } from '../../src/main/training/memory.ts';
import { isCopied } from '../../src/main/training/trainer.ts';
import { PunaError } from '../../src/shared/error.ts';

describe('What needs more memory than there is', () => {
  const refusal = (needed: number, free: number, limited = false) => {
    try {
      refuseIfTooLarge(needed, free, { device: 'CPU', limited, smaller: () => 'Choose a smaller model.' });
    } catch (thrown) {
      return PunaError.from(thrown);
    }
    return null;
  };

  test.each([
    [1_000_001, 1_000_000],
    [980_000, 1_000_000],
    [8_040_000_000, 8_050_000_000],
    [5_000_000, 1],
  ])('is told with figures that show it: %i of %i', (needed, free) => {
    const { message = '' } = refusal(needed, free) ?? {};
    const found = /^Training needs ([\d.]+) [MG]B on CPU, .+ the ([\d.]+) [MG]B that it may take\.$/.exec(
      message,
    );
    expect(Number(found?.[1])).toBeGreaterThan(Number(found?.[2]));
  });

  test('is not told of what fits', () => {
    expect(refusal(900_000, 1_000_000)).toBeNull();
  });

  test('is due to the person’s own limit where there is one', () => {
    expect(refusal(2e9, 1e9)?.remedy).toBe('Choose a smaller model.');
    expect(refusal(2e9, 1e9, true)?.remedy).toBe(
      'Allow it more memory, or make do with less: choose a smaller model.',
    );
  });
});

test('Copies for samples come every so many steps, but not shortly before the end', () => {
  const copies = (every: number | null, steps: number) =>
    Array.from({ length: steps }, (_, index) => index + 1).filter((step) => isCopied(step, every, steps));
  expect(copies(19, 96)).toEqual([19, 38, 57, 76]);
  expect(copies(19, 95)).toEqual([19, 38, 57, 76, 95]);
  expect(copies(4, 10)).toEqual([4, 8]);
  expect(copies(null, 10)).toEqual([]);
});
