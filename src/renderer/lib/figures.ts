import { locale } from './i18n.svelte.ts';

/** Bytes as people read them: `4.4 GB`. Powers of ten, as disks and hubs count. */
export function bytes(count: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** power;
  const unit = units[power] ?? 'byte';
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit,
    // The short form of a byte is a word, too, which English then leaves in the singular.
    unitDisplay: unit === 'byte' ? 'long' : 'short',
    maximumFractionDigits: value < 10 && power > 1 ? 1 : 0,
  }).format(value);
}

/** A number of weights as model cards give it: `7.2B`, in every language. */
export function parameters(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(count);
}

export function whole(count: number): string {
  return new Intl.NumberFormat(locale()).format(count);
}

/** A share between 0 and 1. Rounded down: 100% is when it is there. */
export function percent(share: number): string {
  return new Intl.NumberFormat(locale(), { style: 'percent' }).format(Math.floor(share * 100) / 100);
}

/** The strength of an adapter. */
export function scale(value: number): string {
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
    value,
  );
}

/** How long something takes, as people say it: `2 min`, or in a sentence `2 minutes`. */
export function duration(seconds: number, unitDisplay: 'short' | 'long' = 'short'): string {
  const [value, unit] =
    seconds < 90 ? [seconds, 'second'] : seconds < 5400 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit,
    unitDisplay,
    maximumFractionDigits: unit === 'hour' ? 1 : 0,
  }).format(Math.max(1, value));
}

/** A share that may be very small, such as how much weights were changed: `0.34%`. */
export function fineShare(share: number): string {
  return new Intl.NumberFormat(locale(), { style: 'percent', maximumSignificantDigits: 2 }).format(share);
}
