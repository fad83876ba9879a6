import Database from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { databaseFile } from '../../src/main/history/index.ts';
import { checkpointPath } from '../../src/main/training/messages.ts';
import type { TrainingRun, TrainingSettings } from '../../src/shared/contract/index.ts';
import { buildTinyModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const data = [resolve('tests/fixtures/datasets/sharegpt.json')];
/** Its best adapter is written on the way, that of its last step at the end. */
const settings: Partial<TrainingSettings> = {
  ...{ rank: 4, alpha: 8, context: 64, steps: 12, warmup: 2, learningRate: 3e-3, checkpointEvery: 5 },
  ...{ validation: 0.2, evaluateEvery: 4, threads: 1, device: 'cpu' },
};

let folder: string;
let removeFolder: () => Promise<void>;
let model: string;
let shell: Shell;
/** The same database, as another program would have it open. */
let database: Database.Database;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  model = await buildTinyModel(join(folder, 'tiny.gguf'));
});
afterAll(() => removeFolder());
beforeEach(async () => {
  shell = await startShell({ dataFolder: join(folder, `data-${++count}`) });
  database = new Database(databaseFile(shell.dataFolder));
});
afterEach(async () => {
  database.close();
  await shell.stop();
});

async function begin(): Promise<TrainingRun> {
  const { id: modelId } = await shell.client.models.add({ path: model });
  return shell.client.training.start({ modelId, data, settings });
}

/** The one run, once it has ended. */
async function ended(): Promise<TrainingRun> {
  for (;;) {
    const [run] = await shell.client.training.list();
    if (run && ['done', 'failed', 'stopped'].includes(run.state)) return run;
    await setTimeout(50);
  }
}

async function restart(): Promise<void> {
  await shell.kill();
  shell = await startShell({ dataFolder: shell.dataFolder });
}

const adapters = async () => {
  const { models } = await shell.client.system.state();
  return models.filter(({ kind }) => kind === 'adapter').map(({ id, path }) => ({ id, path }));
};
/** Neither learns anything more nor writes anything else. */
async function expectEnd(run: TrainingRun, written: Buffer): Promise<void> {
  expect(run).toMatchObject({ state: 'done', error: null, hasCheckpoint: false, plan: { doneSteps: 12 } });
  expect(await adapters()).toEqual([{ id: run.adapterId, path: run.adapterPath }]);
  expect((await readFile(run.adapterPath)).equals(written)).toBe(true);
  await expect.poll(() => existsSync(checkpointPath(run.adapterPath))).toBe(false);
}

test('A run whose adapter the library cannot take in says so, and ends without learning anew once it can', async () => {
  const { id, adapterPath } = await begin();
  database.exec('BEGIN IMMEDIATE');
  const failed = await ended();
  expect(failed).toMatchObject({
    ...{ id, state: 'failed', adapterId: null, hasCheckpoint: true, step: { step: 12 } },
    error: {
      code: 'database-locked',
      message: `What was learnt is kept in ${adapterPath}, but could not be added to the library: Another program holds the database.`,
      remedy:
        'Close other windows of Puna or tools that have it open. Resume the run: nothing is learnt twice.',
    },
  });
  expect(await adapters()).toEqual([]);
  const written = await readFile(adapterPath);

  database.exec('ROLLBACK');
  await shell.client.training.resume({ runId: id });
  const run = await ended();
  expect(run.adapterPath).toBe(adapterPath);
  await expectEnd(run, written);
});

test('A run whose end the database has not taken when the program ends is only ended once more', async () => {
  database.exec(
    `CREATE TRIGGER endless BEFORE UPDATE ON training_runs WHEN new.state = 'done' BEGIN SELECT raise(ABORT, 'No end.'); END`,
  );
  const { id, adapterPath } = await begin();
  const done = await ended();
  expect(done).toMatchObject({ state: 'done', hasCheckpoint: false });
  const written = await readFile(adapterPath);
  const before = await adapters();
  await restart();
  expect(await shell.client.training.list()).toMatchObject([
    { id, state: 'stopped', adapterId: null, hasCheckpoint: true },
  ]);

  database.exec('DROP TRIGGER endless');
  await shell.client.training.resume({ runId: id });
  await expectEnd(await ended(), written);
  expect(await adapters()).toEqual(before);
});

test('A checkpoint that the end of the program has left beside a run that is done goes with the next start', async () => {
  const { adapterPath } = await begin();
  expect(await ended()).toMatchObject({ state: 'done' });
  await shell.stop();
  await writeFile(checkpointPath(adapterPath), '');
  shell = await startShell({ dataFolder: shell.dataFolder });
  await expect.poll(() => existsSync(checkpointPath(adapterPath))).toBe(false);
  expect(existsSync(adapterPath)).toBe(true);
});
