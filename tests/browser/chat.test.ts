import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

const reply = 'The grass of the puna is golden. 기계학습을 배워요.';
/** Said over and over, slowly enough to be stopped. */
const endlessReply = ' one two three four five six seven';
const everything = endlessReply.repeat(5000).trimStart();

describe.skipIf(!findBrowser())('the chat page', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let models: { golden: string; endless: string };
  let shell: Shell;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    models = {
      golden: await buildScriptedModel(join(folder, 'golden.gguf'), { reply }),
      endless: await buildScriptedModel(join(folder, 'endless.gguf'), {
        ...{ reply: endlessReply, endless: true, ballast: 60 },
      }),
    };
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });

  let run = 0;
  beforeEach(async () => {
    shell = await startShell({ dataFolder: join(folder, `data-${++run}`), built: true });
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
    complaints = [];
    page = await openPage();
  });

  afterEach(async () => {
    await context.close();
    await shell.stop();
    expect(complaints).toEqual([]);
  });

  async function openPage(): Promise<Page> {
    const opened = await context.newPage();
    // The page must run without a word of complaint, about its security policy not least.
    opened.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    opened.on('pageerror', (error) => complaints.push(error.message));
    await opened.goto(shell.link);
    return opened;
  }

  const add = (path: string) => shell.client.models.add({ path });

  async function send(text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.keyboard.press('Enter');
  }

  const articles = () => page.getByRole('article');
  const lastReply = () => articles().last();
  const tool = (name: string) => lastReply().getByRole('button', { name, exact: true });
  const eventually = (read: () => Promise<unknown>) => expect.poll(read, { timeout: 20_000, interval: 50 });
  const replyText = () => lastReply().innerText();

  /** The reply has ended: its tools are there, and nothing can be stopped any more. */
  async function replyEnds(): Promise<void> {
    await page.getByRole('button', { name: /^Stop/ }).waitFor({ state: 'hidden' });
    await tool('Copy').waitFor();
  }

  test('begins with a model file, picked on the machine that runs Puna', async () => {
    await page.getByRole('button', { name: 'Add model file' }).click();
    await page.getByLabel('Path of a folder or a GGUF file').fill(folder);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('button', { name: /golden\.gguf/ }).click();
    await send('What colour is the grass?');
    await eventually(replyText).toContain('golden');
  });

  test('says in the dialog what is wrong with a file', async () => {
    await page.getByRole('button', { name: 'Add model file' }).click();
    await page.getByLabel('Path of a folder or a GGUF file').fill(join(folder, 'missing.gguf'));
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await eventually(() => page.getByRole('alert').innerText()).toContain('missing.gguf');
  });

  test('sends, streams, and shows how it was made', async () => {
    await add(models.golden);
    await send('What colour is the grass?');
    await eventually(replyText).toContain(reply);
    await replyEnds();
    await eventually(() => lastReply().innerText()).toMatch(/tokens\/s/);
    expect(await articles().count()).toBe(2);
    // The conversation is named, and stands in the sidebar.
    await eventually(() => page.getByRole('navigation').innerText()).toMatch(/grass/i);
  });

  test('stops with Esc, keeps what was said, and writes on from there', async () => {
    await add(models.endless);
    await send('Count');
    await eventually(replyText).toContain('one two three');
    await page.keyboard.press('Escape');
    await replyEnds();
    const { messages } = await shell.client.messages.path({ conversationId: 1, limit: 10 });
    const stopped = messages.at(-1);
    expect(stopped).toMatchObject({ status: 'stopped' });
    await tool('Write on').first().click();
    await eventually(async () => {
      const path = await shell.client.messages.path({ conversationId: 1, limit: 10 });
      return (path.messages.at(-1)?.text.length ?? 0) > (stopped?.text.length ?? 0);
    }).toBe(true);
    await page.keyboard.press('Escape');
    await replyEnds();
    const after = (await shell.client.messages.path({ conversationId: 1, limit: 10 })).messages.at(-1);
    expect(after?.id).toBe(stopped?.id);
    expect(everything.startsWith(after?.text ?? '?')).toBe(true);
  });

  test('makes a reply again beside the old one, and leafs between them', async () => {
    await add(models.golden);
    await send('Hello');
    await eventually(replyText).toContain(reply);
    await replyEnds();
    await tool('Try again').click();
    await eventually(replyText).toContain('2/2');
    await replyEnds();
    await tool('Previous version').click();
    await eventually(replyText).toContain('1/2');
    expect(await articles().count()).toBe(2);
  });

  test('edits a message into a new branch; the old one stays', async () => {
    await add(models.golden);
    await send('First wording');
    await replyEnds();
    const mine = () => articles().first();
    await mine().hover();
    await mine().getByRole('button', { name: 'Edit' }).click();
    await mine().getByRole('textbox').fill('Second wording');
    await mine().getByRole('button', { name: 'Send' }).click();
    await eventually(() => mine().innerText()).toContain('Second wording');
    await eventually(() => mine().innerText()).toContain('2/2');
    await replyEnds();
    await mine().hover();
    await mine().getByRole('button', { name: 'Previous version' }).click();
    await eventually(() => mine().innerText()).toContain('First wording');
    await eventually(replyText).toContain(reply);
  });

  test('edits the last message with the up key, and leaves the editor as it came', async () => {
    await add(models.golden);
    await send('First wording');
    await replyEnds();
    await page.keyboard.press('ArrowUp');
    const field = page.getByRole('textbox', { name: 'Your message' });
    await eventually(() => field.inputValue()).toBe('First wording');
    await page.keyboard.press('Escape');
    const opener = articles().first().getByRole('button', { name: 'Edit' });
    await eventually(() => opener.evaluate((button) => button.matches(':focus'))).toBe(true);
    await page.keyboard.press('Enter');
    await field.fill('Second wording');
    await page.keyboard.press('Enter');
    await eventually(() => articles().first().innerText()).toContain('Second wording');
    await replyEnds();
  });

  test('finds Korean by two syllables inside a word, and goes there', async () => {
    await add(models.golden);
    await send('Hello');
    await eventually(replyText).toContain(reply);
    await replyEnds();
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('학습');
    const hit = page.getByRole('dialog').locator('mark', { hasText: '학습' }).last();
    await hit.waitFor();
    await hit.click();
    await eventually(replyText).toContain('기계학습을');
  });

  test('is as it was after a reload, in mid-reply too', async () => {
    await add(models.endless);
    await send('Count');
    await eventually(replyText).toContain('one two three');
    await page.reload();
    await eventually(replyText).toContain('one two three');
    const before = (await replyText()).length;
    await eventually(async () => (await replyText()).length).toBeGreaterThan(before);
    await page.keyboard.press('Escape');
    await replyEnds();
    const kept = (await shell.client.messages.path({ conversationId: 1, limit: 10 })).messages
      .at(-1)
      ?.text.trim();
    expect(everything.startsWith(kept ?? '?')).toBe(true);
    // What the window put together of a snapshot and of pieces is what was kept: no piece twice, none missing.
    expect((await replyText()).replaceAll(/\s+/g, ' ')).toContain(kept);
  });

  test('shows in a second tab what happens in the first', async () => {
    await add(models.golden);
    const other = await openPage();
    await send('Hello from the first tab');
    await eventually(() => other.getByRole('navigation').innerText()).toContain('Hello from the first tab');
    await replyEnds();
    await other.getByRole('navigation').getByRole('link').first().click();
    await eventually(() => other.getByRole('article').last().innerText()).toContain(reply);
    await other.getByRole('textbox', { name: 'Message' }).fill('And from the second');
    await other.keyboard.press('Enter');
    await eventually(() => articles().count()).toBe(4);
  });

  test('keeps the reply when the engine is killed, says why, and goes on', async () => {
    await add(models.endless);
    await send('Count');
    await eventually(replyText).toContain('one two three');
    process.kill(engineOf(shell), 'SIGKILL');
    await eventually(replyText).toMatch(/SIGKILL|stopped working/);
    const kept = (await shell.client.messages.path({ conversationId: 1, limit: 10 })).messages.at(-1);
    expect(kept).toMatchObject({ status: 'interrupted' });
    expect(kept?.text.length).toBeGreaterThan(0);
    await tool('Write on').first().click();
    await eventually(async () => {
      const path = await shell.client.messages.path({ conversationId: 1, limit: 10 });
      return (path.messages.at(-1)?.text.length ?? 0) > (kept?.text.length ?? 0);
    }).toBe(true);
    await page.keyboard.press('Escape');
  });

  test('has the reply up to its last quarter second when the whole program is killed', async () => {
    await add(models.endless);
    await send('Count');
    await eventually(async () => (await replyText()).length).toBeGreaterThan(200);
    const seen = (await lastReply().locator('p').first().innerText()).trim();
    await new Promise((resolve) => setTimeout(resolve, 260));
    await shell.kill();
    shell = await startShell({ dataFolder: shell.dataFolder, built: true });
    const kept = (await shell.client.messages.path({ conversationId: 1, limit: 10 })).messages.at(-1);
    expect(kept).toMatchObject({ status: 'interrupted' });
    expect(kept?.text.startsWith(seen)).toBe(true);
    complaints = [];
  });

  test('lets two conversations take turns, and shows who waits', async () => {
    await add(models.endless);
    await send('First');
    await eventually(replyText).toContain('one two three');
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await eventually(() => articles().count()).toBe(0);
    await send('Second');
    await eventually(replyText).toMatch(/Waiting/);
    await page.keyboard.press('Escape');
    await eventually(replyText).toMatch(/Stopped/);
  });

  test('lets nothing act that a model writes', async () => {
    const evil = [
      '<img src=x onerror="window.hacked=1">',
      '<script>window.hacked=1</script>',
      '[click](javascript:window.hacked=1)',
      '![pixel](http://tracker.example/p.png)',
      '<iframe src="http://tracker.example"></iframe>',
      '<style>body{display:none}</style>',
    ].join('\n\n');
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await add(await buildScriptedModel(join(folder, 'evil.gguf'), { reply: evil }));
    await send('Hello');
    await replyEnds();
    await eventually(replyText).toContain('click');
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(
      await lastReply().locator('script, iframe, style, img[src^="http"], a[href^="javascript:"]').count(),
    ).toBe(0);
    expect(requests.filter((url) => url.includes('tracker'))).toEqual([]);
    expect(await page.locator('body').isVisible()).toBe(true);
    // The sanitizer reads what it is given in a document without scripts; Chromium reports what that would have refused.
    complaints = complaints.filter((complaint) => !complaint.includes('Executing inline event handler'));
  });
});

/** The process of the shell's engine: its only child. */
function engineOf({ process: parent }: Shell): number {
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(parent.pid)])
    .toString()
    .trim()
    .split(/\s+/);
  const [pid] = children.map(Number);
  if (!pid) throw new Error('The shell has no engine.');
  return pid;
}
