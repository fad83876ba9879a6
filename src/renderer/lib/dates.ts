import type { MessageKey } from './i18n.svelte.ts';

/** Under which heading of the list a time falls: a text of ours, or a month to be named by its date. */
export type DateGroup = { key: MessageKey } | { month: Date };

const dayMs = 24 * 60 * 60 * 1000;

export function dateGroup(time: number, now = Date.now()): DateGroup {
  const today = new Date(now).setHours(0, 0, 0, 0);
  if (time >= today) return { key: 'sidebar.today' };
  if (time >= today - dayMs) return { key: 'sidebar.yesterday' };
  if (time >= today - 7 * dayMs) return { key: 'sidebar.week' };
  if (time >= today - 30 * dayMs) return { key: 'sidebar.days30' };
  const date = new Date(time);
  return { month: new Date(date.getFullYear(), date.getMonth(), 1) };
}
