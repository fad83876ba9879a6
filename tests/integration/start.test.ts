import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { connect, replyFinished, temporaryFolder } from '../support/shell.ts';

let child: ChildProcess;
let removeFolder: () => Promise<void>;
afterEach(async () => {
  if (child.exitCode === null) {
    child.kill('SIGINT');
    await once(child, 'exit');
  }
  await removeFolder();
});

test.runIf(process.platform === 'linux')(
  'npm start on a machine without a screen says why there is no window, and serves the page with a model that answers',
  async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    const env = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' };
    const words = ['scripts/start.js', '--no-open', '--port', '0', '--json', '--data', folder];
    child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    child.stderr?.on('data', (data: Buffer) => (told += data.toString()));
    if (!child.stdout) throw new Error('A pipe was asked for.');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { link, port } = JSON.parse(line) as { link: string; port: number };
    expect(told.trim().split('\n').at(-1)).toBe('Puna opens in your browser: this machine has no screen.');

    const entrance = await fetch(link, { redirect: 'manual' });
    const cookie = entrance.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(new URL('/', link), { headers: { cookie } });
    expect(await page.text()).toContain('<title>Puna</title>');

    const { client, socket } = await connect(link, port);
    const { questions } = await client.samples.get();
    const { id: conversationId } = await client.conversations.create({});
    const text = questions.chat[0]?.en ?? '';
    await client.chat.send({ conversationId, parentId: null, text });
    await replyFinished({ client });
    const { messages } = await client.messages.path({ conversationId });
    socket.terminate();
    expect(messages).toMatchObject([
      { role: 'user', text: expect.stringMatching(/\w/) as string },
      { role: 'assistant', status: 'complete', stats: { model: 'Puna Starter' } },
    ]);
    // Whether it is right is another test's question.
    expect(messages[1]?.text).toMatch(/\w+ \w+/);
  },
);
