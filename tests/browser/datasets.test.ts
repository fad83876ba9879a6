import { AxeBuilder } from '@axe-core/playwright';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/shared/contract/index.ts';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

/** A chat as WhatsApp exports it: what Bob says, and what Alice answers, on a day each. */
const days = [
  ['Tea?', 'Please, with milk and a biscuit'],
  ['Where is the key?', 'Under the blue flower pot'],
  ['What is your address?', 'Write to alice@example.org'],
  ['How was the mountain?', 'Windy, and the grass was golden'],
  ['Shall we go by train?', 'Yes, the night train'],
  ['Where is the key?', 'Under the blue flower pot'],
];
const whatsapp = days
  .flatMap(([asked, answer], day) => [
    `${10 + day}/01/2024, 21:41 - Bob: ${asked}`,
    `${10 + day}/01/2024, 21:42 - Alice: ${answer}`,
  ])
  .join('\n');

/** As long as a busy machine takes to make a dataset or to show it. */
const poll = <Value>(look: () => Value) => expect.poll(look, { timeout: 30_000 });

describe.skipIf(!findBrowser())('the page Teach', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let shell: Shell;
  let page: Page;
  let model: string;
  let count = 0;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    model = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'golden' });
    await writeFile(join(folder, 'Chat with Bob.txt'), whatsapp);
  });
  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });
  beforeEach(async () => {
    shell = await startShell({ dataFolder: join(folder, `data-${++count}`), built: true });
    await shell.client.models.add({ path: model });
    page = await openPage(browser, shell);
    await page.getByRole('link', { name: 'Teach' }).click();
    await page.getByRole('heading', { name: 'Teach a model your own words' }).waitFor();
  });
  afterEach(async () => {
    await page.context().close();
    await shell.stop();
  });

  /** Lets go of files and folders over the page, as a person does who drags them from a file manager. */
  async function drop(...paths: string[]): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data });
    }
  }

  const source = (name: string) => page.getByRole('listitem', { name, exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const table = () => page.getByRole('grid', { name: 'Examples' });
  const row = (text: string) => table().getByRole('row').filter({ hasText: text });
  /** What is in the table, row by row. */
  const rows = async () => (await table().getByRole('row').allInnerTexts()).slice(1);

  /** The only dataset, once it is made. */
  async function made(): Promise<Dataset> {
    await poll(async () => (await shell.client.datasets.list())[0]?.state).toBe('ready');
    return (await shell.client.datasets.list())[0] as Dataset;
  }
  async function exported(datasetId: number): Promise<unknown[]> {
    let text = '';
    for await (const piece of await shell.client.datasets.export({ datasetId })) text += piece;
    return text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  }
  const pair = (asked: string, answer: string) => ({
    messages: [
      { role: 'user', content: asked },
      { role: 'assistant', content: answer },
    ],
  });

  test('makes a dataset of a chat that is dropped: asks who I am, cleans, searches, excludes, edits and exports', async () => {
    await drop(join(folder, 'Chat with Bob.txt'));
    await poll(() => source('Chat with Bob.txt').innerText()).toContain('WhatsApp chat');
    await poll(() => button('Read it in').isDisabled()).toBe(true);
    await page.getByText('Say which of the people is you.').waitFor();
    await page.getByRole('radio', { name: 'Alice (6)' }).click();
    await page.getByRole('spinbutton', { name: 'Kept for measuring' }).fill('0');
    await button('Read it in').click();

    await page.getByRole('heading', { name: 'Chat with Bob', exact: true }).waitFor();
    await poll(rows).toHaveLength(5);
    await row('Write to [email]').waitFor();
    await page.getByRole('button', { name: /1 left out · 1 changed/ }).click();
    await page.getByText('Mail addresses').click();
    await page.getByRole('listitem').filter({ hasText: '[email]' }).waitFor();

    await page.getByRole('searchbox', { name: 'Search in the examples' }).fill('golden');
    await poll(rows).toEqual([expect.stringContaining('How was the mountain?')]);
    await page.getByRole('searchbox', { name: 'Search in the examples' }).fill('');
    await poll(rows).toHaveLength(5);

    await row('address').getByRole('gridcell').first().click();
    await row('train')
      .getByRole('gridcell')
      .first()
      .click({ modifiers: ['Shift'] });
    await page.getByText('3 selected').waitFor();
    await button('Leave out').click();
    await page.getByText('3 examples are left out').waitFor();
    await page.getByText(/2 to learn/).waitFor();
    await button('Undo').click();
    await page.getByText(/5 to learn/).waitFor();
    await row('address').getByRole('gridcell').first().click();
    await button('Leave out').click();
    await page.getByRole('combobox', { name: 'Which examples are shown' }).selectOption('Left out');
    await poll(rows).toEqual([expect.stringContaining('address')]);
    await page.getByRole('combobox', { name: 'Which examples are shown' }).selectOption('All');

    await row('Tea?').click();
    const sheet = page.getByRole('dialog');
    await sheet.getByRole('heading', { name: 'Example 1 of 5' }).waitFor();
    await sheet.getByRole('radio', { name: 'As the model reads it' }).click();
    await poll(() => sheet.locator('mark').allInnerTexts()).toEqual([
      expect.stringContaining('Please, with milk and a biscuit'),
    ]);
    await sheet.getByRole('button', { name: 'Edit' }).click();
    await sheet.getByRole('textbox', { name: 'Answer 1' }).fill('Yes please, no milk');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await poll(() => sheet.locator('mark').allInnerTexts()).toEqual([expect.stringContaining('no milk')]);
    await page.keyboard.press('ArrowRight');
    await sheet.getByRole('heading', { name: 'Example 2 of 5' }).waitFor();
    await sheet.getByRole('radio', { name: 'For measuring' }).click();
    await sheet.getByRole('button', { name: 'Close' }).click();
    await page.getByText(/3 to learn · 1 for measuring/).waitFor();

    const { id } = await made();
    const examples = [
      pair('Tea?', 'Yes please, no milk'),
      pair('How was the mountain?', 'Windy, and the grass was golden'),
      pair('Shall we go by train?', 'Yes, the night train'),
      pair('Where is the key?', 'Under the blue flower pot'),
    ];
    expect(await exported(id)).toEqual(expect.arrayContaining(examples));
    await button('Options for Chat with Bob').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: 'Export as JSONL' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('Chat with Bob.jsonl');
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toHaveLength(4);
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(expect.arrayContaining(examples));
  });

  test('takes a folder with folders in it, and leaves out what cannot be read', async () => {
    const notes = join(folder, 'notes');
    await mkdir(join(notes, '2024', 'may'), { recursive: true });
    await writeFile(join(notes, 'bread.md'), '# Bread\n\nFlour, water, salt and a night in a cool kitchen.');
    await writeFile(join(notes, '2024', 'may', 'puna.md'), '# Puna\n\nThe grass of the puna is called ichu.');
    await writeFile(join(notes, 'cat.gif'), 'GIF89a');
    await drop(notes);
    await poll(() => source('notes').innerText()).toContain('Markdown · 2 files');
    await button('Read it in').click();
    await poll(rows).toHaveLength(2);
    await row('ichu').waitFor();
    await button('Make question–answer pairs').waitFor();
  });

  test('asks what the columns of a table are, and how dates are written', async () => {
    await writeFile(join(folder, 'cards.csv'), 'number,front,back\n1,Hund,dog\n2,Katze,cat\n');
    const strange = [
      '<24/1/2 3.05 PM> - Bob: Tea?',
      '<24/1/2 3.06 PM> - Alice: Please',
      '<24/1/2 3.07 PM> - Bob: Here',
    ];
    await writeFile(join(folder, 'strange.txt'), strange.join('\n'));
    await drop(join(folder, 'cards.csv'), join(folder, 'strange.txt'));
    const cards = source('cards.csv');
    await cards.getByRole('combobox', { name: 'Question' }).selectOption('front');
    await page.getByText('Say what the columns are.').waitFor();
    await cards.getByRole('combobox', { name: 'Answer' }).selectOption('back');
    const chat = source('strange.txt');
    await chat.getByText(strange[0] ?? '').waitFor();
    const dates = chat.getByRole('textbox', { name: 'How are the dates written?' });
    await dates.fill('D.M.YYYY h:m - ');
    await chat.getByRole('button', { name: 'Read again' }).click();
    await chat.getByRole('alert').waitFor();
    await dates.fill('<YY/M/D h.m a> - ');
    await chat.getByRole('button', { name: 'Read again' }).click();
    await chat.getByRole('radio', { name: 'Alice (1)' }).click();
    await button('Read it in').click();
    await poll(rows).toEqual([
      expect.stringMatching(/Hund\s+dog/),
      expect.stringMatching(/Katze\s+cat/),
      expect.stringMatching(/Tea\?\s+Please/),
    ]);
  });

  test('learns from chats in Puna, all or only those that were liked', async () => {
    const { client } = shell;
    for (const text of ['What colour?', 'Which grass?']) {
      const { id } = await client.conversations.create({});
      const { reply } = await client.chat.send({ conversationId: id, parentId: null, text, attachments: [] });
      await replyFinished(shell);
      if (text === 'Which grass?') {
        await client.messages.feedback({
          messageId: reply.id,
          feedback: { rating: 'up', correction: 'ichu' },
        });
      }
    }
    await button('From my chats').click();
    await page.getByRole('switch', { name: 'Only replies that I liked or corrected' }).click();
    await button('Read it in').click();
    await poll(rows).toEqual([expect.stringMatching(/Which grass\?\s+ichu/)]);
  });

  test('begins empty for examples that a person writes, is renamed, and can be removed and brought back', async () => {
    await button('Write examples yourself').click();
    await button('Write an example').click();
    const sheet = page.getByRole('dialog');
    await sheet.getByRole('textbox', { name: 'Question 1' }).fill('Who am I?');
    expect(await sheet.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await sheet.getByRole('textbox', { name: 'Answer 1' }).fill('You are Alice.');
    await sheet.getByRole('button', { name: 'Save' }).click();
    await poll(rows).toEqual([expect.stringMatching(/Who am I\?\s+You are Alice\./)]);
    const { id } = await made();
    expect(await exported(id)).toEqual([pair('Who am I?', 'You are Alice.')]);

    await button('Options for My examples').click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name of the dataset' }).fill('Me');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Me', exact: true }).waitFor();
    await page.getByRole('link', { name: 'All datasets and runs' }).click();
    await button('Options for Me').click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await source('Me').waitFor({ state: 'detached' });
    await button('Undo').click();
    await source('Me').waitFor();
    expect(await shell.client.datasets.list()).toHaveLength(1);
  });

  test('is used by the keyboard alone, however many examples there are', async () => {
    const many = join(folder, 'many.jsonl');
    const line = (number: number) => JSON.stringify(pair(`Question ${number}?`, `Answer ${number}`));
    await writeFile(many, Array.from({ length: 3000 }, (_, number) => line(number)).join('\n'));
    const { id } = await shell.client.datasets.import({
      ...{ kind: 'import', name: 'Many', clean: null },
      sources: [{ from: 'file', path: many }],
    });
    await made();
    await page.goto(`http://127.0.0.1:${shell.port}/#/teach/dataset/${id}`);
    await row('Question 0?').waitFor();
    await table().focus();
    await page.keyboard.press('End');
    await row('Question 2999?').waitFor();
    await page.keyboard.press('Space');
    await page.keyboard.press('Home');
    await row('Question 0?').waitFor();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByText('3 selected').waitFor();
    await page.keyboard.press('Delete');
    await page.getByText('3 examples are left out').waitFor();
    await page.keyboard.press('Control+a');
    await page.getByText('3,000 selected').waitFor();
    await page.keyboard.press('Delete');
    await poll(async () => (await made()).counts.excluded).toBe(3000);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /Example 2 of 3,000/ }).waitFor();
  });

  test('can be read and used by everyone', async () => {
    const found: string[] = [];
    async function look(name: string): Promise<void> {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          // Colours that fade in have no contrast yet.
          await page.waitForTimeout(400);
          const { violations } = await new AxeBuilder({ page }).analyze();
          const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          const places = serious.flatMap(({ id, nodes }) =>
            nodes.map(({ target }) => `${id}: ${target.join(' ')}`),
          );
          found.push(...places.map((place) => `${name} ${colorScheme} ${width}: ${place}`));
          // Nothing is wider than the page.
          const wide = await page.locator('.page-content').evaluate(({ scrollWidth }) => scrollWidth);
          expect(wide).toBeLessThanOrEqual(width);
        }
      }
    }
    await look('home');
    await drop(
      join(folder, 'Chat with Bob.txt'),
      resolve('tests/fixtures/datasets/documents/lighthouse.pdf'),
    );
    await page.getByRole('radio', { name: 'Alice (6)' }).click();
    await page.getByRole('button', { name: /^Cleaning/ }).click();
    await page.getByRole('switch', { name: 'Language' }).click();
    await look('import');
    await button('Read it in').click();
    await row('Tea?').waitFor();
    await page.getByRole('list', { name: 'How many examples have how many tokens' }).waitFor();
    await page.getByRole('button', { name: /1 left out/ }).click();
    await row('Tea?').getByRole('gridcell').first().click();
    await look('dataset');
    await row('Tea?').click();
    await page.getByRole('radio', { name: 'As the model reads it' }).click();
    await page.getByRole('dialog').locator('mark').waitFor();
    await look('example');
    await page.getByRole('dialog').getByRole('button', { name: 'Edit' }).click();
    await look('editor');
    expect(found).toEqual([]);
  });
});
