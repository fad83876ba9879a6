import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../src/main/history/index.ts';
import { migrations } from '../../src/main/history/migrations/index.ts';
import { StoredRuns } from '../../src/main/runs/stored-runs.ts';
import { defaultTrainingSettings, trainingRunSchema } from '../../src/shared/contract/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
beforeEach(async () => void ({ folder, remove: removeFolder } = await temporaryFolder()));
afterEach(() => removeFolder());

test('A run of before there were datasets, samples and pairs is there still, without them', () => {
  const file = join(folder, 'puna.db');
  const old = openDatabase(file, { migrations: migrations.slice(0, 3) });
  old
    .prepare(
      `INSERT INTO training_runs (name, state, model_name, model_path, data, settings, step, losses, validations, notes,
         adapter_path, created_at)
       VALUES ('First', 'done', 'tiny', '/tiny.gguf', '["/chats.json"]', '{"rank":4}', ?, '[{"step":1,"loss":2}]', '[]',
         '["one note"]', '/tiny 1.gguf', 7)`,
    )
    .run(
      JSON.stringify({
        ...{ step: 1, epoch: 1, loss: 2, learningRate: 0, gradientNorm: 1, tokens: 9, tokensPerSecond: 3 },
      }),
    );
  old.close();

  const database = openDatabase(file);
  const stored = new StoredRuns(database);
  const [run] = stored.list();
  expect(trainingRunSchema.parse(run)).toMatchObject({
    ...{ name: 'First', data: ['/chats.json'], validationData: [], datasets: [], conversationId: null },
    ...{ samples: [], pairs: [], pairsComing: 0, notes: ['one note'], losses: [{ step: 1, loss: 2 }] },
    settings: { rank: 4, sampleEvery: null },
    step: { step: 1, memoryBytes: 0 },
  });
  expect(stored.adapterPaths()).toEqual(['/tiny 1.gguf']);
  stored.addEarlierPath(1, '/tiny 0.gguf');
  expect(stored.adapterPathsOf(1)).toEqual(['/tiny 1.gguf', '/tiny 0.gguf']);
  database.close();
});

test('A run outlives its conversation and its dataset, whose places are empty then', () => {
  const database = openDatabase(join(folder, 'puna.db'));
  const conversation = database
    .prepare(
      `INSERT INTO conversations (title, pinned, archived, created_at, updated_at, adapters, system_prompt, sampling)
       VALUES ('', 0, 0, 1, 1, '[]', '', '{}')`,
    )
    .run();
  const dataset = database
    .prepare(
      `INSERT INTO datasets (name, state, recipe, counts, left_out, reviewed, created_at, changed_at)
       VALUES ('Letters', 'ready', '{}', '{}', '[]', 1, 1, 1)`,
    )
    .run();
  const stored = new StoredRuns(database);
  const datasetId = Number(dataset.lastInsertRowid);
  const { id } = stored.add({
    ...{
      name: '',
      modelId: null,
      modelName: 'tiny',
      modelPath: '/tiny.gguf',
      data: ['/s'],
      validationData: [],
    },
    datasets: [{ id: datasetId, name: 'Letters', fingerprint: 'ab' }],
    conversationId: Number(conversation.lastInsertRowid),
    settings: defaultTrainingSettings,
    ...{ samples: [], adapterPath: '/tiny 1.gguf', createdAt: 1 },
  });
  expect(stored.get(id)).toMatchObject({ conversationId: 1, datasets: [{ id: datasetId, name: 'Letters' }] });
  database.exec('DELETE FROM conversations; DELETE FROM datasets');
  expect(stored.get(id)).toMatchObject({ conversationId: null, datasets: [{ id: null, name: 'Letters' }] });
  database.close();
});

test('After the end of the program nobody waits for answers any more, and what was not done has stopped', () => {
  const database = openDatabase(join(folder, 'puna.db'));
  const stored = new StoredRuns(database);
  const answered = { prompt: 'Old?', base: 'No.', replies: [{ step: 1, text: 'Yes.' }] };
  const waited = { prompt: 'New?', base: 'No.', replies: [] };
  const run = stored.add({
    ...{ name: '', modelId: null, modelName: 'tiny', modelPath: '/tiny.gguf', data: [], validationData: [] },
    ...{ datasets: [], conversationId: null, samples: [answered, waited], settings: defaultTrainingSettings },
    ...{ adapterPath: '/tiny 1.gguf', createdAt: 1 },
  });
  stored.save({ ...run, state: 'done', pairsComing: 3 });
  const other = stored.add({ ...run, samples: [answered] });
  stored.stopUnfinished();
  expect(stored.get(run.id)).toMatchObject({
    ...{ state: 'done', pairsComing: 0, samples: [answered, { ...waited, missing: true }] },
  });
  expect(stored.get(other.id)).toEqual({ ...other, state: 'stopped' });
  database.close();
});
