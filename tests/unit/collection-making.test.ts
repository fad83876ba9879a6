import { SqliteError } from 'better-sqlite3';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Making } from '../../src/main/collection/making.ts';
import { noExamples } from '../../src/main/collection/stored-datasets.ts';
import { HelperEngine } from '../../src/main/engine/index.ts';
import type { Dataset } from '../../src/shared/contract/index.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'puna-making-'))));
afterEach(() => rm(folder, { recursive: true }));

test.each([
  ['is full', 'SQLITE_FULL', { code: 'disk-full', message: 'The disk is full: the database cannot grow.' }],
  ['is damaged', 'SQLITE_CORRUPT', { code: 'database-damaged', message: 'The database is damaged.' }],
])('A dataset of conversations from a database that %s says so', async (_, code, error) => {
  /** No engine is asked for anything before the conversations are read. */
  const launchEngine = () => {
    throw new Error('An engine was started.');
  };
  const unused = () => {
    throw new Error('This is not for imports.');
  };
  let told: Dataset | null = null;
  const making = new Making({
    history: {
      examples() {
        throw new SqliteError('as SQLite says it', code);
      },
    },
    ...{ launchEngine, helper: new HelperEngine({ entry: 'dataset-engine', launch: launchEngine }) },
    ...{ library: { get: unused }, background: { reply: unused }, open: unused },
    ...{ save: () => {}, tell: (dataset) => (told = dataset), onReady: unused, now: () => 1 },
  });
  const sources = [{ from: 'history' as const, folderId: null, onlyLiked: false }];
  making.add({
    ...{ id: 1, name: 'Talks', state: 'waiting', progress: null, counts: noExamples, leftOut: [] },
    recipe: { kind: 'import', name: 'Talks', sources, clean: null, validation: 0 },
    ...{ cleaned: null, sampledFrom: null, fingerprint: null, reviewed: true, error: null },
    ...{ path: join(folder, '1.dataset'), createdAt: 1, changedAt: 1 },
  });
  await expect.poll(() => told).toMatchObject({ state: 'failed', error });
  await making.close();
  expect(await readdir(folder)).toEqual([]);
});
