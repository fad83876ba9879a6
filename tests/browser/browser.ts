import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

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
