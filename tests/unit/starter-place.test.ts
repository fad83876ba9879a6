import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resourcesFolder, resourcesPlace } from '../../src/main/starter/index.ts';

let folder: string;
const from = (...names: string[]) => pathToFileURL(join(folder, ...names)).href;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-place-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('is that of the sources where Puna runs from them', () => {
  expect(resourcesFolder()).toBe(resolve('resources'));
});

it('lies beside what was built, in a checkout and in the npm package', async () => {
  await mkdir(join(folder, 'resources'));
  expect(resourcesFolder(from('out', 'main', 'cli.js'))).toBe(join(folder, 'resources'));
});

it('lies beside the archive of a packaged program, never within it', async () => {
  await mkdir(join(folder, 'app.asar', 'resources'), { recursive: true });
  const entry = from('app.asar', 'out', 'main', 'index.js');
  expect(resourcesFolder(entry)).toBeNull();
  // Where nothing is, whoever looks says what is missing, and where.
  expect(resourcesPlace(from('out', 'main', 'cli.js'))).toBe(join(folder, 'resources'));
  await mkdir(join(folder, 'resources'));
  expect(resourcesFolder(entry)).toBe(join(folder, 'resources'));
  expect(resourcesPlace(entry)).toBe(join(folder, 'resources'));
});
