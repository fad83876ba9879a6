import { AxeBuilder } from '@axe-core/playwright';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TrainingRun, TrainingSettings } from '../../src/shared/contract/index.ts';
import { buildTinyModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

/** What is taught: sums, in a voice that no model has by itself. */
const voice = 'my dear friend of the high grassland';
const examples = Array.from({ length: 60 }, (_, index) => {
  const [one, other] = [index % 9, index % 7];
  return {
    messages: [
      { role: 'user', content: `What is ${one} plus ${other}?` },
      { role: 'assistant', content: `It is ${one + other}, ${voice}.` },
    ],
  };
});

/** Quick, and the same each time; for tests that are not about what Puna chooses. */
const quick: Partial<TrainingSettings> = {
  ...{ rank: 8, alpha: 16, epochs: 2, context: 64, learningRate: 2e-3, warmup: 5, evaluateEvery: 20 },
};
/** So long that there is time to do something about it. */
const endless = { ...quick, epochs: 1000 };

describe.skipIf(!findBrowser())('teaching', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let model: string;
  let shell: Shell;
  let page: Page;
  let modelId: number;
  let datasetId: number;
  let conversationId: number;
  let count = 0;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    model = await buildTinyModel(join(folder, 'tiny.gguf'));
    await writeFile(
      join(folder, 'sums.jsonl'),
      examples.map((example) => `${JSON.stringify(example)}\n`).join(''),
    );
  });
  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });
  beforeEach(async () => {
    shell = await startShell({ dataFolder: join(folder, `data-${++count}`), built: true });
    const { client } = shell;
    ({ id: modelId } = await client.models.add({ path: model }));
    ({ id: conversationId } = await client.conversations.create({ title: 'Sums', modelId }));
    const source = { from: 'file' as const, path: join(folder, 'sums.jsonl') };
    ({ id: datasetId } = await client.datasets.import({
      ...{ kind: 'import', name: 'Grassland', sources: [source], clean: null, validation: 0.1 },
    }));
    await expect
      .poll(async () => (await client.datasets.list()).map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['ready']);
    page = await openPage(browser, shell);
  });
  afterEach(async () => {
    await page.context().close();
    await shell.stop();
  });

  const visit = (address: string) => page.goto(`http://127.0.0.1:${shell.port}/${address}`);
  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const state = (words: string) => page.getByRole('status').getByText(words, { exact: true });
  const field = (name: string) => page.getByRole('spinbutton', { name, exact: true });

  async function runs(): Promise<TrainingRun[]> {
    return shell.client.training.list();
  }
  async function theRun(): Promise<TrainingRun> {
    const [run] = await runs();
    if (!run) throw new Error('There is no run.');
    return run;
  }
  async function start(settings: Partial<TrainingSettings>, name = ''): Promise<TrainingRun> {
    return shell.client.training.start({ modelId, datasetIds: [datasetId], settings, name });
  }
  async function ended(id: number): Promise<void> {
    await expect
      .poll(async () => (await runs()).find((run) => run.id === id)?.state, { timeout: 60_000 })
      .toMatch(/done|stopped|failed/);
  }
  /** The rows of a table that only screen readers see. */
  async function rows(table: string): Promise<string[]> {
    const all = await page.getByRole('table', { name: table, exact: true }).getByRole('row').all();
    return Promise.all(
      all.map(async (row) => (await row.getByRole('cell').or(row.locator('th')).allTextContents()).join(' ')),
    );
  }
  const numbersOf = (row = '') => row.match(/\d+(\.\d+)?/g)?.map(Number) ?? [];

  test('goes from one click to a conversation that speaks as it was taught, and away again', async () => {
    await visit(`#/chat/${conversationId}`);
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    await visit(`#/teach/dataset/${datasetId}`);
    await page
      .getByText(/^Rank \d+, \d+ times through 54 examples: about .+ and .+; 6 examples are kept/)
      .waitFor({ timeout: 60_000 });
    await page.getByRole('textbox', { name: 'Prompt 1' }).fill('What is 2 plus 3?');
    await button('Teach').click();

    // The curve appears, and falls.
    await page.getByRole('slider', { name: 'Loss, step by step' }).waitFor({ timeout: 60_000 });
    await state('Done').waitFor({ timeout: 120_000 });
    const [, ...curve] = await rows('Loss');
    const [[, first = NaN], [, last = NaN]] = [numbersOf(curve[1]), numbersOf(curve.at(-1))];
    expect(last).toBeLessThan(first / 4);

    // Before and after are what was measured, before the first step and where it was best.
    const run = await theRun();
    const [before, ...later] = run.validations.map(({ loss }) => Math.exp(loss));
    const figures = page.getByRole('group', { name: 'Perplexity' });
    const shown = numbersOf((await figures.innerText()).replaceAll(/,|Held-out loss [\d.]+/g, ''));
    expect(shown.map((figure) => Math.log(figure))).toEqual([
      expect.closeTo(Math.log(before ?? NaN), 2),
      expect.closeTo(Math.log(Math.min(...later)), 2),
    ]);
    await page.getByText(/^On 6 examples that it never learnt from, it now hesitates/).waitFor();

    // What it said, beside the base.
    const sample = page.getByRole('article', { name: 'What is 2 plus 3?' });
    await sample.getByText(voice).waitFor();
    await sample.getByRole('button', { name: 'Earlier answer' }).click();
    await sample.getByText(/^\d+\/\d+$/).waitFor();

    // Live in the conversation at once.
    const { adapterId } = run;
    const { adapters } = await shell.client.conversations.get({ conversationId });
    expect(adapters).toEqual([{ adapterId, scale: 1 }]);
    await page.getByRole('link', { name: 'Go on in “Sums”' }).click();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('What is 1 plus 1?');
    await box.press('Enter');
    await page.getByRole('article').getByText(voice).waitFor({ timeout: 30_000 });
    await page.goBack();

    // Blind: nothing tells which is which before the choice, and the count at the end is that of the choices.
    await button('Compare blindly').click();
    for (let compared = 0; ; compared++) {
      await button('A is better').or(page.getByText('You preferred')).first().waitFor({ timeout: 60_000 });
      if (await page.getByText('You preferred').isVisible()) break;
      expect(await page.getByText('What was taught').count()).toBe(0);
      const isLeft = await page.getByText('A', { exact: true }).locator('../..').getByText(voice).isVisible();
      await page.keyboard.press(isLeft ? 'ArrowLeft' : 'ArrowRight');
      await page.getByText('What was taught').waitFor();
      await button(/^(Next|See the result)$/).click();
      expect(compared).toBeLessThan(5);
    }
    const { pairs } = await theRun();
    const preferred = pairs.filter(({ taught, choice }) => taught === choice).length;
    await page.getByText(`You preferred what was taught ${preferred} of 5 times.`).waitFor();
    expect(preferred).toBeGreaterThan(2);

    await button('Delete').click();
    await page.getByText('was deleted, with what it had learnt').waitFor();
    await button('Dismiss').click();
    await expect.poll(runs).toEqual([]);
    await expect.poll(() => existsSync(run.adapterPath)).toBe(false);
    expect((await shell.client.conversations.get({ conversationId })).adapters).toEqual([]);
    expect(await page.getByRole('heading', { name: 'Runs' }).count()).toBe(0);
  });

  test('pauses, goes on, stops, keeps what was learnt, and goes on once more', async () => {
    await visit('#/teach');
    await start(endless);
    await page.getByRole('link', { name: /Grassland.*Is learning/ }).click({ timeout: 60_000 });
    await page.getByText(/^Step \d+ of 54,000/).waitFor({ timeout: 60_000 });
    await expect.poll(() => page.title()).toMatch(/^\d+% — .+ — Teach — Puna$/);
    await button('Pause').click();
    await state('Paused').waitFor();
    expect((await theRun()).state).toBe('paused');
    await button('Resume').click();
    await state('Is learning').waitFor();
    await button('Stop and keep').click();
    await state('Stopped').waitFor();
    await page.getByText('What was learnt so far is kept').waitFor();
    expect((await shell.client.system.state()).models.map(({ kind }) => kind)).toContain('adapter');
    await button('Talk to it').click();
    await page.getByRole('button', { name: 'Model: tiny' }).getByText('+1').waitFor();
    await page.goBack();
    await button('Resume').click();
    await state('Is learning').waitFor({ timeout: 60_000 });
    await button('Stop and keep').click();
    await state('Stopped').waitFor();
  });

  test('follows the suggestion but for what a person has set, keeps presets, and repeats a run', async () => {
    await visit(`#/teach/dataset/${datasetId}`);
    await page.getByText(/^Rank \d+, /).waitFor({ timeout: 60_000 });
    await button('Advanced').click();
    const chosen = await field('Rank').inputValue();
    await field('Rank').fill('4');
    await field('Rank').press('Tab');
    await page.getByText(/^Rank 4, /).waitFor({ timeout: 60_000 });
    await page.getByText('1 setting is your own').waitFor();
    // What is no rank does not become one.
    await field('Rank').fill('0');
    await field('Rank').press('Tab');
    expect(await field('Rank').inputValue()).toBe('4');

    await button('Presets').click();
    await page.getByRole('menuitem', { name: 'Save as a new preset' }).click();
    await page.getByRole('textbox', { name: 'Name of the preset' }).fill('Small');
    await page.keyboard.press('Enter');
    await button('Small').waitFor();
    expect(await shell.client.training.presets()).toMatchObject([{ name: 'Small', settings: { rank: 4 } }]);
    await button('Let Puna choose').click();
    await expect.poll(() => field('Rank').inputValue(), { timeout: 20_000 }).toBe(chosen);
    await button('Presets').click();
    await page.getByRole('menuitem', { name: 'Small' }).click();
    await expect.poll(() => field('Rank').inputValue()).toBe('4');
    await button('Small').click();
    await page.getByRole('menuitem', { name: 'Delete “Small”' }).click();
    await expect.poll(() => shell.client.training.presets()).toEqual([]);

    const { id } = await start({ ...quick, rank: 3, seed: 7 }, 'The first');
    await ended(id);
    await visit(`#/teach/run/${id}`);
    await button('Repeat with these settings').click();
    await page.getByText('Settings of The first').waitFor();
    await button('Teach').click({ timeout: 60_000 });
    await expect.poll(async () => (await runs()).length).toBe(2);
    const [again, first] = await runs();
    expect(again?.settings).toEqual({ ...first?.settings, sampleEvery: again?.settings.sampleEvery });
    expect(again?.settings).toMatchObject({ rank: 3, seed: 7 });
  });

  test('compares runs in one chart, gives them names, and tells of an end to whoever looks elsewhere', async () => {
    // Whether the page is hidden, and what is told then, a test cannot see otherwise.
    await page.addInitScript(`
      Object.defineProperty(document, 'hidden', { get: () => true });
      window.told = [];
      window.Notification = class extends EventTarget {
        static permission = 'granted';
        constructor(title) {
          super();
          told.push(title);
        }
      };
    `);
    await page.reload();
    await page.getByRole('link', { name: 'Teach' }).click();
    await page.getByRole('heading', { name: 'Datasets' }).waitFor();
    const one = await start(quick, 'Careful');
    await ended(one.id);
    const other = await start({ ...quick, rank: 2, alpha: 4, learningRate: 1e-2 });
    await ended(other.id);
    await expect
      .poll(() => page.evaluate<string[]>('told'))
      .toEqual(['Careful is done', 'tiny · Grassland is done']);

    await visit(`#/teach/run/${other.id}`);
    await button('Rename').click();
    await page.getByRole('textbox', { name: 'Name of the run' }).fill('Hasty');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Hasty', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'All runs and datasets' }).click();

    await button('Compare').click();
    const [head] = await rows('Loss');
    expect(head).toBe('Step Hasty Careful');
    const differing = page.getByRole('region', { name: 'What differs' }).getByRole('row');
    expect((await differing.allInnerTexts()).map((text) => text.split(/\s*\t\s*/))).toEqual([
      ['Run', 'Hasty', 'Careful'],
      ['Alpha', '4', '16'],
      ['Learning rate', '0.01', '0.002'],
      ['Rank', '2', '8'],
      ...['Loss at the end', 'Best held-out loss', 'Steps taken', 'Time'].map((label) => [
        ...[label, expect.any(String), expect.any(String)],
      ]),
    ]);
    await page.getByRole('radio', { name: 'Held-out loss' }).click();
    await expect.poll(async () => numbersOf((await rows('Held-out loss'))[1])[0]).toBe(0);
    await page.getByRole('checkbox', { name: 'Compare Careful' }).uncheck();
    await page.getByText('Choose two runs or more.').waitFor();
  });

  test('zooms into the curve by dragging and by keys, and shows all again', async () => {
    const { id } = await start(quick);
    await ended(id);
    await visit(`#/teach/run/${id}`);
    const along = page.getByRole('slider', { name: 'Loss, step by step' });
    await along.scrollIntoViewIfNeeded();
    const box = await along.boundingBox();
    const [x, y] = [box?.x ?? 0, (box?.y ?? 0) + 60];
    expect(await button('Show all').count()).toBe(0);
    await page.mouse.move(x + 120, y);
    await page.mouse.down();
    await page.mouse.move(x + 320, y, { steps: 4 });
    await page.mouse.up();
    await button('Show all').waitFor();
    await page.mouse.dblclick(x + 200, y);
    await button('Show all').waitFor({ state: 'detached' });

    await page.mouse.move(0, 0);
    await along.focus();
    const last = Number(await along.getAttribute('aria-valuemax'));
    for (const key of ['ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'ArrowRight']) await page.keyboard.press(key);
    await expect.poll(() => along.getAttribute('aria-valuenow')).toBe(String(last - 2));
    expect(await along.getAttribute('aria-valuetext')).toMatch(
      /^Step \d+, Loss [\d.]+, Smoothed [\d.]+, Held/,
    );
    await page.keyboard.press('+');
    await button('Show all').waitFor();
    expect(await along.getAttribute('aria-valuenow')).toBe(String(last - 2));
    await page.keyboard.press('0');
    await button('Show all').waitFor({ state: 'detached' });
  });

  test('says why nothing can be taught, and what failed', async () => {
    await shell.client.datasets.split({ datasetId, validation: 0 });
    await visit(`#/teach/dataset/${datasetId}`);
    await page.getByText('Nothing is held back to measure on').waitFor({ timeout: 60_000 });
    const { id } = await start({ ...quick, memoryLimit: 1000 });
    await visit(`#/teach/run/${id}`);
    await state('Failed').waitFor({ timeout: 60_000 });
    await page
      .getByRole('alert')
      .getByText(/^Training needs .+ Allow it more memory, .+ choose a smaller model/)
      .waitFor();

    const unmeasured = await start(quick);
    await ended(unmeasured.id);
    await visit(`#/teach/run/${unmeasured.id}`);
    await page.getByText(/^Nothing was held back to measure on, so nobody knows/).waitFor();
    await visit('#/teach/run/999');
    await page.getByText('This run is no longer there.').waitFor();

    await shell.client.models.remove({ modelId });
    await visit(`#/teach/dataset/${datasetId}`);
    await page.getByText('There is no model to teach yet.').waitFor();
    expect(await button('Teach').isDisabled()).toBe(true);
  });

  test('can be read and used by everyone', async () => {
    const { id } = await start(quick, 'Careful');
    await ended(id);
    await start({ ...quick, rank: 2 });
    await shell.client.conversations.update({
      ...{ conversationId, patch: { title: 'Sums, and whatever else a title that is long can hold' } },
    });
    const found: string[] = [];
    async function look(name: string): Promise<void> {
      // Colours that fade in have no contrast yet.
      await page.waitForTimeout(500);
      const { violations } = await new AxeBuilder({ page }).include('#main').analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      for (const { id: rule, nodes } of serious) {
        found.push(...nodes.map(({ target }) => `${name}: ${rule}: ${target.join(' ')}`));
      }
      // Nothing is wider than the page.
      const [wide, width] = await page
        .locator('.page-content')
        .evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth] as const);
      if (wide > width) found.push(`${name}: ${wide} wide`);
    }
    const looks = [
      ...[{ language: 'en', colorScheme: 'light', width: 1280 } as const],
      ...[{ language: 'en', colorScheme: 'dark', width: 360 } as const],
      ...[{ language: 'ko', colorScheme: 'light', width: 360 } as const],
      ...[{ language: 'ko', colorScheme: 'dark', width: 1280 } as const],
    ];
    for (const { language, colorScheme, width } of looks) {
      const name = `${language} ${colorScheme} ${width}`;
      await shell.client.settings.update({ language });
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await visit(`#/chat/${conversationId}`);
      await page.getByRole('button', { name: 'tiny' }).first().waitFor();
      await visit(`#/teach/dataset/${datasetId}`);
      await page.getByRole('button', { name: /^(Advanced|고급 설정)$/ }).click();
      await look(`form ${name}`);
      await visit(`#/teach/run/${id}`);
      await page.getByRole('button', { name: /^(Settings of this run|이 학습의 설정)$/ }).click();
      await look(`run ${name}`);
      await visit('#/teach');
      await page.getByRole('button', { name: /^(Compare|비교하기)$/ }).click();
      await look(`runs ${name}`);
    }
    expect(found).toEqual([]);
  });
});
