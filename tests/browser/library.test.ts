import { AxeBuilder } from '@axe-core/playwright';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { modelAt, pulled } from '../support/shelves.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

describe.skipIf(!findBrowser())('the library', () => {
  let browser: Browser;
  let shell: Shell;
  let page: Page;
  let removeFolder: () => Promise<void>;
  let path: (...names: string[]) => string;
  let blob: string;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    path = (...names) => join(folder, ...names);
    // Of the person who runs the tests, nothing is to be found.
    vi.stubEnv('HOME', path('home'));
    vi.stubEnv('XDG_DATA_HOME', path('home', '.local', 'share'));
    for (const name of ['HF_HOME', 'HF_HUB_CACHE', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'OLLAMA_MODELS']) {
      vi.stubEnv(name, undefined);
    }
    await mkdir(path('mine', 'maker'), { recursive: true });
    await modelAt(path('mine', 'maker', 'Alpha-7B.Q8_0.gguf'), 1);
    await modelAt(path('mine', 'Beta-1B.gguf'), 2);
    await buildTinyFolder(path('mine', 'Base-135M'));
    await modelAt(path('data', 'models', 'Own.gguf'), 3);
    blob = await pulled(path('home', '.ollama', 'models'), {
      name: ['registry.ollama.ai', 'library', 'pulled', '1b'],
      from: await modelAt(path('given'), 4),
    });
    shell = await startShell({ dataFolder: path('data'), built: true });
    browser = await launchBrowser();
    page = await openPage(browser, shell, { address: '#/models' });
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    vi.unstubAllEnvs();
    await removeFolder();
  });

  const card = (name: string) => page.getByRole('article', { name, exact: true });
  const section = (name: string) => page.getByRole('region', { name, exact: true });

  async function choose(name: string, item: string): Promise<void> {
    await page.getByRole('button', { name: `Options for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  }

  async function cards(): Promise<string[]> {
    const all = await page.getByRole('article').all();
    return Promise.all(all.map(async (one) => (await one.getAttribute('aria-label')) ?? ''));
  }

  test("has what lies in Puna's own folder by itself", async () => {
    await card('Own').waitFor();
    expect(await cards()).toEqual(['Own']);
  });

  test('gets what lies in a folder that is added, and what comes into it', async () => {
    await page.getByRole('button', { name: 'Add folder' }).click();
    await page.getByRole('textbox', { name: 'Path of a folder' }).fill(path('mine'));
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await section('Weights').getByRole('article', { name: 'Base-135M' }).waitFor();
    await section('Where models come from').getByText('3 models').waitFor();
    expect(await cards()).toEqual(['Alpha-7B.Q8_0', 'Beta-1B', 'Own', 'Base-135M']);
    await modelAt(path('mine', 'Gamma.gguf'), 5);
    await card('Gamma').waitFor();
  });

  test('shows what is missing, and that it is there again', async () => {
    await rename(path('mine', 'Gamma.gguf'), path('away.gguf'));
    await card('Gamma').getByText('The file is no longer where it was.').waitFor();
    await rename(path('away.gguf'), path('mine', 'Gamma.gguf'));
    await card('Gamma').getByRole('button', { name: 'Load', exact: true }).waitFor();
  });

  test('shows what other programs have downloaded, if that is wanted', async () => {
    const toggle = page.getByRole('switch', { name: 'Show what other programs have downloaded' });
    await page.getByText(/^1 model of Ollama, .* never changed\.$/).waitFor();
    await toggle.click();
    await card('pulled:1b').getByText('Ollama', { exact: true }).waitFor();
    // It is used where it is.
    await card('pulled:1b').getByRole('button', { name: 'Load', exact: true }).click();
    await card('pulled:1b')
      .getByText(/^Loaded on/)
      .waitFor();
    await card('pulled:1b').getByRole('button', { name: 'Unload' }).click();
    await page.getByRole('combobox', { name: 'From' }).selectOption('Ollama');
    expect(await cards()).toEqual(['pulled:1b']);
    // Nobody offers to delete it.
    await page.getByRole('button', { name: 'Options for pulled:1b' }).click();
    await page.getByRole('menuitem', { name: 'Remove from the list' }).waitFor();
    expect(await page.getByRole('menuitem', { name: 'Delete file' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'From' }).selectOption('Everywhere');
  });

  test('tags models by the keyboard, and is searched and narrowed', async () => {
    await page.getByRole('button', { name: 'Options for Beta-1B' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Tags' }).press('Enter');
    await page.getByRole('combobox', { name: 'New tag' }).waitFor();
    await page.keyboard.type('한국어');
    await page.keyboard.press('Enter');
    await card('Beta-1B').getByRole('button', { name: 'Remove the tag 한국어' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '한국어', exact: true }).click();
    expect(await cards()).toEqual(['Beta-1B']);
    await page.getByRole('searchbox', { name: 'Search models' }).fill('nowhere');
    await page.getByText('Nothing is found.').waitFor();
    await page.getByRole('button', { name: 'Show everything' }).click();
    await page.getByRole('searchbox', { name: 'Search models' }).fill('alpha q8');
    expect(await cards()).toEqual(['Alpha-7B.Q8_0']);
    await page.getByRole('searchbox', { name: 'Search models' }).fill('');
  });

  test('checks files, and finds that one is not what it should be', async () => {
    await choose('pulled:1b', 'Check files');
    await card('pulled:1b').getByText('The files are what their publisher has').waitFor();
    const content = await readFile(blob);
    content.writeUInt8(content.readUInt8(content.length - 50) ^ 4, content.length - 50);
    await writeFile(blob, content);
    await choose('pulled:1b', 'Check files');
    await card('pulled:1b')
      .getByRole('alert')
      .getByText(/^Damaged: sha256-/)
      .waitFor();
  });

  test('shows what is known of a model', async () => {
    await choose('Own', 'Details');
    const dialog = page.getByRole('dialog', { name: 'Own' });
    await dialog.getByText('Puna’s folder').waitFor();
    await dialog.getByText(path('data', 'models', 'Own.gguf')).waitFor();
    await dialog.getByRole('tab', { name: /^Metadata/ }).click();
    await dialog.getByText('general.architecture').first().waitFor();
    await page.keyboard.press('Escape');
  });

  test('puts a folder of weights on the bench of the page Weights', async () => {
    await page.getByRole('button', { name: 'Use Base-135M on the page Weights' }).click();
    await page.getByRole('listitem', { name: 'Base-135M' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/weights');
    await page.goBack();
  });

  test.skipIf(process.platform !== 'linux')(
    'deletes for good only what the trash does not take',
    async () => {
      const trash = path('home', '.local', 'share', 'Trash');
      await mkdir(dirname(trash), { recursive: true });
      await writeFile(trash, 'No folder.');
      await choose('Own', 'Delete file');
      const forGood = page.getByRole('button', { name: 'Delete for good' });
      expect(await forGood.count()).toBe(0);
      await page.getByRole('button', { name: 'Move to trash' }).click();
      await page
        .getByRole('alert')
        .getByText(/trash does not take/)
        .waitFor();
      await forGood.waitFor();
      // Nobody has agreed to that yet.
      await page.keyboard.press('Escape');
      await access(path('data', 'models', 'Own.gguf'));
      await rm(trash);
    },
  );

  test("deletes a file of Puna's own into the trash", async () => {
    await choose('Own', 'Delete file');
    await page.getByRole('button', { name: 'Move to trash' }).click();
    await card('Own').waitFor({ state: 'detached' });
    await expect(access(path('data', 'models', 'Own.gguf'))).rejects.toThrow();
    if (process.platform === 'linux') {
      expect(await readdir(path('home', '.local', 'share', 'Trash', 'files'))).toHaveLength(1);
    }
  });

  test('lets a folder go with its models, and gives both back', async () => {
    const remove = page.getByRole('button', { name: `Remove ${path('mine')} from the list` });
    await remove.click();
    await card('Beta-1B').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await card('Beta-1B').getByText('한국어').waitFor();
    await access(path('mine', 'Beta-1B.gguf'));
  });

  test('can be read by everyone, in light and dark, wide and narrow, and fits a narrow window', async () => {
    const found: Record<string, string[]> = {};
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1280]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 800 });
        // Colours that fade in have no contrast yet.
        await page.waitForTimeout(1000);
        const { violations } = await new AxeBuilder({ page }).analyze();
        found[`${colorScheme} ${width}`] = violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
        const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        expect(overflow).toBeLessThanOrEqual(0);
      }
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  });
});
