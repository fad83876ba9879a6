import type {
  App,
  BrowserWindow,
  ContextMenuParams,
  MenuItemConstructorOptions,
  WebContents,
} from 'electron';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { reloadAfterCrash } from '../../src/main/electron/crash.ts';
import { contextMenuTemplate, menuTemplate } from '../../src/main/electron/menu.ts';
import { closeBeforeQuit } from '../../src/main/electron/quit.ts';
import { holdSingleInstance } from '../../src/main/electron/single-instance.ts';
import { windowOptions } from '../../src/main/electron/window.ts';
import { wordsFor } from '../../src/main/electron/words.ts';
import { fake, fakeEmitter } from '../support/electron.ts';

const circumstances = { preload: '/preload.cjs', dark: false, platform: 'linux', packaged: true } as const;

describe('A window', () => {
  test('gives its page nothing of Node', () => {
    expect(windowOptions(circumstances).webPreferences).toMatchObject({
      preload: '/preload.cjs',
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
    });
  });

  test('shows when it has painted, on a background of its theme, where it was left', () => {
    const light = windowOptions(circumstances);
    const dark = windowOptions({ ...circumstances, dark: true });
    expect(light).toMatchObject({ show: false, windowStatePersistence: true });
    expect(light.name).toBeTruthy();
    const tokens = readFileSync('src/renderer/tokens.css', 'utf8');
    expect(tokens).toContain(`--surface: light-dark(${light.backgroundColor}, ${dark.backgroundColor});`);
  });

  test('has developer tools only where it is developed', () => {
    expect(windowOptions(circumstances).webPreferences?.devTools).toBe(false);
    expect(windowOptions({ ...circumstances, packaged: false }).webPreferences?.devTools).toBe(true);
  });

  test('fetches no dictionaries', () => {
    expect(windowOptions(circumstances).webPreferences?.spellcheck).toBe(false);
    expect(windowOptions({ ...circumstances, platform: 'darwin' }).webPreferences?.spellcheck).toBe(true);
  });
});

describe('A second start', () => {
  test('leaves', () => {
    expect(holdSingleInstance(fake<App>({ requestSingleInstanceLock: () => false }), () => undefined)).toBe(
      false,
    );
  });

  test('brings the first window to the front', () => {
    const { target, tell } = fakeEmitter<App>({ requestSingleInstanceLock: () => true });
    const window = { isMinimized: () => true, restore: vi.fn(), show: vi.fn(), focus: vi.fn() };
    expect(holdSingleInstance(target, () => fake<BrowserWindow>(window))).toBe(true);
    tell('second-instance');
    expect(window.restore).toHaveBeenCalled();
    expect(window.focus).toHaveBeenCalled();
  });

  test('does no harm while there is no window', () => {
    const { target, tell } = fakeEmitter<App>({ requestSingleInstanceLock: () => true });
    holdSingleInstance(target, () => undefined);
    expect(() => tell('second-instance')).not.toThrow();
  });
});

describe('Quitting', () => {
  test('waits until everything is closed, once', async () => {
    const exit = vi.fn();
    const { target, tell } = fakeEmitter<App>({ exit });
    let closed = () => {};
    const close = vi.fn(() => new Promise<void>((resolve) => (closed = resolve)));
    closeBeforeQuit(target, close);
    expect(tell('will-quit').prevented).toBe(true);
    expect(tell('will-quit').prevented).toBe(true);
    await turn();
    expect(close).toHaveBeenCalledOnce();
    expect(exit).not.toHaveBeenCalled();
    closed();
    await turn();
    expect(exit).toHaveBeenCalledExactlyOnceWith(0);
  });

  test('does not wait for ever', async () => {
    vi.useFakeTimers();
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const exit = vi.fn();
    const { target, tell } = fakeEmitter<App>({ exit });
    closeBeforeQuit(target, () => new Promise<void>(() => {}));
    tell('will-quit');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(exit).toHaveBeenCalledExactlyOnceWith(1);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
});

describe('A page whose process dies', () => {
  test('is loaded again, unless it dies again at once', () => {
    const reload = vi.fn();
    const giveUp = vi.fn();
    const { target, tell } = fakeEmitter<WebContents>({ reload });
    let now = 0;
    reloadAfterCrash(target, giveUp, () => now);
    tell('render-process-gone', {}, { reason: 'clean-exit' });
    expect(reload).not.toHaveBeenCalled();
    tell('render-process-gone', {}, { reason: 'crashed' });
    now += 3_600_000;
    tell('render-process-gone', {}, { reason: 'oom' });
    expect(reload).toHaveBeenCalledTimes(2);
    expect(giveUp).not.toHaveBeenCalled();
    now += 1_000;
    tell('render-process-gone', {}, { reason: 'oom' });
    expect(reload).toHaveBeenCalledTimes(2);
    expect(giveUp).toHaveBeenCalledExactlyOnceWith('oom');
  });
});

describe('Menus', () => {
  const english = wordsFor('en', []);
  const labels = (items: MenuItemConstructorOptions[]) => items.map(({ label }) => label);
  const every = (items: MenuItemConstructorOptions[]): MenuItemConstructorOptions[] =>
    items.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? every(item.submenu) : [])]);
  const bar = (platform: NodeJS.Platform, packaged = true) =>
    menuTemplate({ words: english, platform, packaged, openDataFolder: () => {} });

  test('follow the habits of the system', () => {
    expect(labels(bar('darwin'))).toEqual(['Puna', 'File', 'Edit', 'View', 'Window']);
    expect(labels(bar('win32'))).toEqual(['File', 'Edit', 'View']);
    for (const platform of ['darwin', 'win32', 'linux'] as const) {
      const roles = every(bar(platform)).map(({ role }) => role);
      expect(roles).toEqual(expect.arrayContaining(['quit', 'copy', 'paste', 'undo', 'selectAll']));
    }
  });

  test('offer developer tools only where Puna is developed', () => {
    const roles = (packaged: boolean) => every(bar('linux', packaged)).map(({ role }) => role);
    expect(roles(true)).not.toContain('toggleDevTools');
    expect(roles(false)).toContain('toggleDevTools');
  });

  test('speak the language that was chosen, or else the first of the system that Puna speaks', () => {
    expect(wordsFor('system', ['ko-KR', 'en-US']).edit).toBe('편집');
    expect(wordsFor('system', ['fr-FR', 'en-GB', 'ko']).edit).toBe('Edit');
    expect(wordsFor('system', ['kok-IN']).edit).toBe('Edit');
    expect(wordsFor('ko', ['en-US']).edit).toBe('편집');
  });

  test('of the right button offer what can be done there', () => {
    const editFlags = {
      canUndo: true,
      canRedo: false,
      canCut: true,
      canCopy: true,
      canPaste: true,
      canSelectAll: true,
    };
    const at = (place: Partial<ContextMenuParams>) => {
      const parameters = { isEditable: false, selectionText: '', linkURL: '', editFlags, ...place };
      return contextMenuTemplate(fake<ContextMenuParams>(parameters), english, () => {});
    };
    expect(at({})).toEqual([]);
    expect(labels(at({ selectionText: 'ichu' }))).toEqual(['Copy']);
    expect(labels(at({ linkURL: 'https://example.com' }))).toEqual(['Copy Link']);
    expect(at({ isEditable: true }).find(({ role }) => role === 'cut')?.enabled).toBe(false);
    expect(at({ isEditable: true, selectionText: 'x' }).find(({ role }) => role === 'cut')?.enabled).toBe(
      true,
    );
  });
});
