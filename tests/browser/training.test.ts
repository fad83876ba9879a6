import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildTinyModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

describe.skipIf(!findBrowser())('a page beside a training run', () => {
  let browser: Browser;
  let removeFolder: () => Promise<void>;
  let shell: Shell;
  let page: Page;
  let modelId: number;

  beforeAll(async () => {
    const temporary = await temporaryFolder();
    removeFolder = temporary.remove;
    browser = await launchBrowser();
    shell = await startShell({ dataFolder: join(temporary.folder, 'data'), built: true });
    const path = await buildTinyModel(join(temporary.folder, 'tiny.gguf'));
    ({ id: modelId } = await shell.client.models.add({ path }));
    const context = await browser.newContext({ locale: 'en-GB' });
    page = await context.newPage();
    await page.goto(shell.link);
    await page.getByRole('textbox').waitFor();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  test.each([
    ['en', 'The model was unloaded to make room for training; it comes back afterwards.'],
    ['ko', '훈련에 쓸 메모리를 마련하려고 모델을 내렸어요. 훈련이 끝나면 다시 불러와요.'],
  ] as const)('tells that the model made room for it, in the language %s', async (language, words) => {
    await shell.client.settings.update({ language });
    await shell.client.models.load({ modelId });
    const data = [resolve('tests/fixtures/datasets/sharegpt.json')];
    await shell.client.training.start({ modelId, data, settings: { memoryLimit: 1000 } });
    await page.getByText(words).waitFor();
    await expect
      .poll(async () => (await shell.client.system.state()).engine, { timeout: 20_000 })
      .toMatchObject({ state: 'ready', modelId });
  });
});
