import type { AppUpdater } from 'electron-updater';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UpdateSearch } from '../../src/main/electron/updates.ts';
import { fakeEmitter } from '../support/electron.ts';

const day = 24 * 3600 * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function searching() {
  const checkForUpdates = vi.fn(() => Promise.resolve(null));
  const { target, tell } = fakeEmitter<AppUpdater>({ checkForUpdates });
  const load = vi.fn(() => Promise.resolve(target));
  return { search: new UpdateSearch(load), load, checkForUpdates, target, tell };
}

describe('Newer versions', () => {
  test('are looked for only when the person wants that', async () => {
    const { search, load, checkForUpdates } = searching();
    search.follow(false);
    await vi.advanceTimersByTimeAsync(3 * day);
    expect(load).not.toHaveBeenCalled();

    search.follow(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(checkForUpdates).toHaveBeenCalledTimes(1);
    // Other settings have changed.
    search.follow(true);
    await vi.advanceTimersByTimeAsync(2 * day);
    expect(checkForUpdates).toHaveBeenCalledTimes(3);
    expect(load).toHaveBeenCalledTimes(1);

    search.follow(false);
    await vi.advanceTimersByTimeAsync(3 * day);
    expect(checkForUpdates).toHaveBeenCalledTimes(3);
  });

  test('are not looked for when that was turned off before there was somebody to ask', async () => {
    const { search, checkForUpdates } = searching();
    search.follow(true);
    search.follow(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(checkForUpdates).not.toHaveBeenCalled();
  });

  test('are never looked for in a build that does not know where', async () => {
    const search = new UpdateSearch(null);
    search.follow(true);
    await vi.advanceTimersByTimeAsync(3 * day);
    expect(vi.getTimerCount()).toBe(0);
    expect(search.status()).toEqual({ isConfigured: false, ready: null });
  });

  test('are installed at the end once they are there', async () => {
    const { search, target, tell } = searching();
    search.follow(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(target).toMatchObject({ autoDownload: true, autoInstallOnAppQuit: true });
    expect(search.status()).toEqual({ isConfigured: true, ready: null });
    tell('update-downloaded', { version: '9.9.9' });
    expect(search.status()).toEqual({ isConfigured: true, ready: '9.9.9' });
  });

  test('are looked for again a day after nobody answered', async () => {
    const complain = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { search, checkForUpdates, tell } = searching();
    checkForUpdates.mockRejectedValueOnce(new Error('There is no line.'));
    search.follow(true);
    await vi.advanceTimersByTimeAsync(0);
    tell('error', new Error('There is no line.'));
    await vi.advanceTimersByTimeAsync(day);
    expect(checkForUpdates).toHaveBeenCalledTimes(2);
    expect(complain).toHaveBeenCalledTimes(1);
    complain.mockRestore();
  });
});
