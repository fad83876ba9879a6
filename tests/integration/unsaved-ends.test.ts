import type { Database } from 'better-sqlite3';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoredDatasets } from '../../src/main/collection/stored-datasets.ts';
import { openDatabase } from '../../src/main/history/database.ts';
import { StoredDownloads } from '../../src/main/hub-service/stored-downloads.ts';
import { StoredJobs } from '../../src/main/operations/stored-jobs.ts';
import { importOrderSchema } from '../../src/shared/contract/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Database;
beforeEach(async () => {
  temporary = await temporaryFolder();
  database = openDatabase(join(temporary.folder, 'puna.db'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  database.close();
  await temporary.remove();
});

/** Too long for the pages that the database has. */
const failed = {
  state: 'failed' as const,
  error: { code: 'disk-full' as const, message: 'The disk is full. '.repeat(10_000), remedy: '' },
};

/** Does something while the database can get no larger, as on a full disk. */
function whileFull(act: () => void): void {
  const most = Number(database.pragma('max_page_count', { simple: true }));
  database.pragma(`max_page_count = ${Number(database.pragma('page_count', { simple: true }))}`);
  try {
    act();
  } finally {
    database.pragma(`max_page_count = ${most}`);
  }
}

test.each([
  {
    table: 'weights_jobs',
    begin() {
      const stored = new StoredJobs(database);
      const paths = { base: '/base.gguf', target: '/target.gguf', out: '/delta.gguf' };
      const job = stored.add({ kind: 'delta-make', ...paths, compress: false }, 1);
      return { stored, fail: () => stored.keep({ ...job, ...failed }) };
    },
  },
  {
    table: 'downloads',
    begin() {
      const stored = new StoredDownloads(database);
      const names = { repository: 'a/b', file: null, name: 'b', quantization: null, path: '/models/b' };
      const plan = { revision: 'main', folder: '/models', files: [] };
      const download = stored.add({ ...names, bytes: 1, createdAt: 1 }, plan);
      return { stored, fail: () => stored.keep({ ...download, ...failed }) };
    },
  },
  {
    table: 'datasets',
    begin() {
      const stored = new StoredDatasets(database, temporary.folder);
      const sources = [{ from: 'file', path: '/talks.jsonl' }];
      const recipe = importOrderSchema.parse({ kind: 'import', name: 'Talks', sources, clean: null });
      const dataset = stored.add({ name: 'Talks', recipe, reviewed: false, createdAt: 1 });
      return { stored, fail: () => stored.keep({ ...dataset, ...failed }) };
    },
  },
])('What the table $table cannot take on a full disk is told, and saved once there is room', (each) => {
  const complain = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { stored, fail } = each.begin();
  const saved = () => database.prepare(`SELECT state FROM ${each.table}`).pluck().all();
  whileFull(() => {
    fail();
    expect(complain).toHaveBeenCalledOnce();
    expect(stored.list().map(({ state }) => state)).toEqual(['failed']);
    expect(stored.get(1).state).toBe('failed');
    expect(saved()).toEqual(['waiting']);
  });
  expect(stored.list().map(({ state }) => state)).toEqual(['failed']);
  expect(saved()).toEqual(['failed']);
});
