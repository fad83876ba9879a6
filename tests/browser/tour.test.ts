import { AxeBuilder } from '@axe-core/playwright';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildResources } from '../support/starter.ts';
import { findBrowser, launchBrowser } from './browser.ts';

/** As long as a busy machine takes for what an idle one does in a minute. */
const patience = { timeout: 240_000 };

/** What comes with Puna, as far as it is there. */
const shipped = resolve('resources');
const isShipped = existsSync(join(shipped, 'starter', 'puna-starter.gguf'));

describe.skipIf(!findBrowser())('the tour', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  /** Something that stands for what comes with Puna, and learns in seconds. */
  let standIn: string;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    standIn = await buildResources(folder);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });

  async function start(name: string, resources: string | null): Promise<Shell> {
    const shell = await startShell({ dataFolder: join(folder, name), built: true, resources });
    await shell.client.settings.update({ automaticTitles: false });
    return shell;
  }

  async function open(
    shell: Shell,
    options: { locale?: string; width?: number; colorScheme?: 'light' | 'dark' } = {},
  ): Promise<Page> {
    const { locale = 'en-GB', width = 1280, colorScheme = 'light' } = options;
    const context = await browser.newContext({
      ...{ locale, colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 } },
    });
    const page = await context.newPage();
    await page.goto(shell.link);
    return page;
  }

  const tourOf = (page: Page) => page.getByRole('complementary', { name: /^(Tour|둘러보기)$/ });
  const buttonOf = (place: Page | Locator, name: string | RegExp) => place.getByRole('button', { name });

  async function begin(page: Page): Promise<Locator> {
    await buttonOf(page, 'Take the tour').click();
    const tour = tourOf(page);
    await tour.getByRole('heading', { name: 'Talk to it' }).waitFor();
    return tour;
  }

  /** Does what is next, and waits for what says that it is done. */
  async function act(tour: Locator, button: string | RegExp, done: string): Promise<void> {
    await buttonOf(tour, button).click(patience);
    await tour.getByRole('listitem').getByText(`${done}: Done`).waitFor(patience);
  }

  async function turn(tour: Locator, step: string): Promise<void> {
    await buttonOf(tour, `Next: ${step}`).click();
    await tour.getByRole('heading', { name: step }).waitFor();
  }

  test('leads from the first words to a real model, by doing', async () => {
    const shell = await start('walk', isShipped ? shipped : standIn);
    const { client } = shell;
    const { questions, modelId } = await client.samples.get();
    const page = await open(shell);
    await page.getByRole('heading', { name: 'Hello! I am small, and I live here.' }).waitFor();
    const tour = await begin(page);

    // As a person does: with a question that is offered on the page, and then one that the tour offers.
    await buttonOf(page, questions.chat[0]?.en ?? '')
      .first()
      .click();
    await tour.getByText('Ask it something: Done').waitFor(patience);
    await act(tour, /^Ask “/, 'Ask what it cannot know');
    await turn(tour, 'Teach it');

    await act(tour, 'Read the chats in', 'Read the chats in');
    await page.getByRole('heading', { name: 'Tour: chats to learn from' }).waitFor();
    await act(tour, 'Teach the model', 'Have the model learn them');
    await page.getByRole('heading', { name: 'Tour: taught the chats' }).waitFor();
    await page.getByRole('slider', { name: 'Loss, step by step' }).waitFor();
    const [run] = await client.training.list();
    expect(run).toMatchObject({ state: 'done', modelId, name: 'Tour: taught the chats' });
    const losses = run?.losses.map(({ loss }) => loss) ?? [];
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
    await turn(tour, 'Compare');

    await act(tour, 'See both answers', 'See both answers');
    await tour.getByText('After', { exact: true }).waitFor(patience);
    const answers = (await client.training.list())[0]?.samples ?? [];
    const asked = questions.taught.slice(0, 3).map(({ question }) => question.en);
    expect(answers.map(({ prompt }) => prompt)).toEqual(asked);
    expect(answers.some(({ base, replies }) => replies.at(-1)?.text !== base)).toBe(true);
    await act(tour, /^Ask “/, 'Ask it yourself');
    const said = async (title: string) => {
      const { conversations } = await client.conversations.list({});
      const conversationId = conversations.find((each) => each.title === title)?.id ?? 0;
      const { messages } = await client.messages.path({ conversationId });
      return messages.at(-1)?.text.trim();
    };
    const before = await said('Tour: first words');
    expect(await said('Tour: after teaching')).not.toBe(before);
    await turn(tour, 'Add a delta');

    await act(tour, 'Lay out base and delta', 'Lay out base and delta');
    await act(tour, 'Add the delta', 'Add them');
    await page.getByText('Proved by hashes').waitFor();
    const [job] = await client.weights.list();
    expect(job?.result?.proof.kind).toBe('hashes');
    await act(tour, /^Ask “/, 'Talk to the model that comes of it');
    expect(await said('Tour: with the delta')).not.toBe('');
    const names = async () => (await client.system.state()).models.map(({ name }) => name).sort();
    expect(await names()).toEqual(
      expect.arrayContaining(['Tour: base plus delta', 'Tour: taught the chats']),
    );
    await turn(tour, 'Get a real model');

    await buttonOf(tour, 'Show the models').click();
    await page.getByRole('heading', { name: 'Good ones to begin with' }).waitFor();
    await page.getByText('Runs here').first().waitFor(patience);
    await tour.getByRole('heading', { name: 'That was the tour' }).waitFor();
    expect(await findings(page)).toEqual([]);

    await buttonOf(tour, 'Remove what the tour made').click();
    await tour.waitFor({ state: 'detached', ...patience });
    expect((await client.system.state()).settings.tour).toBe('done');
    const { conversations } = await client.conversations.list({});
    expect([conversations, await client.datasets.list(), await client.training.list()]).toEqual([[], [], []]);
    expect(await client.weights.list()).toEqual([]);
    expect((await client.system.state()).models.map(({ id }) => id)).toEqual([modelId]);
    expect(existsSync(job?.result?.out ?? '')).toBe(false);
    await page.context().close();
    await shell.stop();
  }, 900_000);

  test('goes on where it was after a restart, and wherever else the person has been', async () => {
    let shell = await start('restart', standIn);
    let page = await open(shell);
    let tour = await begin(page);
    await act(tour, /^Ask “/, 'Ask it something');
    await buttonOf(tour, 'Skip this').click();
    await act(tour, 'Read the chats in', 'Read the chats in');
    await page.context().close();
    await shell.stop();

    shell = await start('restart', standIn);
    page = await open(shell);
    tour = tourOf(page);
    await tour.getByRole('heading', { name: 'Teach it' }).waitFor();
    await tour.getByText('Read the chats in: Done').waitFor();
    await tour.getByText('Have the model learn them: To do').waitFor();

    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await buttonOf(tour, 'Show').click();
    await page.getByRole('heading', { name: 'Tour: chats to learn from' }).waitFor();
    await buttonOf(tour, 'Back').click();
    await tour.getByText('Ask it something: Done').waitFor();
    // Whoever writes something else is let write.
    await page.getByRole('link', { name: 'Tour: first words' }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('Where does nobody live?');
    await page.keyboard.press('Enter');
    await page.getByText('Where does nobody live?').waitFor();
    await page.context().close();
    await shell.stop();
  }, 300_000);

  test('can be skipped, made small by keyboard, left, and begun again', async () => {
    const shell = await start('skip', standIn);
    const page = await open(shell);
    await buttonOf(page, 'No, thanks').click();
    await buttonOf(page, 'Take the tour').waitFor({ state: 'detached' });
    expect((await shell.client.system.state()).settings.tour).toBe('left');
    await page.reload();
    await page.getByRole('heading', { name: 'Hello! I am small, and I live here.' }).waitFor();
    expect(await buttonOf(page, 'Take the tour').count()).toBe(0);

    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    const tour = await begin(page);
    const primary = buttonOf(tour, /^Ask “/);
    await primary.focus();
    await page.keyboard.press('Escape');
    const goOn = buttonOf(tour, 'Go on');
    await goOn.waitFor();
    expect(await goOn.evaluate((element) => element.matches(':focus'))).toBe(true);
    await page.keyboard.press('Enter');
    await primary.focus();
    await page.keyboard.press('Enter');
    await tour.getByText('Ask it something: Done').waitFor(patience);
    expect(await primary.evaluate((element) => element.matches(':focus'))).toBe(true);

    await buttonOf(tour, 'Leave the tour').click();
    await tour.waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('tour');
    await page.getByRole('option', { name: 'Take the tour' }).click();
    // What was made before does not count as done.
    await tour.getByText('Ask it something: To do').waitFor();

    const { modelId } = await shell.client.samples.get();
    await shell.client.models.remove({ modelId: modelId ?? 0 });
    await page.getByRole('heading', { name: 'Add a model to begin' }).waitFor();
    await tour.waitFor({ state: 'detached' });
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await begin(page);
    await page.getByRole('heading', { name: 'Hello! I am small, and I live here.' }).waitFor();
    await page.context().close();
    await shell.stop();
  }, 300_000);

  test('says what went wrong, and lets go on', async () => {
    const within = join(folder, 'broken');
    const resources = await buildResources(within);
    const shell = await start('broken-data', resources);
    const page = await open(shell);
    const tour = await begin(page);
    await buttonOf(tour, 'Skip this').click();
    const { chats } = await shell.client.samples.get();
    await rename(chats?.path ?? '', join(within, 'elsewhere'));
    await buttonOf(tour, 'Read the chats in').click();
    await tour.getByRole('alert').waitFor();
    await rename(join(within, 'elsewhere'), chats?.path ?? '');
    await buttonOf(tour, 'Try again').click();
    await tour.getByText('Read the chats in: Done').waitFor(patience);
    expect(await tour.getByRole('alert').count()).toBe(0);
    await buttonOf(tour, 'Skip this').click();
    await tour.getByRole('heading', { name: 'Compare' }).waitFor();
    await buttonOf(tour, 'See both answers').click();
    await tour.getByRole('alert').getByText('Nothing has been taught yet.').waitFor();
    await buttonOf(tour, 'Skip this').click();
    await tour.getByRole('heading', { name: 'Add a delta' }).waitFor();
    await page.context().close();
    await shell.stop();
  }, 300_000);

  test('speaks Korean, and can be used by everyone, wide and narrow, in light and dark', async () => {
    const shell = await start('everyone', standIn);
    const found: Record<string, string[]> = {};
    const views = [
      ...[
        { width: 360, colorScheme: 'light' },
        { width: 360, colorScheme: 'dark' },
      ],
      ...[
        { width: 1000, colorScheme: 'light' },
        { width: 1280, colorScheme: 'dark' },
      ],
    ] as const;
    for (const { width, colorScheme } of views) {
      await shell.client.settings.update({ tour: 'new', language: 'ko' });
      const page = await open(shell, { locale: 'ko-KR', width, colorScheme });
      await page.getByRole('heading', { name: '안녕하세요! 저는 작고, 여기에 살아요.' }).waitFor();
      found[`offer ${colorScheme} ${width}`] = await findings(page);
      await buttonOf(page, /^둘러보기$/).click();
      const tour = tourOf(page);
      for (const step of ['말 걸기', '가르치기', '비교하기', '델타 더하기', '진짜 모델 받기']) {
        await tour.getByRole('heading', { name: step }).waitFor();
        expect(await covers(page, tour)).toBe(false);
        found[`${step} ${colorScheme} ${width}`] = await findings(page);
        if (step !== '진짜 모델 받기') await buttonOf(tour, '건너뛰기').click();
      }
      await buttonOf(tour, /^둘러보기 작게 하기/).click();
      await buttonOf(tour, '이어서 하기').waitFor();
      found[`small ${colorScheme} ${width}`] = await findings(page);
      await page.context().close();
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
    await shell.stop();
  }, 300_000);

  test('is not offered where nothing comes with Puna', async () => {
    const shell = await start('nothing', null);
    const page = await open(shell);
    await page.getByRole('heading', { name: 'Add a model to begin' }).waitFor();
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await page.getByRole('heading', { name: 'Settings' }).waitFor();
    expect(await page.getByText(/tour/i).count()).toBe(0);
    await page.context().close();
    await shell.stop();
  }, 60_000);
});

/** What axe finds serious, by rule and place. */
async function findings(page: Page): Promise<string[]> {
  // Colours that fade in have no contrast yet.
  await page.waitForTimeout(500);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

/** Whether the tour lies over a part of the page. */
async function covers(page: Page, tour: Locator): Promise<boolean> {
  const [one, other] = await Promise.all([tour.boundingBox(), page.getByRole('main').boundingBox()]);
  if (!one || !other) throw new Error('There is no tour, or no page.');
  const apart = (from: 'x' | 'y', size: 'width' | 'height') =>
    one[from] + 1 > other[from] + other[size] || other[from] + 1 > one[from] + one[size];
  return !apart('x', 'width') && !apart('y', 'height');
}
