/** The value that is there most often; of several, the first. */
export function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most] = [...counts].toSorted((one, other) => other[1] - one[1]);
  return most?.[0] ?? 0;
}

/** Files keep alphas as 32-bit floats: what differs by less than their rounding is the same. */
const rounding = 1e-6;

export function nearly(one: number, other: number): boolean {
  return Math.abs(one - other) <= rounding * Math.max(Math.abs(one), Math.abs(other));
}
