import { locale } from '../../lib/i18n.svelte.ts';

/** A measured value with as many digits as it is worth: `0.34`, `7.2`, `41`. */
export function measured(value: number): string {
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** A number that a person chose, such as a temperature, without rounding it. */
export function exact(value: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 4 }).format(value);
}

/** Day and time of day. */
export function moment(time: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(time);
}
