import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildIsStale } from '../../scripts/build.ts';
import { noDesktop, noSandbox } from '../../scripts/desktop.ts';
import { electronProgram, mayFetchElectron } from '../../scripts/electron-program.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'puna-start-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content = '', modified?: Date): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  if (modified) await utimes(file, modified, modified);
}

describe('A window opens', () => {
  test.each([
    ['on macOS', { platform: 'darwin', env: {}, userId: 501 }],
    ['on Windows', { platform: 'win32', env: {}, userId: undefined }],
    ['under X', { platform: 'linux', env: { DISPLAY: ':0' }, userId: 1000 }],
    ['under Wayland', { platform: 'linux', env: { WAYLAND_DISPLAY: 'wayland-0' }, userId: 1000 }],
  ] as const)('%s', (_where, machine) => expect(noDesktop(machine)).toBeNull());
});

describe('The browser opens instead', () => {
  test('on Linux without a screen', () => {
    expect(noDesktop({ platform: 'linux', env: {}, userId: 1000 })).toContain('no screen');
  });

  test('for root on Linux', () => {
    expect(noDesktop({ platform: 'linux', env: { DISPLAY: ':0' }, userId: 0 })).toContain('root');
  });

  test.each([
    ['kernel/unprivileged_userns_clone', '0'],
    ['kernel/apparmor_restrict_unprivileged_userns', '1'],
    ['user/max_user_namespaces', '0'],
  ])('where Linux forbids the sandbox (%s = %s), with the remedy', (setting, value) => {
    const kernel = (asked: string) => (asked === setting ? value : null);
    const reason = noSandbox('/opt/electron/electron', { platform: 'linux' }, kernel);
    expect(reason).toContain('chmod 4755 /opt/electron/chrome-sandbox');
  });

  test('but not where the sandbox works', () => {
    expect(noSandbox('/opt/electron/electron', { platform: 'linux' }, () => null)).toBeNull();
    expect(noSandbox('/opt/electron/electron', { platform: 'darwin' }, () => '0')).toBeNull();
  });
});

describe("Electron's program", () => {
  test('is found where its package says', async () => {
    expect(electronProgram(root, {})).toBeNull();
    await write('node_modules/electron/path.txt', 'Electron.app/Contents/MacOS/Electron');
    expect(electronProgram(root, {})).toBeNull();
    await write('node_modules/electron/dist/Electron.app/Contents/MacOS/Electron');
    expect(electronProgram(root, {})).toBe(
      join(root, 'node_modules/electron/dist/Electron.app/Contents/MacOS/Electron'),
    );
  });

  test('is found where a person says', async () => {
    await write('elsewhere/electron');
    expect(electronProgram(root, { ELECTRON_OVERRIDE_DIST_PATH: join(root, 'elsewhere') })).toBe(
      join(root, 'elsewhere', 'electron'),
    );
  });

  test('is fetched once a day at most', async () => {
    const now = Date.now();
    expect(mayFetchElectron(root, now)).toBe(true);
    await write('node_modules/.cache/puna/electron-fetch', '', new Date(now - 3600 * 1000));
    expect(mayFetchElectron(root, now)).toBe(false);
    expect(mayFetchElectron(root, now + 24 * 3600 * 1000)).toBe(true);
  });
});

describe('The build', () => {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  test('is stale while there is none, and when a source is newer', async () => {
    await write('src/main/app.ts', '', minutesAgo(3));
    expect(buildIsStale(root)).toBe(true);
    await write('out/renderer/index.html', '', minutesAgo(2));
    await utimes(join(root, 'src/main'), minutesAgo(3), minutesAgo(3));
    expect(buildIsStale(root)).toBe(false);
    await write('src/main/app.ts', '', minutesAgo(1));
    expect(buildIsStale(root)).toBe(true);
  });

  test('is stale when the packages changed', async () => {
    await write('out/renderer/index.html', '', minutesAgo(2));
    await write('package.json', '{}', minutesAgo(1));
    expect(buildIsStale(root)).toBe(true);
  });
});
