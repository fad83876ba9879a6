import Database from 'better-sqlite3';
import type { App, Dialog } from 'electron';
import { closeSync, cpSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../src/main/app.ts';
import { tellAndLeave } from '../../src/main/electron/failure.ts';
import { launchChildProcess } from '../../src/main/engine/index.ts';
import { makeDataFolder } from '../../src/main/storage/index.ts';
import { run } from '../support/command.ts';
import { fake } from '../support/electron.ts';
import { mountSmallDisk, type SmallDisk } from '../support/mounts.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
/** A data folder with a conversation, of a Puna that has ended. */
let usual: string;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  usual = join(folder, 'usual');
  const shell = await startShell({ dataFolder: usual });
  await shell.client.conversations.create({ title: 'Golden grass' });
  await shell.stop();
});
afterAll(() => removeFolder());

/** What a start from the command line says, which has to be one line, and what the desktop shows. */
async function refusals(data: string): Promise<{ terminal: string; desktop: string }> {
  const { status, stdout, stderr } = await run(['serve', '--no-open', '--port', '0', '--data', data]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^puna: [^\n]+\n$/);
  return { terminal: stderr, desktop: await desktopRefusal(data) };
}

/** As `index.ts` starts: the folder, the app, and the box with what keeps it from that. */
async function desktopRefusal(data: string): Promise<string> {
  const said = vi.spyOn(console, 'error').mockReturnValue();
  const showErrorBox = vi.fn<Dialog['showErrorBox']>();
  const exit = vi.fn<App['exit']>();
  try {
    makeDataFolder(data, 'electron');
    const app = await createApp({
      ...{ dataFolder: data, shell: 'electron', launchEngine: launchChildProcess, resources: null },
      trash: () => Promise.resolve(),
    });
    await app.close();
    return '';
  } catch (thrown) {
    tellAndLeave(thrown, { app: fake<App>({ exit }), dialog: fake<Dialog>({ showErrorBox }) });
  } finally {
    said.mockRestore();
  }
  expect(exit).toHaveBeenCalledExactlyOnceWith(1);
  return showErrorBox.mock.calls.map((words) => words.join(': ')).join('\n');
}

async function titles(data: string): Promise<string[]> {
  const shell = await startShell({ dataFolder: data });
  const { conversations } = await shell.client.conversations.list({});
  await shell.stop();
  return conversations.map(({ title }) => title);
}

function copy(name: string): string {
  const data = join(folder, name);
  cpSync(usual, data, { recursive: true });
  return data;
}

describe('a start says in one sentence what keeps it, and leaves all as it is, where the database', () => {
  test('is of a newer Puna', async () => {
    const data = copy('newer');
    const database = new Database(join(data, 'puna.db'));
    const version = database.pragma('user_version', { simple: true }) as number;
    database.pragma('user_version = 999');
    database.close();
    const { terminal, desktop } = await refusals(data);
    for (const said of [terminal, desktop])
      expect(said).toMatch(/made by a newer Puna .*Install that newer Puna/s);
    const again = new Database(join(data, 'puna.db'));
    again.pragma(`user_version = ${version}`);
    again.close();
    expect(await titles(data)).toEqual(['Golden grass']);
  });

  test('is damaged', async () => {
    const data = copy('damaged');
    const file = join(data, 'puna.db');
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(64, 7), 0, 64, 0);
    closeSync(descriptor);
    const before = readFileSync(file);
    const { terminal, desktop } = await refusals(data);
    for (const said of [terminal, desktop]) expect(said).toMatch(/is damaged\..*backup/s);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('is at work in another Puna', async () => {
    const data = copy('busy');
    const shell = await startShell({ dataFolder: data });
    const { terminal, desktop } = await refusals(data);
    for (const said of [terminal, desktop])
      expect(said).toContain('Puna is already running with the data folder');
    expect((await shell.client.conversations.list({})).conversations).toHaveLength(1);
    await shell.stop();
  });
});

test('a start says that a file is in the place of the data folder', async () => {
  const data = join(folder, 'file');
  writeFileSync(data, 'This is no folder.');
  const { terminal, desktop } = await refusals(data);
  for (const said of [terminal, desktop])
    expect(said).toMatch(/The data folder .* cannot be made\..*--data/s);
  expect(readFileSync(data, 'utf8')).toBe('This is no folder.');
});

const diskBytes = 8 * 1024 * 1024;

describe('on a disk', () => {
  let disk: SmallDisk | null = null;
  let data: string;
  beforeAll(() => {
    disk = mountSmallDisk(join(folder, 'disk'), diskBytes);
    data = join(folder, 'disk', 'data');
    if (disk) cpSync(usual, data, { recursive: true });
  });
  afterAll(() => disk?.unmount());

  test('that is read-only, a start says that, and so does puna doctor', async ({ skip }) => {
    if (!disk) return skip('Only the root of a Linux can mount one.');
    disk.setReadOnly(true);
    try {
      const { terminal, desktop } = await refusals(data);
      for (const said of [terminal, desktop])
        expect(said).toMatch(/The data folder .* cannot be written\..*--data/s);
      const doctor = await run(['doctor', '--data', data]);
      expect(doctor.status).toBe(1);
      expect(doctor.stdout).toContain('The data folder cannot be written.');
    } finally {
      disk.setReadOnly(false);
    }
    expect(await titles(data)).toEqual(['Golden grass']);
  });

  test('that is full, a start says that; with room again all is there', async ({ skip }) => {
    if (!disk) return skip('Only the root of a Linux can mount one.');
    const filler = join(disk.path, 'filler');
    const descriptor = openSync(filler, 'w');
    expect(() => {
      for (;;) writeSync(descriptor, Buffer.alloc(4096));
    }).toThrow('ENOSPC');
    closeSync(descriptor);
    const { terminal, desktop } = await refusals(data);
    for (const said of [terminal, desktop]) expect(said).toMatch(/[Dd]isk .*is full/);
    rmSync(filler);
    expect(await titles(data)).toEqual(['Golden grass']);
  });
});

describe('with a wrong clock', () => {
  /** A process in which it is as much later; its engines take it over. */
  function later(ms: number): Record<string, string> {
    const clock = `const now = Date.now; Date.now = () => now() + ${ms};`;
    return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(clock)}` };
  }
  const fiftyYears = 50 * 365 * 24 * 60 * 60 * 1000;

  async function during(data: string, ms: number, use: (shell: Shell) => Promise<void>): Promise<void> {
    const shell = await startShell({ dataFolder: data, env: later(ms) });
    await use(shell);
    await shell.stop();
  }

  test('what is written stays in order, and what was deleted can be brought back', async () => {
    const data = copy('clock');
    const listed = async ({ client }: Shell) =>
      (await client.conversations.list({})).conversations.map(({ title }) => title);
    let deletedId = 0;
    await during(data, 0, async ({ client }) => {
      ({ id: deletedId } = await client.conversations.create({ title: 'Deleted' }));
      await client.conversations.remove({ conversationId: deletedId });
    });
    await during(data, -fiftyYears, async (shell) => {
      await shell.client.conversations.create({ title: 'In the past' });
      expect(await listed(shell)).toEqual(['In the past', 'Golden grass']);
      const { findings } = await shell.client.system.diagnostics({});
      expect(findings.map(({ kind }) => kind)).toContain('clock-behind');
    });
    await during(data, fiftyYears, async (shell) => {
      await shell.client.conversations.create({ title: 'In the future' });
      expect(await listed(shell)).toEqual(['In the future', 'In the past', 'Golden grass']);
    });
    await during(data, 0, async (shell) => {
      const { id } = await shell.client.conversations.create({ title: 'Now' });
      expect(await listed(shell)).toEqual(['In the future', 'Now', 'In the past', 'Golden grass']);
      const { updatedAt } = await shell.client.conversations.get({ conversationId: id });
      expect(Math.abs(updatedAt - Date.now())).toBeLessThan(60 * 60 * 1000);
      const { findings } = await shell.client.system.diagnostics({});
      expect(findings.map(({ kind }) => kind)).toContain('clock-moved');
      await shell.client.conversations.restore({ conversationId: deletedId });
    });
  });
});

describe('without a part of its own', () => {
  /** A process that finds no such package, or no such file of one. */
  function without(pattern: RegExp): Record<string, string> {
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (!${String(pattern)}.test(name)) return next(name, context);
        throw Object.assign(new Error('Cannot find ' + name), { code: 'MODULE_NOT_FOUND' });
      } });`;
    return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };
  }

  test.each([
    [
      'a package',
      /^better-sqlite3$/,
      /^puna: A part of Puna is missing or broken \(.*\)\. Install Puna again.*\n$/,
    ],
    [
      'its native part',
      /prebuilds.*\.node$/,
      /^puna: SQLite does not start: its native package is missing.*\n$/,
    ],
  ])('a start says in one line that %s is missing', async (_what, pattern, said) => {
    const words = ['serve', '--no-open', '--port', '0', '--data', join(folder, 'without')];
    const { status, stderr } = await run(words, { env: without(pattern) });
    expect(status).toBe(1);
    expect(stderr).toMatch(said);
  });
});
