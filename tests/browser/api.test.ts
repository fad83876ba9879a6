import { AxeBuilder } from '@axe-core/playwright';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

describe.skipIf(!findBrowser())('the switch for other programs', () => {
  let browser: Browser;
  let shell: Shell;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden grass.' });
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    await shell.client.models.add({ path });
    await shell.client.api.configure({ port: await freePort() });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  test('opens the API with the address and key that it shows, and closes it', async () => {
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 } });
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const page = await context.newPage();
    await page.goto(shell.link);
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    const section = page.getByRole('region', { name: 'For other programs' });
    const toggle = section.getByRole('switch', { name: 'Offer models to other programs' });
    expect(await toggle.getAttribute('aria-checked')).toBe('false');
    expect(await section.getByText('Address', { exact: true }).count()).toBe(0);
    await toggle.focus();
    await page.keyboard.press('Space');

    const copied = async (name: string) => {
      await section.getByRole('button', { name }).click();
      return page.evaluate<string>('navigator.clipboard.readText()');
    };
    const address = await copied('Copy address');
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const key = await copied('Copy key');
    expect(await section.getByText(key).count()).toBe(0);
    await section.getByRole('button', { name: 'Show key' }).click();
    await section.getByText(key).waitFor();
    const openai = new OpenAI({ baseURL: address, apiKey: key, maxRetries: 0 });
    const { choices } = await openai.chat.completions.create({
      ...{ model: 'golden', messages: [{ role: 'user', content: 'Which grass?' }] },
    });
    expect(choices[0]?.message.content).toBe('Golden grass.');

    const port = await freePort();
    await section.getByRole('spinbutton', { name: 'Port' }).fill(String(port));
    await page.keyboard.press('Tab');
    await section.getByText(`http://127.0.0.1:${port}/v1`).waitFor();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    await toggle.click();
    await section.getByText('Address', { exact: true }).waitFor({ state: 'detached' });
    await expect(openai.models.list()).rejects.toThrow(OpenAI.APIConnectionError);
    await context.close();
  });

  test('says why it could not be opened', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(shell.link);
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await shell.client.api.configure({ on: true, port: shell.port });
    await page.getByRole('alert').getByText(`Port ${shell.port} is taken by another program.`).waitFor();
    await shell.client.api.configure({ on: false });
    await context.close();
  });
});
