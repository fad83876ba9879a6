import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Shell } from '../support/shell.ts';

/** Where the systems put a browser that speaks Chromium's protocol. */
const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

export const howToGetABrowser =
  'Install Chromium or Chrome (Debian: apt install chromium), or name its program in PUNA_BROWSER.';

/** The program of an installed browser; undefined where there is none. */
export function findBrowser(): string | undefined {
  const named = process.env['PUNA_BROWSER'];
  return named ? named : usualPlaces.find((place) => existsSync(place));
}

export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error(howToGetABrowser);
  // Chromium's own sandbox needs privileges that containers do not give; the pages here are our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

interface Visit extends BrowserContextOptions {
  /** Such as `#/settings`. */
  address?: string;
  /** Of the window, in pixels. */
  width?: number;
  height?: number;
}

/** Opens a page of the app that a shell serves, in a browser that knows nothing of others: in English, unless it is told otherwise. */
export async function openPage(
  browser: Browser,
  { link, port }: Pick<Shell, 'link' | 'port'>,
  { address, width = 1280, height = 720, ...options }: Visit = {},
): Promise<Page> {
  const viewport = { width, height };
  const context = await browser.newContext({
    viewport,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  await page.goto(link);
  if (address !== undefined) await page.goto(`http://127.0.0.1:${port}/${address}`);
  return page;
}

/** The same, for as long as it is used. */
export async function withPage(
  browser: Browser,
  shell: Pick<Shell, 'link' | 'port'>,
  visit: Visit,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const page = await openPage(browser, shell, visit);
  await use(page);
  await page.context().close();
}
