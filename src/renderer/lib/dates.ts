import type { MessageKey } from './i18n.svelte.ts';

/** Under which heading of the list a time falls: a text of ours, or a month to be named by its date. */
export type DateGroup = { key: MessageKey } | { month: Date };

export function dateGroup(time: number, now = Date.now()): DateGroup {
  if (time >= midnight(now, 0)) return { key: 'sidebar.today' };
  if (time >= midnight(now, 1)) return { key: 'sidebar.yesterday' };
  if (time >= midnight(now, 7)) return { key: 'sidebar.week' };
  if (time >= midnight(now, 30)) return { key: 'sidebar.days30' };
  const date = new Date(time);
  return { month: new Date(date.getFullYear(), date.getMonth(), 1) };
}

/** The beginning of the day so many days ago. By the calendar: not every day has 24 hours. */
function midnight(now: number, daysAgo: number): number {
  const day = new Date(now);
  day.setDate(day.getDate() - daysAgo);
  return day.setHours(0, 0, 0, 0);
}

/** How long ago a time was, as people say it: `3 days ago`. */
export function ago(time: number, language: string, now = Date.now()): string {
  const seconds = Math.round((time - now) / 1000);
  const steps = [
    [60, 'second'],
    [60, 'minute'],
    [24, 'hour'],
    [7, 'day'],
    [4.35, 'week'],
    [12, 'month'],
  ] as const;
  let value = Math.min(0, seconds);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  for (const [size, unit] of steps) {
    if (Math.abs(value) < size) return words.format(Math.ceil(value), unit);
    value /= size;
  }
  return words.format(Math.ceil(value), 'year');
}
