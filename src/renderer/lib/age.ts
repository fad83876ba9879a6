import { createSubscriber } from 'svelte/reactivity';
import { locale, t } from './i18n.svelte.ts';

const minute = 60_000;
const eachMinute = createSubscriber((update) => {
  const timer = setInterval(update, minute);
  return () => clearInterval(timer);
});

/** The time, in ms since 1970; who shows what depends on it shows it anew once a minute. */
export function minuteNow(): number {
  eachMinute();
  return Date.now();
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** How long ago something was: `3 minutes ago`; after a week, its date. */
export function ageText(time: number, now: number): string {
  const seconds = (now - time) / 1000;
  if (seconds > 7 * 86_400) return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }).format(time);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  for (const [unit, length] of units) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return t('runs.justNow');
}
