import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { History, openDatabase } from '../../src/main/history/index.ts';
import { run } from '../support/command.ts';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, startShell, temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
let model: string;
let endless: string;

beforeAll(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.folder;
  removeFolder = temporary.remove;
  model = join(folder, 'parrot.gguf');
  await buildScriptedModel(model, { reply: 'The grass is golden. 풀이 금빛이에요.' });
  endless = join(folder, 'endless.gguf');
  await buildScriptedModel(endless, { reply: 'On and on it goes.', endless: true });
});

afterAll(() => removeFolder());

const jsonLines = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string } & Record<string, unknown>);

describe('puna', () => {
  test('explains itself and knows its version', async () => {
    const help = await run(['--help']);
    expect(help.status).toBe(0);
    for (const command of ['serve', 'chat', 'inspect', 'history']) expect(help.stdout).toContain(command);
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [['dance']],
    [['chat']],
    [['chat', '--model', 'x.gguf', '--temperature', 'warm']],
    [['history', 'export', '--format', 'pdf']],
  ])('answers wrong usage %j with status 2', async (words) => {
    const { status, stderr } = await run(words);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });
});

describe('the output', () => {
  test('may lose its reader at any time: the command ends without complaint', async () => {
    const words = ['src/main/cli.ts', 'chat', '--model', endless, '--prompt', 'Hi', '--json'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [status] = (await once(child, 'close')) as [number | null];
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test.runIf(process.platform === 'linux')('on a full disk is a failure, told in one line', async () => {
    const script = `"${process.execPath}" src/main/cli.ts inspect "${model}" --json > /dev/full`;
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const [status] = (await once(child, 'close')) as [number | null];
    expect(status).toBe(1);
    expect(stderr).toMatch(/^puna: The disk is full: [^\n]+\n$/);
  });
});

describe('puna chat', () => {
  test.skipIf(process.platform === 'win32')('stops at Ctrl-C, and what was said is its result', async () => {
    const words = ['src/main/cli.ts', 'chat', '--model', endless, '--prompt', 'Hi', '--json'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const lines = createInterface({ input: child.stdout });
    let last = '';
    let asked = false;
    lines.on('line', (line) => {
      last = line;
      if (asked || !child.pid || !line.includes('"piece"')) return;
      asked = true;
      // A terminal sends it to all processes of a command: to the engine, too.
      process.kill(-child.pid, 'SIGINT');
    });
    const [status] = (await once(child, 'close')) as [number | null];
    expect(status).toBe(0);
    expect(JSON.parse(last)).toMatchObject({ type: 'result', finish: 'stopped' });
  });

  test('prints the reply and nothing else', async () => {
    const { status, stdout } = await run(['chat', '--model', model, '--prompt', 'What colour is the grass?']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'The grass is golden. 풀이 금빛이에요.\n' });
  });

  test('answers each line of standard input, within one conversation', async () => {
    const { status, stdout } = await run(['chat', '--model', model, '--json'], {
      input: 'Hello\n\nAnd again?\n',
    });
    expect(status).toBe(0);
    const results = jsonLines(stdout).filter(({ type }) => type === 'result');
    expect(results.map(({ text }) => text)).toEqual(Array(2).fill('The grass is golden. 풀이 금빛이에요.'));
    // The second prompt holds the first exchange, and the context still had it.
    expect(Number(results[1]?.['cachedTokens'])).toBeGreaterThan(Number(results[0]?.['promptTokens']) - 1);
  });

  test('prints JSON lines: pieces that add up to the result, which comes last', async () => {
    const { stdout } = await run(['chat', '--model', model, '--prompt', 'Hi', '--json']);
    const lines = jsonLines(stdout);
    const pieces = lines
      .filter(({ type, part }) => type === 'piece' && part === 'text')
      .map(({ piece }) => piece);
    expect(lines.at(-1)).toMatchObject({ type: 'result', finish: 'end', text: pieces.join('') });
  });

  test('ends at --max-tokens', async () => {
    const { stdout } = await run(['chat', '--model', model, '--prompt', 'Hi', '--max-tokens', '2', '--json']);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ finish: 'length', tokens: 2 });
  });

  test.each([
    ['a file that is missing', 'missing.gguf', null],
    ['a file that is not GGUF', 'notes.txt', 'Just some notes.'],
    ['a truncated file', 'half.gguf', 'half'],
  ])('says of %s in one line what is wrong', async (_, name, content) => {
    const path = join(folder, name);
    if (content === 'half') await writeFile(path, (await readFile(model)).subarray(0, 20_000));
    else if (content) await writeFile(path, content);
    const { status, stdout, stderr } = await run(['chat', '--model', path, '--prompt', 'Hi']);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(name);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('puna inspect', () => {
  test('describes a model for people and for programs', async () => {
    expect((await run(['inspect', model])).stdout).toContain('llama');
    const [result] = jsonLines((await run(['inspect', model, '--json'])).stdout);
    expect(result).toMatchObject({ type: 'result', kind: 'model', architecture: 'llama' });
  });
});

describe('puna history', () => {
  test('finds, exports and imports what was said in the app', async () => {
    const data = join(folder, 'data');
    const shell = await startShell({ dataFolder: data });
    const { id: modelId } = await shell.client.models.add({ path: model });
    const { id: conversationId } = await shell.client.conversations.create({ modelId, title: 'Lessons' });
    await shell.client.chat.send({
      conversationId,
      parentId: null,
      text: '기계학습을 배우고 싶어요',
      attachments: [],
    });
    await replyFinished(shell);
    await shell.stop();

    const found = jsonLines((await run(['history', 'search', '학습', '--json', '--data', data])).stdout);
    expect(found).toMatchObject([
      { type: 'hit', conversationId },
      { type: 'result', hits: 1 },
    ]);

    const [json, markdown] = [join(folder, 'all.json'), join(folder, 'all.md')];
    expect((await run(['history', 'export', '--out', json, '--data', data])).status).toBe(0);
    expect(
      (await run(['history', 'export', '--format', 'markdown', '--out', markdown, '--data', data])).status,
    ).toBe(0);
    expect(await readFile(markdown, 'utf8')).toContain('The grass is golden.');

    const elsewhere = join(folder, 'elsewhere');
    const imported = await run(['history', 'import', json, '--json', '--data', elsewhere]);
    expect(jsonLines(imported.stdout)).toEqual([{ type: 'result', conversations: 1, messages: 2 }]);
    expect((await run(['history', 'search', 'golden', '--data', elsewhere])).stdout).toContain('golden');
  });

  test.skipIf(process.platform === 'win32')(
    'lets no Puna start while it imports: it would clear away what is not whole yet',
    async () => {
      const source = openDatabase(join(folder, 'source.db'));
      const history = new History(source);
      for (const title of ['First', 'Second']) history.conversations.create({ title });
      const pieces: string[] = [];
      for await (const piece of history.exportHistory({ format: 'json' })) pieces.push(piece);
      source.close();

      // A pipe, so that the import waits for the rest.
      const pipe = join(folder, 'pipe.json');
      execFileSync('mkfifo', [pipe]);
      const data = join(folder, 'importing');
      const importing = run(['history', 'import', pipe, '--data', data]);
      const writer = await open(pipe, 'w');
      await writer.writeFile(pieces.slice(0, 2).join(''));
      await expect.poll(() => existsSync(join(data, 'lock.db')), { timeout: 20_000 }).toBe(true);
      await expect(startShell({ dataFolder: data })).rejects.toThrow(/already running/);
      await writer.writeFile(pieces.slice(2).join(''));
      await writer.close();
      expect(await importing).toMatchObject({
        status: 0,
        stdout: '2 conversations with 0 messages imported\n',
      });
    },
  );

  test('says in one line that a folder has no history, and that a file is not an export', async () => {
    const empty = await run(['history', 'search', 'anything', '--data', join(folder, 'none')]);
    expect(empty).toMatchObject({ status: 1, stdout: '' });
    expect(empty.stderr.trim().split('\n')).toHaveLength(1);
    const wrong = await run(['history', 'import', model, '--data', join(folder, 'none')]);
    expect(wrong).toMatchObject({ status: 1, stdout: '' });
    expect(wrong.stderr.trim().split('\n')).toHaveLength(1);
  });
});
