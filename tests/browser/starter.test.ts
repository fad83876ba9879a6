import { AxeBuilder } from '@axe-core/playwright';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSampling } from '../../src/shared/contract/index.ts';
import { buildTinyModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildResources } from '../support/starter.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

describe.skipIf(!findBrowser())('the starter model among the models', () => {
  let browser: Browser;
  let shell: Shell;
  let page: Page;
  let folder: string;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    const resources = await buildResources(folder);
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true, resources });
    browser = await launchBrowser();
    page = await openPage(browser, shell, { address: '#/models' });
  });
  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  const card = () => page.getByRole('article', { name: 'Puna Starter', exact: true });
  const wayToLarger = () => page.getByText('The starter model is tiny');

  test('says where it comes from, and is not Puna’s to delete', async () => {
    await card().getByText('Comes with Puna').first().waitFor();
    await page.getByRole('button', { name: 'Options for Puna Starter' }).click();
    await page.getByRole('menuitem', { name: 'Remove from the list' }).waitFor();
    expect(await page.getByRole('menuitem', { name: /^Delete/ }).count()).toBe(0);
    await page.keyboard.press('Escape');
  });

  test('answers with its likeliest words, unless a person has chosen how words are drawn', async () => {
    const samplingOfNewChat = async () => {
      await page.goto(`http://127.0.0.1:${shell.port}/#/`);
      await page.getByRole('textbox', { name: 'Message' }).fill('Hello');
      await page.keyboard.press('Enter');
      await page.waitForURL(/#\/chat\/\d+$/);
      const conversationId = Number(/\d+$/.exec(page.url())?.[0]);
      return (await shell.client.conversations.get({ conversationId })).sampling;
    };
    expect(await samplingOfNewChat()).toMatchObject({ temperature: 0, repeatPenalty: 1 });
    await shell.client.settings.update({ sampling: { ...defaultSampling, temperature: 0.2 } });
    expect(await samplingOfNewChat()).toMatchObject({ temperature: 0.2, repeatPenalty: 1.1 });
    await page.goto(`http://127.0.0.1:${shell.port}/#/models`);
  });

  test('leads to larger ones as long as there is none', async () => {
    await wayToLarger().waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await page.getByRole('main').getByRole('link', { name: 'Find a model' }).click();
    await page.waitForURL(/#\/models\/discover$/);
    await page.goBack();
    const larger = { shape: { embedding: 512, feedForward: 2048 } };
    await shell.client.models.add({ path: await buildTinyModel(join(folder, 'larger.gguf'), larger) });
    await page.getByRole('article', { name: 'larger' }).waitFor();
    await wayToLarger().waitFor({ state: 'detached' });
    await card().waitFor();
  });
});
