import { AxeBuilder } from '@axe-core/playwright';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, withPage } from './browser.ts';

const secret = 'The zebra hides under the violet bridge';

const mayCopy = { permissions: ['clipboard-read', 'clipboard-write'] };

describe.skipIf(!findBrowser())('in the settings', () => {
  let browser: Browser;
  let shell: Shell;
  let removeFolder: () => Promise<void>;
  let conversationId: number;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    const { client } = shell;
    const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden.' });
    await client.models.add({ path });
    for (const title of ['Grass', 'Hills']) await client.conversations.create({ title });
    ({ id: conversationId } = await client.conversations.create({ title: 'Zebra' }));
    await client.chat.send({ conversationId, parentId: null, text: secret, attachments: [] });
    await replyFinished(shell);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  const open = (
    address: string,
    size: { width?: number; height?: number },
    use: (page: Page) => Promise<void>,
  ) => withPage(browser, shell, { address, width: 1100, height: 900, ...size, ...mayCopy }, use);

  async function expectAccessible(page: Page): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  }

  const listed = (page: Page) =>
    page.getByRole('navigation').getByRole('link', { name: /^(Grass|Hills|Zebra)/ });

  test('threads and GPU hold for the next load, and all settings can be reset and that undone', async () => {
    await open('#/settings', {}, async (page) => {
      const computing = page.getByRole('region', { name: 'Computing' });
      await computing.getByText(/GPU that llama.cpp can use was found|GB/).waitFor();
      await computing.getByRole('radio', { name: 'Off' }).click();
      await computing.getByRole('spinbutton', { name: 'Threads' }).fill('2');
      await page.keyboard.press('Tab');
      const stored = async () => (await shell.client.system.state()).settings.computing;
      await expect.poll(stored).toEqual({ gpuLayers: 0, threads: 2 });
      await computing.getByRole('radio', { name: 'Layers' }).click();
      await computing.getByRole('spinbutton', { name: 'Layers on the GPU' }).fill('7');
      await page.keyboard.press('Tab');
      await expect.poll(stored).toEqual({ gpuLayers: 7, threads: 2 });
      await page.getByRole('button', { name: 'Reset settings' }).click();
      await expect.poll(stored).toEqual({ gpuLayers: null, threads: null });
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(stored).toEqual({ gpuLayers: 7, threads: 2 });
      await shell.client.settings.reset();
    });
  });

  test('the data folder is shown with its parts, and how to use another one', async () => {
    await open('#/settings', {}, async (page) => {
      const section = page.getByRole('region', { name: 'Data folder' });
      await section.getByText(shell.dataFolder).waitFor();
      await section.getByRole('listitem').filter({ hasText: 'Conversations' }).waitFor();
      await section.getByRole('button', { name: 'Use another folder' }).click();
      await section.getByText('puna serve --data').waitFor();
      await expectAccessible(page);
    });
  });

  test('all conversations go only when the word is typed, come back, and go for good when asked twice', async () => {
    await open(`#/chat/${conversationId}`, {}, async (page) => {
      await page.getByText(secret).waitFor();
      await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
      const section = page.getByRole('region', { name: 'Start over' });
      await section.getByRole('button', { name: 'Remove all…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Remove all conversations?' });
      const confirm = dialog.getByRole('button', { name: 'Remove all conversations' });
      expect(await confirm.isDisabled()).toBe(true);
      await dialog.getByRole('textbox').fill('remov');
      expect(await confirm.isDisabled()).toBe(true);
      await expectAccessible(page);
      await dialog.getByRole('textbox').fill('remove');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await page.getByText('3 conversations were removed').waitFor();
      await expect.poll(() => listed(page).count()).toBe(0);
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect.poll(() => listed(page).count()).toBe(3);

      await shell.client.conversations.removeAll();
      await section.getByText('3 conversations can still be brought back.').waitFor();
      await section.getByRole('button', { name: 'Bring back' }).click();
      await expect.poll(() => listed(page).count()).toBe(3);
      await shell.client.conversations.remove({ conversationId });
      await section.getByRole('button', { name: 'Remove for good…' }).click();
      const purge = page.getByRole('dialog', { name: 'Remove them for good?' });
      await purge.getByRole('button', { name: 'Cancel' }).click();
      expect((await shell.client.conversations.deleted()).count).toBe(1);
      await section.getByRole('button', { name: 'Remove for good…' }).click();
      await purge.getByRole('button', { name: 'Remove for good' }).click();
      await page.getByText('1 conversation is gone for good').waitFor();
      expect((await shell.client.conversations.deleted()).count).toBe(0);
      await section.getByText('Removed conversations').waitFor({ state: 'detached' });
      expect(await listed(page).count()).toBe(2);
    });
  });

  test('diagnostics are one click away, and copy as text without what was written', async () => {
    await shell.client.conversations.create({ title: secret, systemPrompt: secret });
    await open('#/settings', {}, async (page) => {
      await page.getByRole('region', { name: 'About' }).getByRole('link', { name: 'Look' }).click();
      await page.getByRole('heading', { name: 'Diagnostics' }).waitFor();
      await page
        .getByRole('log')
        .getByText(/Puna .* starts: browser/)
        .waitFor();
      await page.getByText('Nothing wrong was found.').waitFor();
      await page.getByRole('button', { name: 'Check now' }).click();
      await page.getByText('checked and whole').waitFor();
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Copy as text' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      const copied = await page.evaluate<string>('navigator.clipboard.readText()');
      expect(copied).toMatch(/^## Puna\n/);
      expect(copied).toContain('checked and whole');
      expect(copied.toLowerCase()).not.toMatch(/zebra|violet|golden/);
      await page.getByRole('link', { name: 'Back to the settings' }).click();
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
    });
  });

  test('nothing is wider than a narrow window, in Korean', async () => {
    await shell.client.settings.update({ language: 'ko' });
    for (const [address, heading] of [
      ['#/settings', '설정'],
      ['#/settings/diagnostics', '진단'],
    ] as const) {
      await open(address, { width: 360, height: 800 }, async (page) => {
        await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
        await page.getByRole('heading', { name: heading === '진단' ? '기록' : '데이터 폴더' }).waitFor();
        const wide = await page.evaluate<number>(
          `document.querySelector('.page-content').scrollWidth - document.querySelector('.page-content').clientWidth`,
        );
        expect(wide).toBe(0);
        await expectAccessible(page);
      });
    }
    await shell.client.settings.update({ language: 'en' });
  });
});
