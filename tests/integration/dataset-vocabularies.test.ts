import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Vocabularies } from '../../src/main/dataset-engine/vocabularies.ts';
import { buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

let paths: string[];
let broken: string;
let remove: () => Promise<void>;
let vocabularies: Vocabularies;

beforeAll(async () => {
  const made = await temporaryFolder();
  remove = made.remove;
  paths = [];
  for (const name of ['one.gguf', 'two.gguf', 'three.gguf']) {
    paths.push(await buildTinyModel(join(made.folder, name)));
  }
  broken = join(made.folder, 'broken.gguf');
  await writeFile(broken, (await readFile(paths[0] ?? '')).subarray(0, 3000));
});
afterAll(() => remove());
beforeEach(() => void (vocabularies = new Vocabularies()));
afterEach(() => vocabularies.dispose());

const nameOf = (path: string) => vocabularies.use(path, ({ model }) => Promise.resolve(model.filename));

test('each of several that ask at once gets the vocabulary that it asked for', async () => {
  const asked = [...paths, ...paths.toReversed()];
  expect(await Promise.all(asked.map(nameOf))).toEqual(asked.map((path) => basename(path)));
});

test('the next one is loaded while others are still at work with the last', async () => {
  const [one = '', two = ''] = paths;
  const names = await vocabularies.use(one, async ({ model }) => {
    const other = await nameOf(two);
    return [other, model.filename, model.disposed];
  });
  expect(names).toEqual(['two.gguf', 'one.gguf', false]);
});

test('what cannot be loaded is told to whoever asked, and no one else', async () => {
  const [one = '', two = ''] = paths;
  await nameOf(one);
  const asked = await Promise.allSettled([nameOf(broken), nameOf(two), nameOf(broken)]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
  expect(await nameOf(one)).toBe('one.gguf');
});
