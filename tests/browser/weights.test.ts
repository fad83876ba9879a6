import { AxeBuilder } from '@axe-core/playwright';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WeightsJob } from '../../src/shared/contract/index.ts';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

/** What the result says to everything; the base has the same words in another order. */
const spoken = 'I grew up on the puna';

describe.skipIf(!findBrowser())('the page Weights', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let shell: Shell;
  let page: Page;
  let files: { base: string; target: string; llama: string; vicuna: string; large: string };
  let count = 0;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    files = {
      base: await buildScriptedModel(join(folder, 'plain.gguf'), { reply: 'I puna the on up grew' }),
      target: await buildScriptedModel(join(folder, 'puna.gguf'), { reply: spoken }),
      llama: await buildTinyFolder(join(folder, 'llama-7b')),
      vicuna: await buildTinyFolder(join(folder, 'vicuna-7b'), { change: 0.1 }),
      // So large that there is time to do something about it.
      large: await buildScriptedModel(join(folder, 'large.gguf'), { reply: spoken, ballast: 100 }),
    };
  });
  afterAll(async () => {
    await browser.close();
    await removeFolder();
  });
  beforeEach(async () => {
    shell = await startShell({ dataFolder: join(folder, `data-${++count}`), built: true });
    page = await openPage(browser, shell);
    await page.getByRole('link', { name: 'Weights' }).click();
    await page.getByRole('heading', { name: 'Turn weights into a model' }).waitFor();
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

  const start = () => page.getByRole('button', { name: 'Start' }).click();
  const card = (name: string) => page.getByRole('article', { name, exact: true });
  const item = (name: string) => page.getByRole('listitem', { name, exact: true });

  /** What was made, once it is there, out of Puna's folder, so that it comes as from somewhere else. */
  async function made(): Promise<string> {
    await expect.poll(async () => (await shell.client.weights.list())[0]?.state).toBe('done');
    const [job] = await shell.client.weights.list();
    return (job as WeightsJob).result?.out ?? '';
  }
  async function deltaOf(base: string, target: string, name: string): Promise<string> {
    await shell.client.weights.start({ kind: 'delta-make', base, target, out: name, compress: false });
    const out = await made();
    const moved = join(folder, `deltas-${count}`, name);
    await mkdir(dirname(moved), { recursive: true });
    await rename(out, moved);
    return moved;
  }

  test('makes a model of a base and a delta that are dropped, with a proof and a picture, and it chats', async () => {
    const delta = await deltaOf(files.base, files.target, 'puna-delta.gguf');
    await drop(files.base, delta);
    await expect.poll(() => item('plain.gguf').innerText()).toContain('Model · llama');
    await expect
      .poll(() => item('puna-delta.gguf').innerText())
      .toMatch(/Delta · llama.*with hashes for a proof/s);
    await page.getByRole('heading', { name: 'Apply the delta' }).waitFor();
    await start();

    const result = card('puna');
    await result.getByText('Proved by hashes').waitFor();
    const rows = result.getByRole('table', { name: 'How much each layer was changed' }).getByRole('row');
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/Layer\s+Change/),
      expect.stringMatching(/Layer 0\s+0%/),
      expect.stringMatching(/Layer 1\s+0%/),
      expect.stringMatching(/Outside of the layers\s+\d+%/),
    ]);
    await result.getByText(spoken).waitFor();

    await result.getByRole('button', { name: 'Family tree' }).click();
    const tree = result.getByRole('listitem');
    await expect.poll(() => tree.count()).toBe(3);
    expect(await tree.first().innerText()).toMatch(
      /puna\s+Apply the delta.*plain\s+The base\s+puna-delta\s+The delta/s,
    );

    await result.getByRole('button', { name: 'Chat with it' }).click();
    const box = page.getByRole('textbox', { name: 'Message' });
    await box.fill('Who are you?');
    await box.press('Enter');
    await page.getByRole('article').getByText(spoken).waitFor();
    expect(await page.getByRole('button', { name: 'Model: puna' }).count()).toBe(1);
  });

  test('takes whole folders, and what was sent for an operation is gone when that is done', async () => {
    const delta = await deltaOf(files.llama, files.vicuna, 'vicuna-7b-delta');
    await drop(files.llama, delta);
    await expect.poll(() => item('llama-7b').innerText()).toContain('Hugging Face');
    await expect.poll(() => item('vicuna-7b-delta').innerText()).toContain('made from llama-7b');
    await start();
    await card('vicuna-7b').getByText('Proved by hashes').waitFor();
    expect((await shell.client.system.state()).models).toMatchObject([{ name: 'vicuna-7b' }]);
    await expect.poll(() => readdir(join(shell.dataFolder, 'uploaded-weights'))).toEqual([]);
  });

  test('proposes what makes sense, lets a person change roles and names, and never overwrites', async () => {
    await drop(files.base);
    await page.getByRole('heading', { name: 'Quantize' }).waitFor();
    await drop(files.target);
    await page.getByRole('heading', { name: 'Merge' }).waitFor();
    await page.getByRole('radio', { name: 'Make a delta' }).click();
    await page.getByText(/models.puna-delta\.gguf/).waitFor();
    // The other one becomes the base, and this one what it was.
    await item('puna.gguf').getByRole('combobox').selectOption('base');
    await page.getByText(/models.plain-delta\.gguf/).waitFor();
    await page.getByRole('button', { name: 'More options' }).click();
    const name = page.getByRole('textbox', { name: 'Name' });
    await name.fill('mine');
    await name.press('Tab');
    await page.getByText(/models.mine\.gguf/).waitFor();
    await start();
    await card('mine').getByText('Proved by hashes').waitFor();

    await drop(files.base, files.target);
    await page.getByRole('radio', { name: 'Make a delta' }).click();
    await page.getByRole('button', { name: 'More options' }).click();
    await name.fill('mine');
    await name.press('Tab');
    await page.getByText(/models.mine \(2\)\.gguf/).waitFor();
  });

  test('says what is missing, what it cannot read, and lets go of what is taken away', async () => {
    await drop(await deltaOf(files.base, files.target, 'alone-delta.gguf'));
    await page.getByText('Drop the base, too').waitFor();
    expect(await page.getByRole('button', { name: 'Start' }).count()).toBe(0);
    await drop('package.json');
    await page.getByText(/^package\.json is nothing that Puna knows/).waitFor();
    await page.getByRole('button', { name: 'Take package.json away' }).click();
    await page.getByRole('button', { name: 'Take alone-delta.gguf away' }).click();
    await page.getByRole('heading', { name: 'Turn weights into a model' }).waitFor();
  });

  test('stops, resumes and discards', async () => {
    await shell.client.weights.start({ kind: 'convert', from: files.large, out: 'wide.gguf', type: 'F32' });
    const job = card('wide');
    await job.getByRole('progressbar').waitFor();
    await job.getByRole('button', { name: 'Cancel' }).click();
    await job.getByText('What was begun is kept').waitFor();
    await page.reload();
    await job.getByRole('button', { name: 'Resume' }).click();
    await job.getByText(spoken).waitFor();
    await job.getByRole('button', { name: 'Discard wide' }).click();
    await job.waitFor({ state: 'detached' });
    await page.getByText('wide was taken off the list; the result stays').waitFor();
    expect((await shell.client.system.state()).models).toMatchObject([{ name: 'wide' }]);
  });

  test('offers to change what failed: a delta may be allowed on another base', async () => {
    const delta = await deltaOf(files.llama, files.vicuna, 'vicuna-7b-delta');
    const another = await buildTinyFolder(join(folder, 'another'), { change: 0.05 });
    await drop(another, delta);
    await page.getByRole('heading', { name: 'Apply the delta' }).waitFor();
    await start();
    const failed = card('vicuna-7b');
    await failed.getByRole('alert').waitFor();
    await failed.getByRole('button', { name: 'Change options' }).click();
    await page.getByRole('button', { name: 'More options' }).click();
    await page.getByRole('switch', { name: 'Allow on a base' }).click();
    await start();
    await card('vicuna-7b (2)').getByText('Computed exactly').waitFor();
  });

  test('warns of quantizing what is quantized already, and lets a person do so', async () => {
    await drop(files.base);
    await page.getByText('This model is quantized already').waitFor();
    const button = page.getByRole('button', { name: 'Start' });
    await expect.poll(() => button.isDisabled()).toBe(true);
    await page.getByRole('switch', { name: 'Allow a model that is quantized already' }).click();
    await page.getByRole('combobox', { name: 'Type of the weights' }).selectOption('Q8_0');
    await page.getByText(/models.plain-Q8_0\.gguf/).waitFor();
    await start();
    await card('plain-Q8_0').getByRole('button', { name: 'Chat with it' }).waitFor();
  });

  test('finds files and folders on the machine by their place', async () => {
    await page.getByRole('button', { name: 'Choose files or a folder' }).click();
    const path = page.getByRole('textbox', { name: 'Path of a file or a folder' });
    await path.fill(folder);
    await path.press('Enter');
    await page.getByRole('button', { name: 'llama-7b' }).click();
    await page.getByRole('button', { name: 'model.safetensors' }).waitFor();
    await page.getByRole('button', { name: 'Use this folder' }).click();
    await expect.poll(() => item('llama-7b').innerText()).toContain('Hugging Face');
    await page.getByRole('heading', { name: 'Convert' }).waitFor();
  });

  test('can be read and used by everyone', async () => {
    const findings = async (name: string) => {
      // Colours that fade in have no contrast yet.
      await page.waitForTimeout(500);
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${name}: ${id}: ${target.join(' ')}`));
    };
    const found = await findings('empty');
    const delta = await deltaOf(files.llama, files.vicuna, 'vicuna-7b-delta');
    await drop(files.llama, delta);
    await start();
    await card('vicuna-7b').getByText('Proved by hashes').waitFor();
    await drop(files.base, files.target);
    await page.getByRole('heading', { name: 'Merge' }).waitFor();
    await page.getByRole('button', { name: 'More options' }).click();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        found.push(...(await findings(`${colorScheme} ${width}`)));
        // Nothing is wider than the page.
        const wide = await page.locator('.page-content').evaluate(({ scrollWidth }) => scrollWidth);
        expect(wide).toBeLessThanOrEqual(width);
      }
    }
    expect(found).toEqual([]);
  });
});
