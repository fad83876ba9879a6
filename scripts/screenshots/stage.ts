import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { buildScriptedModel } from '../../tests/support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../../tests/support/shell.ts';
import { type Language, type Words, wordsOf } from './words.ts';

export const target = 'docs/screenshots';
/** Code gets its colours, and fonts arrive, a moment after the text; in milliseconds. */
const settled = 1200;
export const desk = { width: 1280, height: 860 };
/** Of the guide: as small as pages are still whole, since a picture between texts is shown smaller than it is. */
export const guide = { width: 1000, height: 620 };

/** A built Puna of its own with an open page, for the pictures of one scene in one language. */
export interface Stage {
  language: Language;
  words: Words;
  shell: Shell;
  page: Page;
  folder: string;
  picture: Pictures;
  /** Shows a page of the app, such as `/weights`. */
  show: (path: string) => Promise<void>;
}

/** Takes a picture of the window, or of a part of it with some air around, if it is wanted. */
export type Pictures = (
  page: Page,
  name: string,
  options?: { part?: Locator; /** What the mouse lies on; otherwise on nothing. */ hovered?: Locator },
) => Promise<void>;

/** What pictures of one matter take, and which. */
export interface Scene {
  names: Record<Language, readonly string[]>;
  take: (stage: Stage) => Promise<void>;
}

export function picturesOf(wanted: (name: string) => boolean): Pictures {
  return async (page, name, { part, hovered } = {}) => {
    if (!wanted(name)) return;
    if (hovered) await hovered.hover();
    else await page.mouse.move(0, 0);
    await page.waitForTimeout(settled);
    const path = join(target, `${name}.png`);
    await page.screenshot({ path, ...(part && { clip: await surroundings(part) }) });
    console.log(path);
  };
}

/** A part of the window with some air around it, in pixels of the window. */
async function surroundings(part: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const air = 16;
  await part.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const box = await part.boundingBox();
  if (!box) throw new Error('What the picture is of is not there.');
  return { x: box.x - air, y: box.y - air, width: box.width + 2 * air, height: box.height + 2 * air };
}

/**
 * Takes the pictures of a scene. Puna is furnished with a tiny model that knows one reply by heart, so its speed says nothing, and
 * with some conversations.
 */
export async function take(
  { take }: Scene,
  { browser, language, picture }: { browser: Browser; language: Language; picture: Pictures },
): Promise<void> {
  const { folder, remove } = await temporaryFolder();
  const shell = await startShell({ dataFolder: join(folder, 'data'), built: true, api: true });
  await furnish(shell, folder, language);
  const context = await browser.newContext({ viewport: desk, locale: language, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(shell.link);
  const show = async (path: string) => {
    await page.goto(`http://127.0.0.1:${shell.port}/#${path}`);
  };
  await take({ language, words: wordsOf[language], shell, page, folder, picture, show });
  await context.close();
  await shell.stop();
  await remove();
}

async function furnish({ client }: Shell, folder: string, language: Language): Promise<void> {
  const { reply, titles } = wordsOf[language];
  await client.settings.update({ language, automaticTitles: false });
  const path = join(folder, 'example.gguf');
  const modelId = await addScripted(client, { path, name: 'Example', reply });
  for (const title of titles) await client.conversations.create({ title, modelId });
}

/** Adds a model that knows one reply by heart. */
export async function addScripted(
  client: Shell['client'],
  { path, name, reply }: { path: string; name: string; reply: string },
): Promise<number> {
  const { id: modelId } = await client.models.add({ path: await buildScriptedModel(path, { reply }) });
  await client.models.rename({ modelId, name });
  return modelId;
}
