export function median(values: number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of the values lies, the nearest one that there is. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
