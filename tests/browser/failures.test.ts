import { AxeBuilder } from '@axe-core/playwright';
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, withPage } from './browser.ts';

const sentence = '파일이 손상되었어요.';
const remedy = '다시 내려받거나 복사해 주세요. 다른 파일을 골라도 돼요.';

describe.skipIf(!findBrowser())('in Korean', () => {
  let browser: Browser;
  let shell: Shell;
  let broken: string;
  let datasetId: number;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    const { client } = shell;
    await client.settings.update({ automaticTitles: false, language: 'ko' });
    const golden = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden.' });
    broken = join(folder, 'first by name.gguf');
    await copyFile(golden, broken);
    await client.models.add({ path: broken });
    await client.models.add({ path: golden });
    await truncate(broken, 3000);
    const path = join(folder, 'colours.jsonl');
    await writeFile(
      path,
      '{"messages":[{"role":"user","content":"Colour?"},{"role":"assistant","content":"Golden."}]}',
    );
    const sources = [{ from: 'file' as const, path }];
    const order = { kind: 'import' as const, name: 'Colours', sources, clean: null, validation: 0 };
    ({ id: datasetId } = await client.datasets.import(order));
    while (!(await client.datasets.list()).every(({ state }) => state === 'ready')) await wait(20);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  async function expectAccessible(page: Page, part = 'main'): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).include(part).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  }

  test('a model whose file is broken is told once where it was to be taught', async () => {
    await withPage(browser, shell, { address: `#/teach/dataset/${datasetId}`, width: 360 }, async (page) => {
      await page.getByText('지금은 알 수 없어요. 위의 설명을 봐 주세요.').waitFor();
      const alerts = page.getByRole('main').getByRole('alert');
      expect(await alerts.count()).toBe(1);
      expect(await alerts.innerText()).toMatch(/^쓸 수 없는 모델이에요\./);
      await expectAccessible(page);
    });
  });

  test('a model whose file is broken fails a reply with what to do, and with the words of the program below', async () => {
    await withPage(browser, shell, { width: 360 }, async (page) => {
      await page.getByRole('button', { name: '모델: first by name' }).waitFor();
      await page.getByRole('textbox', { name: '메시지' }).fill('Colour?');
      await page.keyboard.press('Enter');
      const reply = page.getByRole('article').last();
      await reply.getByText(`${sentence} ${remedy}`).waitFor();
      const details = reply.getByText(broken);
      expect(await details.isVisible()).toBe(false);
      await reply.getByText('자세히 (영어)').click();
      expect(await details.isVisible()).toBe(true);
      expect(await details.evaluate((element) => element.closest('[lang]')?.getAttribute('lang'))).toBe('en');
      await expectAccessible(page);
    });
  });

  test('a model whose file is broken is marked where models are chosen, and the next one answers by itself', async () => {
    await withPage(browser, shell, { width: 360 }, async (page) => {
      await page.getByRole('button', { name: '모델: golden' }).click();
      await page.getByRole('button', { name: `first by name ${sentence}` }).waitFor();
      await expectAccessible(page, '.popup');
      await page.keyboard.press('Escape');
      await page.getByRole('textbox', { name: '메시지' }).fill('Colour?');
      await page.keyboard.press('Enter');
      await page.getByRole('article').last().getByText('Golden.').waitFor();
      await page.goto(`http://127.0.0.1:${shell.port}/#/models`);
      const card = page.getByRole('article', { name: 'first by name' });
      await card.getByText(`${sentence} ${remedy}`).waitFor();
      // It may be another file by now.
      await card.getByRole('button', { name: '불러오기', exact: true }).click();
      await card.getByRole('button', { name: '다시 시도' }).waitFor();
      // And can still be chosen elsewhere, where it is called so too.
      const option = `first by name · ${sentence}`;
      await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
      const usual = page.getByRole('combobox', { name: '모델', exact: true });
      await usual.selectOption({ label: option });
      await page.goto(`http://127.0.0.1:${shell.port}/#/teach/dataset/${datasetId}`);
      const taught = page.getByRole('combobox', { name: '가르칠 모델' });
      await taught.selectOption({ label: option });
      expect(await taught.locator(':checked').innerText()).toBe(option);
      await expectAccessible(page);
    });
  });

  test('what was refused is told with what to do, and the words of the program at the press of a button', async () => {
    await withPage(browser, shell, { address: '#/settings', width: 360 }, async (page) => {
      const buffer = Buffer.from('[]');
      const file = { name: 'notes.json', mimeType: 'application/json', buffer };
      await page.locator('input[accept*="application/json"]').setInputFiles(file);
      const notice = page.getByRole('region', { name: '알림' }).getByRole('listitem');
      await notice.getByText('고르거나 적은 것을 확인해 주세요.').waitFor();
      await expectAccessible(page, '[data-sonner-toaster]');
      await notice.getByRole('button', { name: '자세히 (영어)' }).click();
      await notice.getByText('notes.json is not a history that Puna exported as JSON').waitFor();
      expect(await notice.getByText('그렇게는 할 수 없어요.').isVisible()).toBe(true);
      await expectAccessible(page, '[data-sonner-toaster]');
      const { width } = (await notice.boundingBox()) ?? { width: Infinity };
      expect(width).toBeLessThanOrEqual(360);
    });
  });
});
