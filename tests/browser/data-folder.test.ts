import { AxeBuilder } from '@axe-core/playwright';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, withPage } from './browser.ts';

// Windows lets nobody take away what is open.
describe.skipIf(!findBrowser() || process.platform === 'win32')('a data folder that was moved away', () => {
  let browser: Browser;
  let shell: Shell;
  let elsewhere: string;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    elsewhere = join(folder, 'elsewhere');
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    await shell.client.settings.update({ language: 'ko' });
    await shell.client.conversations.create({ title: 'Kept' });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  test.each([360, 1280])('is told of on a page %i pixels wide, until it is back', async (width) => {
    await withPage(browser, shell, { width, address: '#/models' }, async (page) => {
      const notice = page.getByRole('alert').filter({ hasText: '제자리에 없어요' });
      const button = notice.getByRole('button', { name: '대화 내보내기' });
      await page.getByRole('main').getByRole('heading').first().waitFor();
      expect(await notice.count()).toBe(0);
      await rename(shell.dataFolder, elsewhere);
      await notice.waitFor();
      expect(await notice.innerText()).toContain(shell.dataFolder);
      expect((await new AxeBuilder({ page }).include('main').analyze()).violations).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
      // A page that opens later is told as well.
      await page.reload();
      const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
      expect(await readFile(await download.path(), 'utf8')).toContain('"Kept"');
      await rename(elsewhere, shell.dataFolder);
      await notice.waitFor({ state: 'detached' });
    });
  });
});
