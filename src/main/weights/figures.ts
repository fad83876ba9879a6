/** A large number with its unit, as models are named: `7.2 B`, `110 M`. */
export function count(number: number): string {
  return scaled(number, ['', ' K', ' M', ' B', ' T']);
}

/** Bytes with their unit: `4.1 GB`. */
export function size(bytes: number): string {
  return scaled(bytes, [' B', ' KB', ' MB', ' GB', ' TB']);
}

/** Three digits at most, in steps of a thousand. */
function scaled(number: number, units: string[]): string {
  const step = Math.min(units.length - 1, number < 1 ? 0 : Math.floor(Math.log10(number) / 3));
  return `${Number((number / 1000 ** step).toPrecision(3))}${units[step]}`;
}
