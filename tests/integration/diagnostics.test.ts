import Database from 'better-sqlite3';
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Diagnostics } from '../../src/shared/contract/index.ts';
import { run } from '../support/command.ts';
import { buildScriptedModel } from '../support/models.ts';
import { enginesOf } from '../support/processes.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

/** All that a person has, and nobody else should read. */
const secret = {
  model: 'aunt-mathilda',
  prompt: 'The zebra hides under the violet bridge',
  reply: 'Golden answer of nobody',
  file: 'tax-return-of-ada.txt',
  fileText: 'Seventeen thousand marmots',
  title: 'Quarrel with the landlord',
  token: 'hf_zYxWvUtSrQpOnMlKjIhGfEdCbA987654',
};

let folder: string;
let data: string;
let shell: Shell;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  data = join(folder, 'data');
  const path = await buildScriptedModel(join(folder, `${secret.model}.gguf`), { reply: secret.reply });
  shell = await startShell({ dataFolder: data });
  const { id: modelId } = await shell.client.models.add({ path });
  await shell.client.hub.setToken({ token: secret.token });
  const { id } = await shell.client.conversations.create({ title: secret.title, modelId });
  await shell.client.chat.send({
    ...{ conversationId: id, parentId: null, text: secret.prompt },
    attachments: [{ name: secret.file, mimeType: 'text/plain', bytes: 26, text: secret.fileText }],
  });
  await replyFinished(shell);
  // What fails in the middle of all this is told in the log: here an engine that is killed, and files that are none.
  const [engine] = await enginesOf(shell.process.pid ?? 0, 'inference');
  if (engine) process.kill(engine, 'SIGKILL');
  await writeFile(join(folder, secret.file), secret.fileText);
  await shell.client.models.add({ path: join(folder, secret.file) }).catch(() => undefined);
  await setTimeout(500);
});

afterAll(async () => {
  await shell.stop();
  await removeFolder();
});

function expectNothingPrivate(text: string): void {
  for (const words of Object.values(secret)) expect(text).not.toContain(words);
  for (const word of Object.values(secret).flatMap((words) => words.split(' '))) {
    if (word.length > 5) expect(text.toLowerCase()).not.toContain(word.toLowerCase());
  }
  expect(text).not.toContain(readFileSync(join(data, 'browser-token'), 'utf8'));
  expect(text).not.toContain(`${homedir()}/`);
}

describe('diagnostics', () => {
  test('tell versions, machine, engines and database, and nothing private', async () => {
    const told = await shell.client.system.diagnostics({ check: true });
    expect(told.versions).toMatchObject({ node: process.versions.node, electron: null });
    expect(told.versions.sqlite).toBe(
      new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get(),
    );
    expect(told.machine?.cores).toBeGreaterThan(0);
    expect(told.database).toMatchObject({ conversations: 1, messages: 2, problems: [] });
    expect(told.database?.bytes).toBeGreaterThanOrEqual(statSync(join(data, 'puna.db')).size);
    const inference = told.engines.find(({ name }) => name === 'inference-engine');
    expect(inference).toMatchObject({ running: 0, deaths: 1 });
    expect(told.findings.map(({ kind }) => kind)).toContain('engine-died');
    expect(told.log.join('\n')).toMatch(/info Puna \d+\.\d+\.\d+ starts: browser, Node .*SQLite/);
    expect(told.log.join('\n')).toContain('inference-engine stopped by itself (SIGKILL)');
    for (const part of [
      told.versions.puna,
      'checked and whole',
      'inference-engine',
      'SIGKILL',
      told.system,
    ]) {
      expect(told.report).toContain(part);
    }
    expectNothingPrivate(JSON.stringify(told));
  });

  test('are printed by puna doctor, also while Puna runs', async () => {
    const { status, stdout, stderr } = await run(['doctor', '--data', data]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^## Puna\n- Puna: \S+ \(terminal\)\n/);
    expect(stdout).toContain('History: 1 conversations, 2 messages');
    expect(stdout).toContain('inference-engine stopped by itself');
    expectNothingPrivate(stdout);
    const json = await run(['doctor', '--data', data, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ type: 'result', database: { problems: [] } });
  });

  test('are kept in a log that only its owner reads, without private text', () => {
    const log = join(data, 'logs', 'puna.log');
    expectNothingPrivate(readFileSync(log, 'utf8'));
    if (process.platform !== 'win32') expect(statSync(log).mode & 0o077).toBe(0);
  });
});

describe('puna doctor', () => {
  async function doctor(dataFolder: string, words: string[] = []): Promise<Diagnostics & { status: number }> {
    const { status, stdout } = await run(['doctor', '--json', '--data', dataFolder, ...words]);
    return { ...(JSON.parse(stdout) as Diagnostics), status: status ?? -1 };
  }

  test('finds damage that SQLite itself finds, and changes nothing', async () => {
    const other = join(folder, 'damaged');
    await mkdir(other);
    await cp(join(data, 'machine.json'), join(other, 'machine.json'));
    const file = join(other, 'puna.db');
    new Database(join(data, 'puna.db'), { readonly: true }).exec(`VACUUM INTO '${file}'`);
    expect((await doctor(other)).status).toBe(0);
    // Zeros over the pages behind the first ones, which hold the tables' descriptions.
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(3 * 4096), 0, 3 * 4096, 20 * 4096);
    closeSync(descriptor);
    const before = readFileSync(file);
    const { status, findings } = await doctor(other);
    expect(findings.map(({ kind }) => kind)).toEqual(['database-damaged']);
    expect(status).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('tells of a database that a newer Puna made, and of one that is none', async () => {
    const other = join(folder, 'newer');
    await mkdir(other);
    await cp(join(data, 'machine.json'), join(other, 'machine.json'));
    const database = new Database(join(other, 'puna.db'));
    database.exec('CREATE TABLE others (id INTEGER);');
    database.pragma('user_version = 999');
    database.close();
    expect((await doctor(other)).findings.map(({ kind }) => kind)).toEqual(['database-newer']);
    await writeFile(join(other, 'puna.db'), 'This is no database. '.repeat(500));
    expect((await doctor(other)).findings.map(({ kind }) => kind)).toEqual(['database-damaged']);
  });

  test('says that llama.cpp is missing where its native package is', async () => {
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (name.startsWith('@node-llama-cpp/')) throw new Error('It is not installed.');
        return next(name, context);
      } });`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` };
    const { status, stdout, stderr } = await run(['doctor', '--data', data], { env });
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('llama.cpp does not start on this computer');
  });
});

test('A second Puna says in the log of neither that the first one ended', async () => {
  const second = await run(['serve', '--no-open', '--port', '0', '--data', data]);
  expect(second.stderr).toMatch(/^puna: Puna is already running with the data folder .*\n$/);
  const { log } = await shell.client.system.diagnostics({ check: false });
  expect(log.filter((line) => line.includes('starts:'))).toHaveLength(1);
  await shell.stop();
});
