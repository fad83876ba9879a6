import { existsSync } from 'node:fs';
import { findBrowser, howToGetABrowser } from './browser.ts';

/** Before all browser tests: the built app must be there, and a browser, in CI at any rate. */
export default function setup(): void {
  if (!existsSync('out/main/cli.js')) throw new Error('The browser tests run the built app: npm run build');
  if (findBrowser()) return;
  if (process.env['CI']) throw new Error(`No browser was found. ${howToGetABrowser}`);
  console.warn(`The browser tests are skipped: no browser was found. ${howToGetABrowser}`);
}
