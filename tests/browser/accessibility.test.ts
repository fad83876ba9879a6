import { AxeBuilder } from '@axe-core/playwright';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser } from './browser.ts';

/** A reply with everything that has a look of its own. */
const reply = `# Grass

It is **golden**, see [the map](https://example.org) and \`code\`:

\`\`\`ts
const grass = 'golden';
\`\`\`

| month | colour |
| --- | --- |
| May | green |

- [x] seen`;

describe.skipIf(!findBrowser())('every page', () => {
  let browser: Browser;
  let shell: Shell;
  let removeFolder: () => Promise<void>;
  let addModel: () => Promise<unknown>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply });
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    addModel = () => shell.client.models.add({ path });
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  /** What axe finds serious, by rule and place. */
  async function findings(page: Page): Promise<string[]> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  async function visit(page: Page, address: string): Promise<void> {
    await page.goto(`http://127.0.0.1:${shell.port}/${address}`);
    await page.getByRole('main').locator('[aria-busy="true"]').waitFor({ state: 'detached' });
    // Colours that fade in have no contrast yet.
    await page.waitForTimeout(1000);
  }

  test('can be read and used by everyone, in light and dark, empty and full, wide and narrow', async () => {
    const found: Record<string, string[]> = {};
    async function look(name: string, addresses: string[]): Promise<void> {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [360, 1280]) {
          const context = await browser.newContext({
            colorScheme,
            viewport: { width, height: 800 },
            reducedMotion: 'reduce',
          });
          const page = await context.newPage();
          await page.goto(shell.link);
          for (const address of addresses) {
            await visit(page, address);
            found[`${name} ${address} ${colorScheme} ${width}`] = await findings(page);
          }
          await context.close();
        }
      }
    }
    await look('empty', ['', '#/models']);
    await addModel();
    const { id } = await shell.client.conversations.create({});
    await shell.client.chat.send({
      conversationId: id,
      parentId: null,
      text: 'What colour?',
      attachments: [],
    });
    await replyFinished(shell);
    await look('full', ['', `#/chat/${id}`, '#/models', '#/settings']);
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  });
});
