/** Numbers and sizes as the language of the page writes them. */

function format(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(document.documentElement.lang || undefined, options).format(value);
}

/** A count, such as `1,234`. */
export function count(value: number): string {
  return format(value);
}

/** A measured value with as many digits as it is worth: `0.34`, `7.2`, `41`. */
export function measured(value: number): string {
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0;
  return format(value, { maximumFractionDigits: digits });
}

/** A share between 0 and 1, such as `45 %`. */
export function percent(share: number): string {
  return format(share, { style: 'percent', maximumFractionDigits: 0 });
}

/** A number between others, such as a temperature, without rounding what a person chose. */
export function exact(value: number): string {
  return format(value, { maximumFractionDigits: 4 });
}

/** Bytes as `12 kB` or `3.4 MB`. */
export function bytes(value: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  const step = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return format(value / 1000 ** step, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'narrow',
    maximumFractionDigits: step > 1 ? 1 : 0,
  });
}

/** Day and time of day. */
export function moment(time: number): string {
  return new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(time);
}
