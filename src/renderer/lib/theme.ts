import type { Settings } from '../../shared/contract/index.ts';
import { recall, remember } from './remembered.ts';

/** Shows the page in a theme, and remembers it, so that the next window does not begin in another one. */
export function useTheme(theme: Settings['theme']): void {
  remember('theme', theme === 'system' ? null : theme);
  show(theme);
}

/** The theme of last time, until the settings are there. */
export function useRememberedTheme(): void {
  show(recall('theme'));
}

/** What is in view now, whoever decided it. */
export function themeInView(): 'light' | 'dark' {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function show(theme: string | null): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}
