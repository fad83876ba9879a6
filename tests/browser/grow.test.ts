import { AxeBuilder } from '@axe-core/playwright';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startShell, type Shell, temporaryFolder } from '../support/shell.ts';
import { buildScriptedModel } from '../support/models.ts';
import { findBrowser, launchBrowser } from './browser.ts';

describe.skipIf(!findBrowser())('what a model shall write', () => {
  let shell: Shell;
  let browser: Browser;
  let page: Page;
  let folder: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    ({ folder, remove } = await temporaryFolder());
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    const { client } = shell;
    await client.settings.update({ language: 'en', theme: 'light' });
    const tasks = 'Instruction: Write a poem about rain in spring.\nInput: none';
    const pairs = 'Q: How long is the bridge of Aldermoor?\nA: It reaches 240 metres, all in grey granite.';
    for (const [name, reply] of Object.entries({ tasks, pairs })) {
      await client.models.add({
        path: await buildScriptedModel(join(folder, `${name}.gguf`), { reply, name }),
      });
    }
    const path = join(folder, 'bridge.md');
    await writeFile(
      path,
      '# Aldermoor\n\nThe bridge reaches over 240 metres, all in grey granite, and carries two lanes and a tram. It was paid for with a tax on salt.',
    );
    const source = { ...{ from: 'file' as const, path }, me: null, columns: null, dates: null };
    const order = { kind: 'import' as const, name: 'Bridges', sources: [source], clean: null };
    await client.datasets.import(order);
    browser = await launchBrowser();
    const context = await browser.newContext({
      viewport: { width: 1100, height: 900 },
      reducedMotion: 'reduce',
    });
    page = await context.newPage();
    await page.goto(shell.link);
  });
  afterAll(async () => {
    await browser?.close();
    await shell?.stop();
    await remove?.();
  });

  const datasets = async (kind: string) =>
    (await shell.client.datasets.list()).filter(({ recipe }) => recipe.kind === kind);

  /** Makes the dialog start, and waits for what it has made. */
  async function started(kind: string) {
    await page.getByRole('button', { name: 'Start writing' }).click();
    await page.waitForURL(/#\/teach\/dataset\/\d+/);
    await expect
      .poll(async () => (await datasets(kind))[0]?.state, { timeout: 60_000 })
      .not.toMatch(/waiting|working/);
    const [dataset] = await datasets(kind);
    expect(page.url()).toContain(`#/teach/dataset/${dataset?.id}`);
    return dataset;
  }

  /** Which model writes: it knows nothing but what its name says. */
  async function choose(wanted: string): Promise<void> {
    const { models } = await shell.client.system.state();
    const writer = models.find(({ name }) => name === wanted);
    await page.getByLabel('Model that writes').selectOption(String(writer?.id));
  }

  async function open(): Promise<void> {
    await page.goto(`${shell.link.split('?')[0]}#/teach`);
    await page.getByRole('button', { name: 'Have the model write' }).click();
    await page.getByRole('dialog').waitFor();
  }

  test('is asked for with the keyboard, and has to be looked at before it is learnt', async () => {
    await open();
    await choose('tasks');
    const count = page.getByLabel('How many');
    await count.fill('1');
    await count.press('Enter');
    await page.waitForURL(/#\/teach\/dataset\/\d+/);
    await expect
      .poll(async () => (await datasets('self-instruct'))[0]?.state, { timeout: 60_000 })
      .toBe('ready');
    const [dataset] = await datasets('self-instruct');
    expect(dataset).toMatchObject({ name: '1 new task', reviewed: false, counts: { conversations: 1 } });
  });

  test("begins with the person's own tasks, none of them half written", async () => {
    await open();
    await page.getByRole('radio', { name: 'Mine' }).click();
    await page.getByRole('button', { name: 'Start writing' }).click();
    expect(await page.getByRole('alert').textContent()).toBe('Write at least one task with its answer.');
    const tasks = page.getByRole('group');
    await tasks.nth(0).getByLabel('What somebody asks').fill('Greet me.');
    await tasks.nth(0).getByLabel('How it should be answered').fill('Ahoy!');
    await page.getByRole('button', { name: 'Add a task' }).click();
    // What is to be written next has the focus.
    await page.keyboard.type('Half a task');
    expect(await tasks.nth(1).getByLabel('What somebody asks').inputValue()).toBe('Half a task');
    const dataset = await started('self-instruct');
    expect(dataset?.recipe).toMatchObject({
      seeds: [{ instruction: 'Greet me.', input: '', output: 'Ahoy!' }],
    });
    await shell.client.datasets.cancel({ datasetId: dataset?.id ?? 0 });
  });

  test('is conversations about topics, one in each line', async () => {
    await open();
    await page.getByRole('radio', { name: 'Conversations' }).click();
    await page.getByLabel('Topics').fill('Wool\n\n  Rain in spring \n');
    expect(await page.getByRole('dialog').textContent()).toContain('2 conversations');
    const dataset = await started('self-chat');
    expect(dataset?.name).toBe('Wool and 1 more topic');
    expect(dataset?.recipe).toMatchObject({
      topics: ['Wool', 'Rain in spring'],
      exchanges: 3,
      language: 'en',
    });
  });

  test('is pairs about the texts of a dataset', async () => {
    const [bridges] = await datasets('import');
    await page.goto(`${shell.link.split('?')[0]}#/teach/dataset/${bridges?.id}`);
    await page.getByRole('button', { name: 'Make question–answer pairs' }).click();
    await choose('pairs');
    const dataset = await started('pairs');
    expect(dataset).toMatchObject({ state: 'ready', name: 'Pairs: Bridges', counts: { conversations: 1 } });
    const { examples } = await shell.client.datasets.page({ datasetId: dataset?.id ?? 0 });
    expect(examples[0]).toMatchObject({ asked: 'How long is the bridge of Aldermoor?' });
  });

  test('can be read by everybody', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await shell.client.settings.update({ theme });
      await open();
      await page.getByRole('radio', { name: 'Mine' }).click();
      await page.getByRole('button', { name: 'More', exact: true }).click();
      // Colours that fade in have no contrast yet.
      await page.waitForTimeout(1000);
      const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
      expect(violations).toEqual([]);
      await page.keyboard.press('Escape');
    }
  });
});
