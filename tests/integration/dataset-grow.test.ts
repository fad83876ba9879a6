import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../support/command.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildScriptedModel } from '../support/tiny-scripted.ts';

let folder: string;
let removeFolder: () => Promise<void>;
beforeAll(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.folder;
  removeFolder = temporary.remove;
});
afterAll(() => removeFolder());

const eventsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const model = (name: string, reply: string, ballast = 0) =>
  buildScriptedModel(join(folder, name), { reply, ballast });

const task = 'Instruction: Write a poem about rain in spring.\nInput: none';

describe('puna dataset grow', () => {
  test('makes question–answer pairs of texts', async () => {
    const reply = 'Q: How long is the bridge of Aldermoor?\nA: It reaches 240 metres, all in grey granite.';
    const note = join(folder, 'bridge.md');
    await writeFile(
      note,
      '# Aldermoor\n\nThe bridge reaches over 240 metres, all in grey granite, and carries two lanes and a tram. It was paid for with a tax on salt.',
    );
    const out = join(folder, 'pairs.jsonl');
    const words = ['dataset', 'grow', '--kind', 'pairs', '--model', await model('pairs.gguf', reply)];
    const { status, stdout, stderr } = await run([...words, '--data', note, '--out', out, '--json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(eventsOf(stdout).at(-1)).toEqual({
      ...{ type: 'result', path: out, examples: 1, leftOut: [], stopped: false },
    });
    expect(eventsOf(await readFile(out, 'utf8'))).toEqual([
      {
        messages: [
          { role: 'user', content: 'How long is the bridge of Aldermoor?' },
          { role: 'assistant', content: 'It reaches 240 metres, all in grey granite.' },
        ],
      },
    ]);
  });

  test('ends by itself with a model that always says the same, and keeps what is new', async () => {
    const out = join(folder, 'tasks.jsonl');
    const words = ['dataset', 'grow', '--kind', 'self-instruct', '--model', await model('same.gguf', task)];
    const { status, stdout } = await run([...words, '--count', '5', '--out', out]);
    expect(status).toBe(0);
    expect(stdout).toContain('1 example.\n');
    expect(stdout).toContain('10 left out: tasks and questions that are similar to earlier ones\n');
    expect(eventsOf(await readFile(out, 'utf8'))).toEqual([
      {
        messages: [
          { role: 'user', content: 'Write a poem about rain in spring.' },
          { role: 'assistant', content: task },
        ],
      },
    ]);
  });

  test('writes nothing and says so when nothing can be used', async () => {
    const out = join(folder, 'chats.jsonl');
    await writeFile(out, 'as it was');
    const words = ['dataset', 'grow', '--kind', 'self-chat', '--model', await model('bye.gguf', 'Goodbye!')];
    const { status, stderr } = await run([...words, '--topics', 'wool', '--topics', 'rain', '--out', out]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'puna: The model has written nothing that can be learnt from. Choose a larger model, or one that was made for conversations.\n',
    });
    expect(await readFile(out, 'utf8')).toBe('as it was');
  });

  test.each([
    ['self-chat', /--topics/],
    ['pairs', /--data/],
  ])('says what %s needs', async (kind, said) => {
    const out = join(folder, 'needs.jsonl');
    const { status, stderr } = await run([
      'dataset',
      'grow',
      '--kind',
      kind,
      '--model',
      'none.gguf',
      '--out',
      out,
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(said);
    expect(existsSync(out)).toBe(false);
  });

  test('keeps what there is at Ctrl-C', async () => {
    const out = join(folder, 'stopped.jsonl');
    const words = [
      'dataset',
      'grow',
      '--kind',
      'self-instruct',
      '--model',
      await model('slow.gguf', task, 30),
    ];
    const child = spawn(
      process.execPath,
      ['src/main/cli.ts', ...words, '--count', '5', '--out', out, '--json'],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const closed = once(child, 'close');
    let last: Record<string, unknown> = {};
    for await (const line of createInterface({ input: child.stdout })) {
      last = JSON.parse(line) as Record<string, unknown>;
      if (last.type === 'progress' && last.examples === 1) child.kill('SIGINT');
    }
    await closed;
    expect(last).toMatchObject({ type: 'result', examples: 1, stopped: true });
    expect(eventsOf(await readFile(out, 'utf8'))).toHaveLength(1);
  });
});
