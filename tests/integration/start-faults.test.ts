import Database from 'better-sqlite3';
import type { App, Dialog } from 'electron';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp } from '../../src/main/app.ts';
import { tellAndLeave } from '../../src/main/electron/failure.ts';
import { launchChildProcess } from '../../src/main/engine/index.ts';
import { makeDataFolder } from '../../src/main/storage/index.ts';
import type { Diagnostics } from '../../src/shared/contract/index.ts';
import { run } from '../support/command.ts';
import { fake } from '../support/electron.ts';
import { mountSmallDisk, type SmallDisk } from '../support/mounts.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildResources } from '../support/starter.ts';

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

test('a start says that its lock is damaged, and what to do about that', async () => {
  const data = copy('lock');
  writeFileSync(join(data, 'lock.db'), 'This is no database.'.repeat(100));
  const { terminal, desktop } = await refusals(data);
  for (const said of [terminal, desktop])
    expect(said).toMatch(/lock\.db is damaged, .*Close Puna everywhere and remove that file/s);
  rmSync(join(data, 'lock.db'));
  expect(await titles(data)).toEqual(['Golden grass']);
});

test('a start says that its lock cannot be written where only that is so', async () => {
  const data = copy('locked');
  rmSync(join(data, 'lock.db'));
  mkdirSync(join(data, 'lock.db'));
  const { terminal, desktop } = await refusals(data);
  for (const said of [terminal, desktop])
    expect(said).toMatch(/The file .*lock\.db cannot be written\..*such as with sudo/s);
});

test('a start goes without a log where nobody may look for one', async () => {
  const data = copy('log');
  rmSync(join(data, 'logs'), { recursive: true });
  // A link to itself refuses everybody, also whoever may do everything.
  symlinkSync(join(data, 'logs'), join(data, 'logs'), 'dir');
  expect(await titles(data)).toEqual(['Golden grass']);
});

test('a start says that the data folder cannot be made where the system says only that something is missing', async ({
  skip,
}) => {
  if (process.platform !== 'linux') return skip('Only Linux has such a place.');
  // Its end shows that it does not try for ever; until then, nothing else can end it.
  const child = spawn(process.execPath, ['src/main/cli.ts', 'serve', '--data', '/proc/puna/data'], {
    ...{ stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000, killSignal: 'SIGKILL' },
  });
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
  expect(said).toMatch(/^puna: The data folder \/proc\/puna\/data cannot be made\..*\n$/);
});

test('a start says that a file is in the place of the data folder, and so does puna doctor', async () => {
  const data = join(folder, 'file');
  writeFileSync(data, 'This is no folder.');
  const { terminal, desktop } = await refusals(data);
  for (const said of [terminal, desktop])
    expect(said).toMatch(/The data folder .* cannot be made\..*--data/s);
  const doctor = await run(['doctor', '--json', '--data', data]);
  const { findings } = JSON.parse(doctor.stdout) as Diagnostics;
  // And nothing that is not so, such as that nothing can compute here.
  expect(findings.filter(({ isFault }) => isFault).map(({ kind }) => kind)).toEqual(['folder-missing']);
  expect(readFileSync(data, 'utf8')).toBe('This is no folder.');
});

test('a data folder that goes away while Puna runs is told of where one looks for faults', async () => {
  const data = copy('gone');
  const shell = await startShell({ dataFolder: data });
  try {
    rmSync(data, { recursive: true });
    await expect(shell.client.system.dataFolder()).rejects.toThrow(`There is no file or folder ${data}.`);
    const { findings } = await shell.client.system.diagnostics({});
    expect(findings.filter(({ isFault }) => isFault).map(({ kind }) => kind)).toEqual(['folder-missing']);
    // Looking for faults puts no empty folder in its place.
    expect(existsSync(data)).toBe(false);
  } finally {
    await shell.stop();
  }
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

  test('that has no room for one more file, a start says that', async ({ skip }) => {
    if (!disk) return skip('Only the root of a Linux can mount one.');
    const few = mountSmallDisk(join(folder, 'few'), diskBytes, { files: 4 });
    if (!few) return skip('This system does not count files.');
    try {
      const { terminal, desktop } = await refusals(join(few.path, 'data'));
      for (const said of [terminal, desktop]) expect(said).toMatch(/[Dd]isk .*is full/);
    } finally {
      few.unmount();
    }
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
    ['is not there', (model: string) => rmSync(model), /There is no file or folder <path>/],
    ['is broken off', (model: string) => truncateSync(model, 1000), /<path>.*/],
    ['is something else', (model: string) => writeFileSync(model, 'x'.repeat(1000)), /<path>.*/],
  ])('it starts all the same where the starter model %s, and says so', async (what, harm, said) => {
    const resources = await buildResources(mkdtempSync(join(folder, 'resources-')));
    harm(join(resources, 'starter', 'puna-starter.gguf'));
    const shell = await startShell({ dataFolder: join(folder, `starter ${what}`), resources });
    try {
      const { models } = await shell.client.system.state();
      expect(models).toEqual([]);
      const { findings, log } = await shell.client.system.diagnostics({});
      expect(findings).toContainEqual({
        ...{ kind: 'resources-missing', isFault: true },
        sentence: 'The starter model or the samples that come with Puna are missing or damaged.',
        remedy: 'Install Puna again; everything else works without them.',
      });
      const line = log.find((each) => each.includes('The starter model is left out: '));
      expect(line).toMatch(said);
    } finally {
      await shell.stop();
    }
  });

  test('it says nothing of a starter model that is not wanted', async () => {
    const shell = await startShell({ dataFolder: join(folder, 'unwanted'), resources: null });
    try {
      const { findings } = await shell.client.system.diagnostics({});
      expect(findings.map(({ kind }) => kind)).not.toContain('resources-missing');
    } finally {
      await shell.stop();
    }
  });

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
