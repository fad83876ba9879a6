import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';

// Opens a packaged Puna, fuses and all, and has its starter model answer; the workflow does so on each system.
//   node scripts/try-packaged.ts PROGRAM
// Puna is not told of that: Chromium's protocol is reached by a switch of Chromium's own.

const program = process.argv[2];
if (!program) throw new Error('Which program?');

/** A slow machine that starts a program for the first time. */
const patience = 120_000;

const folder = await mkdtemp(join(tmpdir(), 'puna-try-'));
const port = await freePort();
const child = spawn(program, [`--remote-debugging-port=${port}`, '--lang=en-US', '--data', folder], {
  stdio: 'inherit',
});
const ended = once(child, 'exit').then(([code]) => {
  throw new Error(`Puna ended with ${String(code)}.`);
});
try {
  await Promise.race([ended, ask()]);
} finally {
  child.kill();
  await once(child, 'exit').catch(() => undefined);
  // Windows lets go of files a moment later.
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}
process.exit();

async function ask(): Promise<void> {
  const browser = await connect();
  const page = await firstPage(browser);
  const [question = ''] = await questions();
  const composer = page.getByRole('textbox', { name: /^(Message|메시지)$/ });
  await composer.fill(question, { timeout: patience });
  await page.keyboard.press('Enter');
  const reply = page.getByRole('article').last();
  await reply.getByRole('button', { name: /^(Copy|복사)$/ }).waitFor({ timeout: patience });
  // What it says is a matter of chance; that it says something is an engine that works.
  const said = await reply.innerText();
  console.log(`${page.url()}\n${question}\n${said}`);
  if (!/tokens\/s/.test(said)) throw new Error('That is no answer of a model.');
  await browser.close();
}

async function questions(): Promise<string[]> {
  const samples = JSON.parse(await readFile('resources/starter/samples.json', 'utf8')) as {
    questions: { chat: { en: string }[] };
  };
  return samples.questions.chat.map(({ en }) => en);
}

async function connect(): Promise<Browser> {
  const until = Date.now() + patience;
  for (;;) {
    try {
      return await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    } catch (error) {
      if (Date.now() > until) throw error;
      await wait(500);
    }
  }
}

async function firstPage(browser: Browser): Promise<Page> {
  const [context] = browser.contexts();
  if (!context) throw new Error('Chromium shows nothing.');
  return context.pages()[0] ?? (await context.waitForEvent('page', { timeout: patience }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
