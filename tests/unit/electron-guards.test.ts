import type { Session, WebContents } from 'electron';
import { describe, expect, test, vi } from 'vitest';
import { guardContents, guardSession } from '../../src/main/electron/guards.ts';
import { packagedPage as page } from '../../src/main/electron/page.ts';
import { fake, fakeEmitter } from '../support/electron.ts';

function guardedContents() {
  const setWindowOpenHandler = vi.fn<WebContents['setWindowOpenHandler']>();
  const openExternal = vi.fn(async () => {});
  const { target, tell } = fakeEmitter<WebContents>({ setWindowOpenHandler });
  guardContents(target, { page, openExternal });
  const open = (url: string) => setWindowOpenHandler.mock.lastCall?.[0](fake({ url }));
  return { tell, open, openExternal };
}

describe('A window', () => {
  test.each([
    'https://example.com/',
    'file:///etc/passwd',
    'app://elsewhere/',
    'data:text/html,x',
    'about:blank',
  ])('does not leave its page for %s', (url) => {
    const { tell } = guardedContents();
    expect(tell('will-frame-navigate', { url, isMainFrame: true }).prevented).toBe(true);
  });

  test('may reload its page', () => {
    const { tell } = guardedContents();
    expect(tell('will-frame-navigate', { url: page, isMainFrame: true }).prevented).toBe(false);
  });

  test('has no frames, no redirects and no webviews', () => {
    const { tell } = guardedContents();
    expect(tell('will-frame-navigate', { url: page, isMainFrame: false }).prevented).toBe(true);
    expect(tell('will-redirect', { url: page }).prevented).toBe(true);
    expect(tell('will-attach-webview').prevented).toBe(true);
  });

  test.each(['https://example.com/a?b#c', 'http://example.com/', 'mailto:someone@example.com'])(
    'gives the link %s to the system and opens nothing itself',
    (url) => {
      const { open, openExternal } = guardedContents();
      expect(open(url)).toEqual({ action: 'deny' });
      expect(openExternal).toHaveBeenCalledExactlyOnceWith(url);
    },
  );

  test.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://host/share',
    'ms-msdt:/id',
    'app://puna/',
    'nonsense',
  ])('gives %s to nobody', (url) => {
    const { open, openExternal } = guardedContents();
    expect(open(url)).toEqual({ action: 'deny' });
    expect(openExternal).not.toHaveBeenCalled();
  });
});

function guardedSession(ownPage: string = page) {
  const calls = {
    setPermissionRequestHandler: vi.fn<Session['setPermissionRequestHandler']>(),
    setPermissionCheckHandler: vi.fn<Session['setPermissionCheckHandler']>(),
    setDevicePermissionHandler: vi.fn<Session['setDevicePermissionHandler']>(),
    setDisplayMediaRequestHandler: vi.fn<Session['setDisplayMediaRequestHandler']>(),
    webRequest: { onBeforeRequest: vi.fn() },
  };
  const { target, tell } = fakeEmitter<Session>(calls);
  guardSession(target, { page: ownPage });
  return {
    tell,
    requests(permission: string, requestingUrl: string) {
      const answer = vi.fn();
      calls.setPermissionRequestHandler.mock.lastCall?.[0]?.(
        fake({}),
        permission as 'unknown',
        answer,
        fake({ requestingUrl }),
      );
      return answer.mock.lastCall?.[0] as unknown;
    },
    checks: (permission: string, origin: string) =>
      calls.setPermissionCheckHandler.mock.lastCall?.[0]?.(null, permission as 'unknown', origin, fake({})),
    device: () => calls.setDevicePermissionHandler.mock.lastCall?.[0]?.(fake({})),
    reaches(url: string) {
      const [filter, listener] = calls.webRequest.onBeforeRequest.mock.lastCall as [
        { urls: string[] },
        (details: { url: string }, answer: (response: { cancel: boolean }) => void) => void,
      ];
      if (!filter.urls.some((pattern) => url.startsWith(pattern.slice(0, -'*/*'.length)))) return true;
      const answer = vi.fn();
      listener({ url }, answer);
      return (answer.mock.lastCall as [{ cancel: boolean }])[0].cancel === false;
    },
  };
}

describe('A session', () => {
  test('lets its own page copy text', () => {
    const session = guardedSession();
    expect(session.requests('clipboard-sanitized-write', 'app://puna/index.html')).toBe(true);
    expect(session.checks('clipboard-sanitized-write', 'app://puna/')).toBe(true);
    expect(session.requests('clipboard-sanitized-write', 'https://example.com/')).toBe(false);
    expect(session.checks('clipboard-sanitized-write', 'https://example.com')).toBe(false);
  });

  test.each([
    'media',
    'geolocation',
    'notifications',
    'clipboard-read',
    'fileSystem',
    'openExternal',
    'usb',
    'unknown',
  ])('denies %s, asked or checked', (permission) => {
    const session = guardedSession();
    expect(session.requests(permission, page)).toBe(false);
    expect(session.checks(permission, page)).toBe(false);
  });

  test('denies devices', () => {
    expect(guardedSession().device()).toBe(false);
  });

  test('reaches its own files and nothing on the network or the disk', () => {
    const session = guardedSession();
    expect(session.reaches('app://puna/index.html')).toBe(true);
    for (const url of [
      'https://example.com/x.png',
      'http://127.0.0.1:80/',
      'wss://example.com/',
      'file:///etc/passwd',
    ]) {
      expect(session.reaches(url)).toBe(false);
    }
  });

  test('reaches the development server while there is one', () => {
    const session = guardedSession('http://localhost:5173');
    expect(session.reaches('http://localhost:5173/main.ts')).toBe(true);
    expect(session.reaches('ws://localhost:5173/')).toBe(true);
    expect(session.reaches('http://localhost:80/')).toBe(false);
  });

  test('saves what the page made, and downloads nothing', () => {
    const { tell } = guardedSession();
    const download = (url: string) => tell('will-download', {}, { getURL: () => url }).prevented;
    expect(download('blob:app://puna/1234')).toBe(false);
    expect(download('https://example.com/setup.exe')).toBe(true);
  });
});
