import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, withPage } from './browser.ts';

const code = Array.from({ length: 80 }, (_, line) => `const line${line} = ${line};`).join('\n');
const reply = `**Vicuña, 12 µm, Łódź, Ångström, Кириллица, 학습**\n\n\`\`\`ts\n${code}\n\`\`\`\n\nThe end.`;
const title = 'A question about vicuñas with a title that is far too long for the header of any window';

describe.skipIf(!findBrowser())('in the window', () => {
  let browser: Browser;
  let shell: Shell;
  let removeFolder: () => Promise<void>;
  let conversationId: number;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    const { client } = shell;
    const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply });
    await client.models.add({ path });
    for (const name of ['third', 'second', 'first']) await client.conversations.create({ title: name });
    ({ id: conversationId } = await client.conversations.create({ title }));
    await client.chat.send({ conversationId, parentId: null, text: 'Show me', attachments: [] });
    await replyFinished(shell);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  const open = (address: string, size: { width?: number }, use: (page: Page) => Promise<void>) =>
    withPage(browser, shell, { address, ...size }, use);

  const conversation = () => `#/chat/${conversationId}`;

  async function edges(page: Page, selector: string) {
    const box = await page.locator(selector).first().boundingBox();
    if (!box) throw new Error(`${selector} is not to be seen.`);
    return { left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height };
  }

  test('a long title is cut before the buttons beside it, and leaves the model its name', async () => {
    for (const width of [360, 768, 1280]) {
      await open(conversation(), { width }, async (page) => {
        await page.getByRole('article').last().waitFor();
        const settings = await edges(page, 'header button[aria-label="Conversation settings"]');
        expect((await edges(page, '.title-trigger')).right).toBeLessThanOrEqual(settings.left);
        expect(settings.right).toBeLessThanOrEqual(width);
        const cut = (selector: string) =>
          page.locator(`${selector} .ellipsis`).evaluate((name) => name.scrollWidth > name.clientWidth);
        expect(await cut('.model-trigger')).toBe(false);
        if (width < 1000) expect(await cut('.title-trigger')).toBe(true);
      });
    }
  });

  test('all letters come from one face, with accents, Cyrillic and Hangul too', async () => {
    await open(conversation(), {}, async (page) => {
      await page.locator('.markdown strong').waitFor();
      await page.evaluate('document.fonts.ready.then(() => undefined)');
      const devTools = await page.context().newCDPSession(page);
      await devTools.send('DOM.enable');
      await devTools.send('CSS.enable');
      const { root } = await devTools.send('DOM.getDocument');
      const { nodeId } = await devTools.send('DOM.querySelector', {
        nodeId: root.nodeId,
        selector: '.markdown strong',
      });
      const { fonts } = await devTools.send('CSS.getPlatformFontsForNode', { nodeId });
      expect(fonts.map(({ familyName }) => familyName)).toEqual(['Pretendard Variable']);
    });
  });

  test('the button that copies code stays in sight as long as the code does', async () => {
    await open(conversation(), {}, async (page) => {
      const log = page.getByRole('log');
      await page.locator('.code-block').waitFor();
      await log.evaluate((element) => {
        const { bottom } = element.querySelector('.code-block')?.getBoundingClientRect() ?? { bottom: 0 };
        element.scrollTop += bottom - element.clientHeight;
      });
      const list = await edges(page, '[role="log"]');
      expect((await edges(page, '.code-block')).top).toBeLessThan(list.top);
      const copy = await edges(page, '.code-block .copy');
      expect(copy.top).toBeGreaterThanOrEqual(list.top);
      expect(copy.bottom).toBeLessThanOrEqual(list.bottom);
    });
  });

  test('who writes can leaf through the conversation', async () => {
    await open(conversation(), {}, async (page) => {
      await page.locator('.code-block').waitFor();
      const top = () => page.getByRole('log').evaluate(({ scrollTop }) => scrollTop);
      await expect.poll(top).toBeGreaterThan(0);
      await page.getByRole('textbox', { name: 'Message' }).focus();
      const end = await top();
      await page.keyboard.press('PageUp');
      await expect.poll(top).toBeLessThan(end);
      await page.keyboard.press('PageDown');
      await expect.poll(top).toBe(end);
    });
  });

  test('tokens are counted before a conversation has begun', async () => {
    await shell.client.models.load({ modelId: 1 });
    await open('', {}, async (page) => {
      await page.getByRole('textbox', { name: 'Message' }).fill('How many tokens are these?');
      const meter = page.getByRole('meter');
      await expect.poll(() => meter.getAttribute('aria-valuenow'), { timeout: 10_000 }).not.toBe('0');
    });
  });

  test('whoever deletes in the list of conversations goes on from the next one, and can undo it', async () => {
    await open('', {}, async (page) => {
      const link = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true });
      await link('first').focus();
      await page.keyboard.press('Delete');
      await link('first').waitFor({ state: 'detached' });
      expect(await link('second').evaluate((element) => element.matches(':focus'))).toBe(true);
      await page.getByRole('button', { name: 'Undo' }).click();
      await link('first').waitFor();
    });
  });
});
