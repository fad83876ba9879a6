import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { databaseFile, History, openDatabase } from '../../src/main/history/index.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

const count = 3000;

/** What has the focus, and whether all of it is in sight in its list. */
const focused = `(() => {
  const { activeElement: row } = document;
  const list = row.closest('[role="list"]');
  if (!list) return { title: row.tagName, inSight: false };
  const [inner, outer] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  return { title: row.textContent.trim(), inSight: inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 };
})()`;

describe.skipIf(!findBrowser())('the list of three thousand conversations', () => {
  let browser: Browser;
  let shell: Shell;
  let page: Page;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    const dataFolder = join(folder, 'data');
    const database = openDatabase(databaseFile(dataFolder));
    const history = new History(database);
    database.transaction(() => {
      for (let number = count; number > 0; number--)
        history.conversations.create({ title: `Chat ${number}` });
    })();
    database.close();
    shell = await startShell({ dataFolder, built: true });
    browser = await launchBrowser();
    page = await openPage(browser, shell);
  });
  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  beforeEach(async () => {
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${shell.port}/#/weights`);
    await page.getByRole('link', { name: 'Chat 1', exact: true }).focus();
  });

  const now = () => page.evaluate<{ title: string; inSight: boolean }>(focused);
  const isAt = (number: number) =>
    expect.poll(now, { timeout: 20_000 }).toEqual({ title: `Chat ${number}`, inSight: true });

  /** As fast as a browser takes them, without a look at what they do. */
  async function pressFast(key: string, times: number): Promise<void> {
    await Promise.all(Array.from({ length: times }, () => page.keyboard.press(key)));
  }

  test('is gone through from end to end with Home and End', async () => {
    await page.keyboard.press('End');
    await isAt(count);
    await page.keyboard.press('ArrowUp');
    await isAt(count - 1);
    await page.keyboard.press('Home');
    await isAt(1);
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await isAt(2);
    await page.keyboard.press('End');
    await isAt(count);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('[aria-current="page"]').last().innerText()).toBe(`Chat ${count}`);
  });

  test('loses no arrow, however fast they come, also beyond what was loaded', async () => {
    await pressFast('ArrowDown', 150);
    await isAt(151);
    await pressFast('ArrowUp', 100);
    await isAt(51);
    await pressFast('ArrowDown', 149);
    await isAt(200);
    await page.keyboard.press('ArrowDown');
    await isAt(201);
  });

  test('is leafed through page by page, and back to where one was', async () => {
    await page.keyboard.press('PageDown');
    await expect.poll(async () => (await now()).title).not.toBe('Chat 1');
    const { title } = await now();
    const rows = Number(title.replace('Chat ', '')) - 1;
    expect(rows).toBeGreaterThan(5);
    await isAt(1 + rows);
    await pressFast('PageDown', 4);
    await isAt(1 + 5 * rows);
    await page.keyboard.press('ArrowDown');
    await isAt(2 + 5 * rows);
    await pressFast('PageUp', 6);
    await isAt(1);
  });

  test('keeps the focus while conversations of it are deleted', async () => {
    await page.keyboard.press('End');
    await isAt(count);
    await pressFast('ArrowUp', 20);
    await isAt(count - 20);
    await pressFast('Delete', 3);
    await isAt(count - 17);
    const gone = page.getByRole('link', { name: new RegExp(`^Chat ${count - 18}$`) });
    await gone.waitFor({ state: 'detached' });
    expect(await shell.client.conversations.deleted()).toMatchObject({ count: 3 });
    const row = page
      .getByRole('listitem')
      .filter({ has: page.getByRole('link', { name: `Chat ${count - 17}` }) });
    expect(await row.getAttribute('aria-posinset')).toBe(String(count - 20));
    expect(await row.getAttribute('aria-setsize')).toBe(String(count - 3));
  });
});
