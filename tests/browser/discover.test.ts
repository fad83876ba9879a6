import { AxeBuilder } from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Download } from '../../src/shared/contract/index.ts';
import { sha256, type StandInHub, startHub } from '../support/hub.ts';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

const card = `---
license: apache-2.0
---
# Golden

![logo](https://images.example/logo.png)
[the paper](https://paper.example/) [a trap](javascript:alert(1))

${'It was trained on grass.\n\n'.repeat(120)}

The end of it.`;

/** As long as a busy machine takes to download a small file or to answer. */
const poll = <Value>(look: () => Value) => expect.poll(look, { timeout: 30_000 });

describe.skipIf(!findBrowser())('finding and getting models', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let golden: Buffer;
  let large: Buffer;
  let hub: StandInHub;
  let shell: Shell;
  let page: Page;
  let count = 0;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    const build = async (name: string, ballast = 0) =>
      readFile(await buildScriptedModel(join(folder, name), { reply: 'golden', name, ballast }));
    golden = await build('golden.gguf');
    large = await build('large.gguf', 3);
  });
  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });
  beforeEach(async () => {
    const cardData = { license: 'apache-2.0', license_link: 'LICENSE', base_model: 'acme/golden' };
    hub = await startHub([
      {
        ...{ id: 'acme/golden-GGUF', downloads: 1_234_567, cardData },
        files: {
          'README.md': Buffer.from(card),
          'golden-Q2_K.gguf': large,
          'golden-Q4_K_M.gguf': golden,
          'golden-Q8_0.gguf': large,
        },
      },
      { id: 'acme/large-GGUF', files: { 'large-Q4_K_M.gguf': large } },
      { id: 'acme/guarded-GGUF', gated: 'auto', files: { 'guarded-Q4_K_M.gguf': golden } },
      {
        id: 'Qwen/Qwen2.5-0.5B-Instruct-GGUF',
        files: { 'qwen2.5-0.5b-instruct-q4_k_m.gguf': golden, 'qwen2.5-0.5b-instruct-q8_0.gguf': large },
      },
      ...Array.from({ length: 24 }, (_, index) => ({
        ...{ id: `grass/ichu-${index}-GGUF`, files: { 'ichu-Q4_K_M.gguf': golden } },
      })),
    ]);
    shell = await startShell({ dataFolder: join(folder, `data-${++count}`), built: true });
    await shell.client.hub.configure({ endpoint: hub.url });
    page = await visit();
  });
  afterEach(async () => {
    await page.context().close();
    await shell.stop();
    await hub.close();
  });

  const visit = (options: BrowserContextOptions = {}) => openPage(browser, shell, options);

  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const field = () => page.getByRole('searchbox', { name: 'Search the hub' });
  const sheet = () => page.getByRole('dialog');
  const toDiscover = async (repository = '') => {
    await page.goto(`http://127.0.0.1:${shell.port}/#/models/discover${repository && `/${repository}`}`);
    await field().or(sheet()).first().waitFor();
  };
  const downloads = () => shell.client.downloads.list();
  /** The only download, once it stands so. */
  async function onceIt(state: Download['state']): Promise<Download> {
    await poll(async () => (await downloads())[0]?.state).toBe(state);
    return (await downloads())[0] as Download;
  }

  test('goes from an empty chat by search to the recommended quantization, and talks to it', async () => {
    const strange: string[] = [];
    page.on('request', (request) => {
      if (!request.url().includes(`127.0.0.1:${shell.port}`)) strange.push(request.url());
    });
    await page.getByRole('link', { name: 'Find a model' }).click();
    await field().fill('golden');
    await page.getByRole('link', { name: /golden-GGUF/ }).click();
    await sheet().getByRole('heading', { name: 'golden-GGUF' }).waitFor();
    const radio = (name: RegExp) => sheet().getByRole('radio', { name });
    await poll(() => radio(/Q4_K_M/).isChecked()).toBe(true);
    expect(await sheet().getByRole('radio').count()).toBe(3);
    expect(await sheet().getByRole('link', { name: 'apache-2.0' }).getAttribute('href')).toBe(
      `${hub.url}/acme/golden-GGUF/blob/main/LICENSE`,
    );
    // What anybody has written does nothing, and is short until all of it is wanted.
    expect(await sheet().getByRole('link', { name: 'the paper' }).getAttribute('target')).toBe('_blank');
    expect(await sheet().getByRole('link', { name: 'a trap' }).count()).toBe(0);
    expect(await sheet().getByText('The end of it.').count()).toBe(0);
    await sheet().getByRole('button', { name: 'Show all of it' }).click();
    await sheet().getByText('The end of it.').waitFor();
    expect(strange).toEqual([]);

    await sheet()
      .getByRole('button', { name: /^Download / })
      .click();
    const { path } = await onceIt('done');
    expect(sha256(await readFile(path))).toBe(sha256(golden));
    await sheet().getByText('In your library').first().waitFor();
    await sheet().getByRole('button', { name: 'Chat', exact: true }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('What colour is the grass?');
    await page.keyboard.press('Enter');
    await page.getByRole('article').last().getByText('golden').waitFor();
    await replyFinished(shell);
    const { models } = await shell.client.system.state();
    expect(models.map((model) => model.path)).toEqual([path]);
  });

  test('gets a recommended model with one click, in the quantization that its card tells of', async () => {
    await toDiscover();
    const name = 'Qwen 2.5 0.5B Instruct';
    const item = page.getByRole('listitem', { name });
    await item.getByText('apache-2.0').waitFor();
    await item.getByRole('button', { name: /^Get / }).click();
    const { quantization, path } = await onceIt('done');
    expect(quantization).toBe('Q4_K_M');
    expect(sha256(await readFile(path))).toBe(sha256(golden));
    await item.getByRole('button', { name: `Chat with ${name}` }).click();
    await page.getByRole('textbox', { name: 'Message' }).waitFor();

    // It stays known when the download is off the list.
    for (const { id } of await downloads()) await shell.client.downloads.remove({ downloadId: id });
    await toDiscover();
    await page.reload();
    await item.getByRole('button', { name: `Chat with ${name}` }).waitFor();
  });

  test('is found again by the way back and by its address, from wherever a person was meanwhile', async () => {
    const here = () => page.evaluate<string>('location.hash');
    const title = sheet().getByRole('heading', { name: 'golden-GGUF' });
    await toDiscover('acme/golden-GGUF');
    await title.waitFor();
    await page.goto(`http://127.0.0.1:${shell.port}/#/models/servers`);
    await title.waitFor({ state: 'detached' });
    await page.goBack();
    await title.waitFor();
    // With a dialog open there.
    await page.goto(`http://127.0.0.1:${shell.port}/#/models/servers`);
    await button('Add a server').first().click();
    await sheet().getByRole('textbox').first().waitFor();
    await toDiscover('acme/golden-GGUF');
    await title.waitFor();
    expect(await sheet().count()).toBe(1);

    // What lay over another page is not left over this one.
    for (const keys of ['Control+k', 'Control+/']) {
      await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
      await title.waitFor({ state: 'detached' });
      await page.keyboard.press(keys);
      await sheet().waitFor();
      await page.goBack();
      await title.waitFor();
      await poll(() => sheet().count()).toBe(1);
      expect(await here()).toBe('#/models/discover/acme/golden-GGUF');
    }
    await page.keyboard.press('Escape');
    await poll(here).toBe('#/models/discover');
  });

  test('shows results a page at a time, and opens what is pasted', async () => {
    await toDiscover();
    await field().fill('ichu');
    const results = page.getByRole('region', { name: 'Results' }).getByRole('listitem');
    await poll(() => results.count()).toBe(20);
    await button('More').click();
    await poll(() => results.count()).toBe(24);
    expect(await button('More').count()).toBe(0);
    await field().fill('nothing of the kind');
    await page.getByText('Nothing was found for “nothing of the kind”.').waitFor();

    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate('navigator.clipboard.writeText("https://huggingface.co/acme/large-GGUF/tree/main")');
    await field().fill('');
    await field().press('ControlOrMeta+v');
    await sheet().getByRole('heading', { name: 'large-GGUF' }).waitFor();
    await page.keyboard.press('Escape');
    await sheet().waitFor({ state: 'detached' });
    await field().fill('acme/golden-GGUF');
    await field().press('Enter');
    await sheet().getByRole('heading', { name: 'golden-GGUF' }).waitFor();
    await page.goBack();
    await sheet().waitFor({ state: 'detached' });
  });

  test('pauses a download, keeps it over a reload, goes on with it, and takes it off the list', async () => {
    await shell.client.hub.configure({ bytesPerSecond: large.length / 20 });
    await toDiscover('acme/large-GGUF');
    await sheet()
      .getByRole('button', { name: /^Download / })
      .click();
    await poll(async () => (await downloads())[0]?.doneBytes).toBeGreaterThan(0);
    await sheet().getByRole('button', { name: 'Pause' }).click();
    const { doneBytes, name } = await onceIt('paused');
    expect(doneBytes).toBeLessThan(large.length);
    await page.reload();
    await sheet().getByRole('button', { name: 'Go on' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'My models' }).click();
    await page.getByText(/Paused/).waitFor();

    await shell.client.hub.configure({ bytesPerSecond: null });
    await button(`Go on with ${name}`).click();
    const { path } = await onceIt('done');
    expect(sha256(await readFile(path))).toBe(sha256(large));
    await button(`Chat with ${name}`).waitFor();
    await button('Clear finished ones').click();
    await page.getByRole('heading', { name: 'Downloads' }).waitFor({ state: 'detached' });
    expect(await downloads()).toEqual([]);
    expect(sha256(await readFile(path))).toBe(sha256(large));
  });

  test('removes what was begun only when that is no longer undone', async () => {
    await shell.client.hub.configure({ bytesPerSecond: large.length / 60 });
    const { name } = await shell.client.downloads.start({
      ...{ repository: 'acme/large-GGUF', file: 'large-Q4_K_M' },
    });
    await toDiscover();
    await button(`Remove ${name}`).click();
    await button(`Remove ${name}`).waitFor({ state: 'detached' });
    await onceIt('paused');
    await button('Undo').click();
    await button(`Pause ${name}`).waitFor();
    await onceIt('working');
  });

  test('says what a gated model asks for, and downloads it with a token', async () => {
    await toDiscover();
    await field().fill('guarded');
    await page.getByRole('link', { name: /guarded-GGUF.*Conditions/ }).click();
    await sheet().getByText('Its owner asks for your consent').waitFor();
    const conditions = sheet().getByRole('link', { name: 'Read the conditions' });
    expect(await conditions.getAttribute('href')).toBe(`${hub.url}/acme/guarded-GGUF`);
    await sheet()
      .getByRole('button', { name: /^Download / })
      .click();
    await onceIt('failed');
    await sheet()
      .getByRole('alert')
      .getByText(/conditions/)
      .waitFor();
    await sheet().getByLabel('Token', { exact: true }).fill(hub.token);
    await sheet().getByRole('button', { name: 'Save' }).click();
    await sheet().getByText('Puna has a token.').waitFor();
    await sheet().getByRole('button', { name: 'Try again' }).click();
    const { path } = await onceIt('done');
    expect(sha256(await readFile(path))).toBe(sha256(golden));
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await button('Forget the token').click();
    await page.getByLabel('Token', { exact: true }).waitFor();
    expect((await shell.client.hub.settings()).hasToken).toBe(false);
  });

  test('says of a download when it is tried again, and what one that is refused wants', async () => {
    // A server that wants to be left alone for so long is not asked again within one try.
    hub.fault('large-Q4_K_M.gguf', { status: 503, headers: { 'retry-after': '900' } });
    const order = { repository: 'acme/large-GGUF', file: 'large-Q4_K_M' };
    const { name, id: downloadId } = await shell.client.downloads.start(order);
    await toDiscover();
    const row = page.getByRole('listitem').filter({ hasText: name });
    await row.getByText(/Tries again at \d/).waitFor();
    await row.getByText(/has trouble of its own \(status 503\)/).waitFor();
    hub.fault('large-Q4_K_M.gguf', null);
    await button(`Pause ${name}`).click();
    await row.getByText(/Paused/).waitFor();
    await button(`Go on with ${name}`).click();
    await onceIt('done');
    await shell.client.downloads.remove({ downloadId });

    await shell.client.downloads.start({ repository: 'acme/guarded-GGUF', file: 'guarded-Q4_K_M' });
    const refused = page.getByRole('listitem').filter({ hasText: 'guarded-Q4_K_M' });
    await refused
      .getByRole('alert')
      .getByText(/accepted its conditions/)
      .waitFor();
    const conditions = refused.getByRole('link', { name: 'Read the conditions' });
    expect(await conditions.getAttribute('href')).toBe(`${hub.url}/acme/guarded-GGUF`);
    await refused.getByRole('link', { name: 'Set a token' }).click();
    await sheet().getByLabel('Token', { exact: true }).waitFor();
  });

  test('warns of a hub that others overhear, and keeps no address with a password', async () => {
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    const address = page.getByLabel('Address of a mirror');
    await address.fill('https://me:hidden@hub.example');
    await address.blur();
    await page.getByText(/must hold no name, password or token/).waitFor();
    await poll(() => address.inputValue()).toBe(hub.url);
    await address.fill('http://mirror.example');
    await address.blur();
    await page.getByText(/nothing on the way to mirror\.example is encrypted/).waitFor();
    await address.fill(hub.url);
    await address.blur();
    await page.getByText(/is encrypted/).waitFor({ state: 'detached' });
  });

  test('says in a sentence that there is no way to the hub, and tries again', async () => {
    await shell.client.hub.configure({ endpoint: await deadAddress() });
    await toDiscover();
    await page.getByRole('listitem', { name: 'Qwen 2.5 0.5B Instruct' }).waitFor();
    await field().fill('golden');
    const alert = page.getByRole('alert').filter({ hasText: 'No server answers at 127.0.0.1' });
    await poll(() => alert.count()).toBe(1);
    await shell.client.hub.configure({ endpoint: hub.url });
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: /golden-GGUF/ }).waitFor();
    await alert.waitFor({ state: 'detached' });
    await toDiscover('acme/nothing-here');
    await sheet()
      .getByRole('alert')
      .getByText(/has not found the repository/)
      .waitFor();
  });

  test('can be read and used by everyone, in light and dark, wide and narrow, in English and Korean', async () => {
    await shell.client.downloads.start({ repository: 'acme/golden-GGUF', file: 'golden-Q4_K_M' });
    await onceIt('done');
    const found: Record<string, string[]> = {};
    for (const [colorScheme, width, locale] of [
      ['light', 1280, 'en-GB'],
      ['dark', 360, 'ko-KR'],
    ] as const) {
      await page.context().close();
      page = await visit({ colorScheme, locale, viewport: { width, height: 800 } });
      const origin = `http://127.0.0.1:${shell.port}/`;
      const look = async (name: string) => {
        await page.waitForTimeout(500);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        found[`${name} ${colorScheme} ${width}`] = serious.flatMap(({ id, nodes }) =>
          nodes.map(({ target }) => `${id}: ${target.join(' ')}`),
        );
        const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
        if (wide) found[`${name} ${colorScheme} ${width}`]?.push('wider than the window');
      };
      await page.goto(`${origin}#/models`);
      await look('library');
      await page.goto(`${origin}#/models/discover`);
      await page.getByRole('listitem', { name: 'Qwen 2.5 0.5B Instruct' }).waitFor();
      await look('recommended');
      await page.getByRole('searchbox').fill('acme');
      await page.getByRole('link', { name: /guarded-GGUF/ }).waitFor();
      await look('results');
      for (const repository of ['acme/golden-GGUF', 'acme/guarded-GGUF', 'acme/nothing']) {
        await page.goto(`${origin}#/models/discover/${repository}`);
        await page.getByRole('dialog').getByRole('radio').or(page.getByRole('alert')).first().waitFor();
        await look(repository);
      }
      await page.goto(`${origin}#/settings`);
      await look('settings');
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  });
});

/** Where nobody listens any more. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}`;
}
