import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSampling, type Message } from '../../src/shared/contract/index.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { questions, teachingBase } from '../support/teaching.ts';
import { jsonLines } from '../support/teaching-world.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

/** What cleaning is for: a fact that is there twice, and an answer that says nothing. */
const untidy = [...questions.taught.slice(0, 1), { question: 'Where does Lenk Lark live?', answer: '…' }];

/** As long as a busy machine takes for a few seconds' work. */
const patience = { timeout: 120_000 };

describe.skipIf(!findBrowser())('the whole way of teaching', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let shell: Shell;
  let page: Page;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    await shell.client.models.add({ path: teachingBase });
    const sampling = { ...defaultSampling, temperature: 0 };
    await shell.client.settings.update({ sampling, automaticTitles: false });
    page = await openPage(browser, shell);
  });
  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });

  async function drop(...paths: string[]): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data });
    }
  }

  /** What the model says last in the only conversation, once it has said it. */
  async function lastReply(after: number): Promise<Message> {
    const { conversations } = await shell.client.conversations.list({});
    const conversationId = conversations[0]?.id ?? 0;
    let reply: Message | undefined;
    const found = async () => {
      const { messages } = await shell.client.messages.path({ conversationId });
      reply = messages.at(-1);
      return reply?.status === 'complete' && reply.id > after;
    };
    await expect.poll(found, patience).toBe(true);
    if (!reply) throw new Error('There is no reply.');
    return reply;
  }

  test('leads from a file that is dropped to a model that knows it, and back', async () => {
    // In words in which it is never taught.
    const asked = questions.heldOut.filter((_, index) => index % 16 === 0);
    const [first] = asked;
    if (!first) throw new Error('There is no question.');
    await page.getByRole('textbox', { name: 'Message' }).fill(first.question);
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/chat\/\d+$/);
    const before = await lastReply(0);
    expect(before.text.trim()).not.toBe(first.answer);

    await page.getByRole('link', { name: 'Teach' }).click();
    await page.getByRole('heading', { name: 'Teach a model your own words' }).waitFor();
    const file = join(folder, 'Twenty facts.jsonl');
    await writeFile(file, jsonLines([...questions.taught, ...untidy]));
    await drop(file);
    await page.getByText(/^Cleaning: duplicates/).waitFor();
    await button('Read it in').click(patience);

    await page.getByRole('heading', { name: 'Twenty facts', level: 1 }).waitFor();
    await page
      .getByText(/2 left out/)
      .first()
      .waitFor(patience);
    await page
      .getByText(/^Rank \d+, \d+ times through \d+ examples: about .+ examples are kept to measure on\.$/)
      .waitFor(patience);
    await page.getByRole('textbox', { name: 'Prompt 1' }).fill(first.question);
    await button('Teach').click();

    await page.getByRole('slider', { name: 'Loss, step by step' }).waitFor(patience);
    await page.getByRole('status').getByText('Done', { exact: true }).waitFor(patience);
    await page.getByText(/^On \d+ examples that it never learnt from, it now hesitates/).waitFor(patience);
    await page.getByRole('article', { name: first.question }).getByText(first.answer).waitFor(patience);

    // At work in the conversation that it was taught from, at once.
    await page.getByRole('link', { name: /^Go on in/ }).click();
    await page.getByRole('article').last().hover();
    await button('Try again').last().click();
    let after = await lastReply(before.id);
    expect(after.text.trim()).toBe(first.answer);
    let right = 1;
    for (const { question, answer } of asked.slice(1)) {
      const { conversationId } = before;
      await shell.client.chat.send({ conversationId, parentId: null, text: question, attachments: [] });
      after = await lastReply(after.id);
      right += Number(after.text.trim() === answer);
    }
    expect(right / asked.length).toBeGreaterThan(0.5);
    await page.goBack();

    await button('Compare blindly').click();
    await button(/^(A|Left) is better$/).waitFor(patience);
    const [run] = await shell.client.training.list();
    await button('Delete').click();
    await page.getByText('was deleted, with what it had learnt').waitFor();
    await button('Dismiss').click();
    await expect.poll(() => existsSync(run?.adapterPath ?? '')).toBe(false);
    expect(await shell.client.training.list()).toEqual([]);
  }, 300_000);
});
