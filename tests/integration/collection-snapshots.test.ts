import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Snapshots } from '../../src/main/collection/snapshots.ts';
import type { DatasetJobs } from '../../src/main/dataset-engine/messages.ts';
import { HelperEngine, launchChildProcess } from '../../src/main/engine/index.ts';
import { text, writeDataset } from '../support/datasets.ts';
import { temporaryFolder } from '../support/shell.ts';

const helper = new HelperEngine<DatasetJobs>({ entry: 'dataset-engine', launch: launchChildProcess });
let file: string;
let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  const made = await temporaryFolder();
  remove = made.remove;
  folder = join(made.folder, 'snapshots');
  const texts = Array.from({ length: 10 }, (_, index) => text(`Number ${index}`));
  file = await writeDataset(join(made.folder, 'ten.dataset'), texts, { validation: 0.5 });
});
afterAll(async () => {
  await helper.stop();
  await remove();
});

test('what is being exported stays when what no run needs is removed, and goes at its end', async () => {
  const snapshots = new Snapshots(helper, folder);
  await snapshots.write(file);
  let exported = '';
  for await (const piece of snapshots.pieces(file, undefined)) {
    await snapshots.clear([]);
    exported += piece;
  }
  expect(exported.trimEnd().split('\n')).toHaveLength(10);
  expect(await readdir(folder)).toEqual([]);
});

test('a snapshot that is asked for while all are being removed is there afterwards', async () => {
  const snapshots = new Snapshots(helper, folder);
  await snapshots.write(file);
  const cleared = snapshots.clear([]);
  const { data, validationData } = await snapshots.write(file);
  await cleared;
  const names = (await readdir(folder)).map((name) => join(folder, name));
  expect(names.toSorted()).toEqual([data, validationData].toSorted());
});

test('an export can be stopped while it is being written, and leaves nothing behind', async () => {
  const snapshots = new Snapshots(helper, folder);
  await snapshots.clear([]);
  const controller = new AbortController();
  const pieces = snapshots.pieces(file, controller.signal).next();
  controller.abort();
  await expect(pieces).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(folder).catch(() => [])).toEqual([]);
});
