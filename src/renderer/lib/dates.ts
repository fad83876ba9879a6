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
