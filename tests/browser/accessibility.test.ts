import { AxeBuilder } from '@axe-core/playwright';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Furnished, startFurnished } from '../support/furnished.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { findBrowser, launchBrowser, openPage } from './browser.ts';

const widths = [1280, 360];

/** What lies over a page, or beside it: menus, popovers, dialogs, sheets, the search, the panel. */
const layers = '.popup, .dialog, .palette, .reply-statistics, aside';

/** Colours that fade in have no contrast yet; those of another theme come with the next picture, from the outside to the inside. */
const settled = `(async () => {
  do {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
  } while (document.getAnimations().length > 0);
})()`;

/** What a screen reader goes by: the levels of the headings in the main part, how many of those there are, names of the others. */
const outlineOf = `(() => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  return {
    levels: shown('main :is(h1, h2, h3, h4, h5, h6)').map(({ tagName }) => Number(tagName[1])),
    mains: shown('main').length,
    names: shown('nav, aside').map((each) => each.getAttribute('aria-label')),
    // Parts of the page scroll, the window does not: what is hidden for eyes must not lie outside of it.
    outside: document.documentElement.scrollHeight - innerHeight,
  };
})()`;
interface Outline {
  levels: number[];
  mains: number;
  names: (string | null)[];
  outside: number;
}

/** A page, and what of it is unfolded first. */
type Place = [address: string, ...unfolded: string[]];
/** What a screen reader says of none of these when they open, for want of a name: menus, lists to choose from, dialogs. */
const namelessOf = `[...document.querySelectorAll('[role="menu"], [role="listbox"], [role="dialog"]')]
  .filter((each) => {
    const label = document.getElementById(each.getAttribute('aria-labelledby'))?.textContent ?? each.getAttribute('aria-label');
    return !label?.trim();
  })
  .map((each) => 'no name: ' + each.getAttribute('role'))`;

/**
 * A page, the keys or the names of what is pressed there one after the other, what is pressed with the other button of a mouse, and
 * whether a window can be too narrow for it.
 */
interface Layer {
  at: string;
  keys?: string;
  press?: (string | RegExp)[];
  menuOf?: string;
  onlyWide?: boolean;
}

const emptyPlaces: Place[] = [
  [''],
  ['#/teach'],
  ['#/weights'],
  ['#/models'],
  ['#/models/discover'],
  ['#/models/servers'],
  ['#/settings', 'Sampling'],
  ['#/settings/diagnostics'],
  ['#/teach/dataset/999'],
  ['#/teach/run/999'],
];

function fullPlaces({ conversations, datasetId, runId }: Furnished): Place[] {
  return [
    [''],
    ...Object.values(conversations).map((id): Place => [`#/chat/${id}`]),
    ['#/teach'],
    [`#/teach/dataset/${datasetId}`, 'Advanced'],
    [`#/teach/run/${runId}`, 'Settings of this run'],
    ['#/weights'],
    ['#/models'],
    ['#/models/discover'],
    ['#/models/servers'],
    ['#/settings', 'Sampling', 'Use another folder'],
    ['#/settings/diagnostics'],
  ];
}

function layersOf({ conversations, datasetId, runId }: Furnished): Layer[] {
  const talk = `#/chat/${conversations.talk}`;
  const dataset = `#/teach/dataset/${datasetId}`;
  return [
    { at: '', keys: 'Control+k' },
    { at: '', keys: 'Control+/' },
    { at: talk, press: [/^Model: /] },
    { at: talk, press: ['Grass and its colours'] },
    { at: talk, press: [/tokens\/s/] },
    { at: talk, press: ['Conversation settings'] },
    { at: talk, press: ['Conversation settings', 'Presets'] },
    { at: talk, press: ['Options for “Travel”'], onlyWide: true },
    { at: talk, press: ['Options for “Grass and its colours”', 'Move to folder'], onlyWide: true },
    { at: talk, menuOf: 'Sixty questions', onlyWide: true },
    { at: '#/teach', press: ['Choose files…'] },
    { at: '#/teach', press: ['Have the model write'] },
    { at: dataset, press: ['Options for Sums'] },
    { at: dataset, press: ['Add example'] },
    { at: dataset, press: ['Advanced', 'Presets'] },
    { at: `#/teach/run/${runId}`, press: ['Share'] },
    { at: '#/weights', press: ['Choose files or a folder'] },
    { at: '#/weights', press: ['Show details'] },
    { at: '#/models', press: ['Add model file'] },
    { at: '#/models', press: ['Options for golden'] },
    { at: '#/models', press: ['Runs well'] },
    { at: '#/models', press: ['Add folder'] },
    { at: '#/models/discover/acme/golden-GGUF' },
    { at: '#/models/discover/acme/guarded-GGUF' },
    { at: '#/models/servers', press: ['Add a server'] },
    { at: '#/models/servers', press: [/^Choose models/] },
    { at: '#/models/servers', press: ['Options for Workshop'] },
    { at: '#/models/servers', press: ['Options for golden'] },
    { at: '#/settings', press: ['Remove all…'] },
    { at: '#/settings', press: ['Licences'] },
  ];
}

describe.skipIf(!findBrowser())('every page', () => {
  let browser: Browser;
  let folder: string;
  let removeFolder: () => Promise<void>;
  let full: Furnished;
  let empty: Shell;

  beforeAll(async () => {
    ({ folder, remove: removeFolder } = await temporaryFolder());
    browser = await launchBrowser();
    full = await startFurnished(folder);
    empty = await startShell({ dataFolder: join(folder, 'empty'), built: true });
    await empty.client.hub.configure({ endpoint: full.hub.url });
  });
  afterAll(async () => {
    await browser.close();
    await empty.stop();
    await full.close();
    await removeFolder();
  });

  async function open(shell: Shell): Promise<Page> {
    const page = await openPage(browser, shell);
    // With another document, what was open or chosen before is gone.
    await page.addInitScript('try { localStorage.clear() } catch {}');
    return page;
  }

  async function visit(
    page: Page,
    { port }: Shell,
    [address, ...unfolded]: Place,
    width = 1280,
  ): Promise<void> {
    await page.setViewportSize({ width, height: 800 });
    // Another document each time.
    await page.goto('about:blank');
    await page.goto(`http://127.0.0.1:${port}/${address}`);
    await page.getByRole('main').getByRole('heading').or(page.getByRole('dialog')).first().waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    for (const name of unfolded) await page.getByRole('button', { name, exact: true }).click();
  }

  async function show(page: Page, { at, keys, press = [], menuOf }: Layer, width: number): Promise<void> {
    await visit(page, full.shell, [at], width);
    if (keys) await page.keyboard.press(keys);
    for (const name of press) {
      const button = page.getByRole('button', { name, exact: true });
      await button
        .or(page.getByRole('menuitem', { name, exact: true }))
        .first()
        .click();
    }
    if (menuOf) await page.getByRole('link', { name: menuOf }).click({ button: 'right' });
    await page.locator(layers).last().waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
  }

  /** What axe finds serious in both themes, by rule and place. */
  async function findings(page: Page, part?: string, ignored: string[] = []): Promise<string[]> {
    const found: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.evaluate(settled);
      const axe = new AxeBuilder({ page }).disableRules(ignored);
      const { violations } = await (part ? axe.include(part) : axe).analyze();
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue;
        for (const { target } of nodes) found.push(`${id}, ${colorScheme}: ${target.join(' ')}`);
      }
    }
    return found;
  }

  test('can be read and used by everyone, empty and full, in light and dark, wide and narrow', async () => {
    const found: Record<string, string[]> = {};
    for (const [shell, places] of [
      [empty, emptyPlaces],
      [full.shell, fullPlaces(full)],
    ] as const) {
      const page = await open(shell);
      for (const place of places) {
        await visit(page, shell, place);
        for (const width of widths) {
          await page.setViewportSize({ width, height: 800 });
          found[`${shell === empty ? 'empty' : 'full'} ${place[0]}, ${width}`] = await findings(page);
        }
      }
      await page.context().close();
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  }, 400_000);

  test('has menus and dialogs that can be read and used by everyone', async () => {
    const found: Record<string, string[]> = {};
    const page = await open(full.shell);
    for (const layer of layersOf(full)) {
      for (const width of layer.onlyWide ? [1280] : widths) {
        const name = [layer.at, layer.keys, ...(layer.press ?? []), layer.menuOf, width].join(' ');
        found[name] = await show(page, layer, width).then(
          // Through the list of the search, the arrows lead from its field.
          async () => [
            ...(await page.evaluate<string[]>(namelessOf)),
            ...(await findings(
              page,
              layers,
              layer.keys === 'Control+k' ? ['scrollable-region-focusable'] : [],
            )),
          ],
          (thrown: unknown) => [`It was not to be seen: ${String(thrown)}`],
        );
      }
    }
    await page.context().close();
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  }, 400_000);

  test('has a title of its own, one main part, and headings in order', async () => {
    for (const [shell, places] of [
      [empty, emptyPlaces.slice(0, 8)],
      [full.shell, fullPlaces(full)],
    ] as const) {
      const page = await open(shell);
      const titles: string[] = [];
      for (const place of places) {
        await visit(page, shell, place);
        titles.push(await page.title());
        const outline = await page.evaluate<Outline>(outlineOf);
        const skipped = outline.levels.filter((level, at) => level > (outline.levels[at - 1] ?? 0) + 1);
        const first = outline.levels.filter((level) => level === 1).length;
        expect({ ...outline, place: place[0], skipped, first }).toMatchObject({
          ...{ mains: 1, skipped: [], first: 1, outside: 0 },
        });
        expect(new Set(outline.names).size).toBe(outline.names.length);
        expect(outline.names).not.toContain(null);
      }
      await page.context().close();
      expect(new Set(titles).size).toBe(titles.length);
    }
  }, 240_000);
});
