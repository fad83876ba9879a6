import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

/** What has the focus, as a screen reader names it, and whether eyes can tell: by an outline, or by the frame around it. */
const focused = `(() => {
  const element = document.activeElement;
  const words = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? '';
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = 'var(--focus)';
  const colour = getComputedStyle(probe).color;
  probe.remove();
  const isTold = (each) => {
    const { outlineStyle, outlineWidth, borderTopColor } = getComputedStyle(each);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || borderTopColor === colour;
  };
  const frames = [element, element.parentElement, element.parentElement?.parentElement].filter(Boolean);
  // In the field of the message, the cursor tells it.
  const isField = element.matches('textarea');
  return { name: words.trim().replace(/\\s+/g, ' '), visible: isField || frames.some(isTold) };
})()`;

describe.skipIf(!findBrowser())('with the keyboard alone', () => {
  let browser: Browser;
  let shell: Shell;
  let page: Page;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    shell = await startShell({ dataFolder: join(folder, 'data'), built: true });
    await shell.client.settings.update({ automaticTitles: false });
    const path = await buildScriptedModel(join(folder, 'endless.gguf'), {
      ...{ reply: 'Grass and more grass', endless: true, ballast: 20 },
    });
    await shell.client.models.add({ path });
    for (let count = 1; count <= 30; count++)
      await shell.client.conversations.create({ title: `Chat ${count}` });
    browser = await launchBrowser();
    page = await openPage(browser, shell);
  });
  afterAll(async () => {
    await browser.close();
    await shell.stop();
    await removeFolder();
  });

  const now = () => page.evaluate<{ name: string; visible: boolean }>(focused);
  const press = (keys: string) => page.keyboard.press(keys);

  /** Goes on until something of that name has the focus; on the way, it must be seen where the focus is. Gives the stops. */
  async function tabTo(name: RegExp, key = 'Tab'): Promise<string[]> {
    const stops: string[] = [];
    while (stops.length < 40) {
      await press(key);
      const stop = await now();
      stops.push(stop.name);
      expect(stop).toMatchObject({ visible: true });
      if (name.test(stop.name)) return stops;
    }
    throw new Error(`${String(name)} was not reached: ${stops.join(', ')}`);
  }

  test('a person writes, stops the reply, uses its menu and changes a setting', async () => {
    // Whoever opens Puna can write at once.
    await expect.poll(now).toEqual({ name: 'Message', visible: true });
    await page.keyboard.type('What grows there?');
    await press('Enter');
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await expect.poll(() => page.getByRole('article').last().innerText()).toContain('Grass');
    await press('Escape');
    await page
      .getByText('You stopped this reply.')
      .or(page.getByRole('button', { name: 'Write on' }))
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });

    // Back from the field to the title of the conversation, and its menu.
    await tabTo(/^New chat$|^What grows there\?$/, 'Shift+Tab');
    const { name: title } = await now();
    await press('Enter');
    await page.getByRole('menuitem', { name: 'Rename' }).waitFor();
    await press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await expect.poll(now).toEqual({ name: title, visible: true });

    await press('Control+,');
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await page.getByRole('radio', { name: 'System' }).first().waitFor();
    await tabTo(/^System$/);
    await press('ArrowRight');
    await expect.poll(() => page.getByRole('radio', { name: 'Light' }).isChecked()).toBe(true);
  });

  test('the first stop leads past the list, which is one stop itself, and arrows lead through it', async () => {
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${shell.port}/#/weights`);
    await page.getByRole('link', { name: 'Chat 30' }).waitFor();
    await tabTo(/^Go to the content$/);
    await press('Enter');
    expect(await page.locator('#main').evaluate((main) => main.matches(':focus'))).toBe(true);

    await page.reload();
    await page.getByRole('link', { name: 'Chat 30' }).waitFor();
    const stops = await tabTo(/^Teach$/);
    expect(stops.slice(stops.indexOf('Archived'))).toEqual(['Archived', expect.any(String), 'Teach']);
    await press('Shift+Tab');
    const { name: first } = await now();
    await press('ArrowDown');
    await expect.poll(async () => (await now()).name).not.toBe(first);
    const { name: second } = await now();
    // From below it leads back to where one was.
    await press('Tab');
    await press('Shift+Tab');
    expect(await now()).toEqual({ name: second, visible: true });
  });

  test('the settings are gone through to their end; where one is can be seen, and the window stays where it is', async () => {
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${shell.port}/#/settings`);
    await page.getByRole('button', { name: 'Licences' }).waitFor();
    expect(await tabTo(/^Licences$/)).toContain('Choose file');
    expect(await page.evaluate<number>('document.scrollingElement.scrollTop')).toBe(0);
  });

  test('what lies over a narrow window keeps the focus until it goes, and gives it back', async () => {
    await page.setViewportSize({ width: 360, height: 760 });
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${shell.port}/`);
    await page.getByRole('button', { name: 'Conversation settings' }).focus();
    await press('Enter');
    await expect.poll(now).toEqual({ name: 'Close settings', visible: true });
    const stops: string[] = [];
    do {
      await press('Tab');
      stops.push((await now()).name);
    } while (stops.at(-1) !== 'Close settings' && stops.length < 40);
    expect(stops).toContain('Seed');
    expect(stops.at(-1)).toBe('Close settings');
    expect(stops).not.toContain('Message');
    await press('Escape');
    await expect.poll(now).toEqual({ name: 'Conversation settings', visible: true });
    await page.setViewportSize({ width: 1280, height: 720 });
  });
});
