import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { besideDataset, clearBegun, removeDataset } from '../../src/main/collection/begun.ts';
import { temporaryBeside } from '../../src/main/storage/atomic-file.ts';
import { temporaryFolder } from '../support/shell.ts';

test('what was begun for a dataset goes, however its writer was killed, and nothing of the others', async () => {
  const { folder: root, remove } = await temporaryFolder();
  try {
    const folder = join(root, 'datasets');
    await mkdir(folder);
    const [one, eleven] = [join(folder, '1.dataset'), join(folder, '11.dataset')];
    const begunFor = (path: string) => {
      const history = besideDataset(path, '0.jsonl');
      return [history, temporaryBeside(history), temporaryBeside(path)];
    };
    const others = [eleven, ...begunFor(eleven)];
    for (const path of [one, ...begunFor(one), ...others]) await writeFile(path, '');
    const left = async () => (await readdir(folder)).map((name) => join(folder, name)).toSorted();
    await clearBegun(one);
    expect(await left()).toEqual([one, ...others].toSorted());
    await removeDataset(one);
    expect(await left()).toEqual(others.toSorted());
  } finally {
    await remove();
  }
});
