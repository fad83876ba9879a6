import { resolve } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, buildIsStale } from '../../scripts/build.ts';
import { noDesktop } from '../../scripts/desktop.ts';
import { electronProgram } from '../../scripts/electron-program.ts';
import { temporaryFolder } from '../support/shell.ts';

const root = resolve('.');
const program = electronProgram(root);
// Root has no sandbox (and CI is root), but a test may do without.
const noWindow = noDesktop({ platform: process.platform, env: process.env, userId: undefined });
const skipped = program ? noWindow : 'Electron\'s program is not there; "npx install-electron" fetches it';
if (skipped) console.warn(`The test of real Electron is skipped: ${skipped}.`);

describe.skipIf(skipped)('In real Electron', () => {
  let app: ElectronApplication;
  let page: Page;
  let removeFolder: () => Promise<void>;

  beforeAll(async () => {
    if (buildIsStale(root)) expect(build(root)).toBe(true);
    const { folder, remove } = await temporaryFolder();
    removeFolder = remove;
    app = await _electron.launch({
      executablePath: program ?? '',
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root, '--data', folder],
    });
    page = await app.firstWindow();
  });
  afterAll(async () => {
    await app.close();
    await removeFolder();
  });

  test('the page comes from app:// and is answered through its port', async () => {
    expect(page.url()).toMatch(/^app:\/\/puna\//);
    // The composer is there only when the page knows the program's state.
    await page.getByRole('textbox').first().waitFor();
  });

  test('the page has the bridge and nothing of Node', async () => {
    const seen = await page.evaluate(`({
      shell: window.puna?.shell,
      pathOfMadeFile: window.puna?.pathForFile(new File(['x'], 'x.gguf')),
      node: [typeof require, typeof process, typeof Buffer],
    })`);
    expect(seen).toEqual({
      shell: 'electron',
      pathOfMadeFile: '',
      node: ['undefined', 'undefined', 'undefined'],
    });
  });

  test('the page reaches no network, opens no window and runs no inline script', async () => {
    const seen = await page.evaluate(`(async () => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.head.append(script);
      return {
        fetched: await fetch('https://example.com/').then(() => true, () => false),
        opened: window.open('file:///etc/passwd') !== null,
        ran: window.ran === true,
      };
    })()`);
    expect(seen).toEqual({ fetched: false, opened: false, ran: false });
    expect(app.windows()).toHaveLength(1);
  });
});
