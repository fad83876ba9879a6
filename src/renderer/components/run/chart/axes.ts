/** Room above and below the curves, as a share of their height. */
const room = 0.08;

/** What a chart shows of losses between two values: a little more, never below 0, and something where all are the same. */
export function lossRange(least: number | null, most: number | null): [number, number] {
  if (least === null || most === null) return [0, 1];
  const height = most - least || Math.abs(most) || 1;
  return [Math.max(0, least - height * room), most + height * room];
}

/** Digits behind the point that tell apart numbers which are so far from each other. */
export function digitsFor(increment: number): number {
  if (!(increment > 0)) return 0;
  // 0.25 needs two digits, though it is more than 0.1.
  const digits = Math.max(0, Math.ceil(-Math.log10(increment) - 1e-9));
  const shown = increment * 10 ** digits;
  return Math.abs(shown - Math.round(shown)) > 1e-6 ? digits + 1 : digits;
}

/** Where the value of a curve that is nearest to a place stands; null where there is none at all. */
export function nearest(values: ArrayLike<number | null | undefined>, at: number): number | null {
  for (let away = 0; away < values.length; away++) {
    for (const index of [at - away, at + away]) {
      if (typeof values[index] === 'number') return index;
    }
  }
  return null;
}

/** Part of what is shown, so many times narrower (or wider, below 1), around a value that stays where it is; within limits. */
export function zoomed(
  [from, to]: readonly [number, number],
  times: number,
  around: number,
  [least, most]: readonly [number, number],
): [number, number] {
  const start = Math.max(least, around - (around - from) / times);
  const end = Math.min(most, around + (to - around) / times);
  return [start, end];
}
