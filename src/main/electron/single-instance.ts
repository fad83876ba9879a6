import type { App, BrowserWindow } from 'electron';
import { bringToFront } from './window.ts';

/**
 * One Puna per data folder: a second start brings the first one's window to the front. False means that this is the
 * second one, which should leave.
 */
export function holdSingleInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on'>,
  currentWindow: () => Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'> | undefined,
): boolean {
  if (!app.requestSingleInstanceLock()) return false;
  app.on('second-instance', () => {
    const window = currentWindow();
    if (window) bringToFront(window);
  });
  return true;
}
