import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTinyModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

describe.skipIf(!findBrowser())('on the page of models', () => {
  let browser: Browser;
  let shell: Shell;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    const { client } = shell;
    await client.models.add({ path: await buildTinyModel(join(folder, 'small.gguf')) });
    const large = await client.models.add({
      path: await buildTinyModel(join(folder, 'large.gguf'), { shape: { layers: 16, kvHeads: 4 } }),
    });
    // A context for which no computer has memory.
    const loadSettings = { contextSize: 2 ** 31, gpuLayers: 0, threads: null };
    await client.models.configure({ modelId: large.id, loadSettings });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  test('it is said which models fit, what they take, and what this computer has', async () => {
    const page = await browser.newPage({ locale: 'en-GB' });
    await page.goto(shell.link);
    await page.goto(`http://127.0.0.1:${shell.port}/#/models`);
    const machine = page.getByRole('group', { name: 'This computer' });
    await machine.getByText(/memory · \d+ cores? · .+\/s/).waitFor();
    const card = (name: string) => page.getByRole('article', { name });
    await card('large').getByRole('button', { name: 'Does not fit' }).waitFor();
    await card('small').getByRole('button', { name: 'Runs well' }).click();
    const details = page.getByRole('dialog', { name: 'Does it fit?' });
    await details.getByText('up to a context of 2,048 tokens').waitFor();
    const { models } = await shell.client.system.state();
    const small = models.find(({ name }) => name === 'small');
    const { bytes } = await shell.client.models.fit({ modelId: small?.id ?? 0 });
    expect(await details.textContent()).toContain(`${Math.round(bytes / 1e6)} MB`);
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'hidden' });
    await machine.getByRole('button', { name: 'Measure anew' }).click();
    await machine.getByRole('button', { name: 'Measuring…' }).waitFor();
    await machine.getByRole('button', { name: 'Measure anew' }).waitFor();
    await page.close();
  });
});
