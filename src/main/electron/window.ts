import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron';

/** The page's own background (`--surface` in src/renderer/tokens.css), so that a new window does not flash. */
export const windowBackground = (dark: boolean): string => (dark ? '#10141f' : '#fbfaf7');

export interface WindowCircumstances {
  preload: string;
  dark: boolean;
  platform: NodeJS.Platform;
  /** Developer tools are for developers: a packaged Puna has none. */
  packaged: boolean;
}

/** Shows a window before all others, wherever it was. */
export function bringToFront(
  window: Pick<BrowserWindow, 'isMinimized' | 'restore' | 'show' | 'focus'>,
): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

/** How the window looks before there is a page, and what the page in it may not do. */
export function windowOptions(circumstances: WindowCircumstances): BrowserWindowConstructorOptions {
  const { preload, dark, platform, packaged } = circumstances;
  return {
    title: 'Puna',
    width: 1200,
    height: 800,
    // The narrowest width that the page is laid out for.
    minWidth: 380,
    minHeight: 480,
    // Electron itself remembers size and place under this name, and minds screens that are gone.
    name: 'main',
    windowStatePersistence: true,
    // Shown when the page has painted.
    show: false,
    backgroundColor: windowBackground(dark),
    // As usual on Windows and Linux today, Alt shows the menu bar.
    autoHideMenuBar: platform !== 'darwin',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      devTools: !packaged,
      // Elsewhere than on macOS, Chromium would download dictionaries from Google.
      spellcheck: platform === 'darwin',
    },
  };
}
