import { PunaError } from '../../shared/error.ts';
import { serveEngine } from '../engine/serve-engine.ts';
import { readDatabaseFacts } from '../storage/index.ts';
import { useDataset } from './dataset-file.ts';
import { createDataset } from './dataset-writer.ts';
import { runImport } from './import.ts';
import { inspect } from './inspect.ts';
import { measureLengths, summedUp } from './measure.ts';
import type { DatasetJobs } from './messages.ts';
import { previewOf } from './preview.ts';
import { writeSnapshot } from './snapshot.ts';
import { Vocabularies } from './vocabularies.ts';

/** The engine process that reads what people have, and holds datasets: each job opens its file and closes it again. */
const vocabularies = new Vocabularies();

serveEngine<DatasetJobs>(
  {
    databaseFacts: ({ file, check }) => readDatabaseFacts(file, { check }),
    inspect: (input, { signal }) => cancellable(signal, inspect(input, signal)),
    import: (input, { signal, emit }) => cancellable(signal, runImport(input, { signal, emit })),
    create: async ({ file }) => {
      await createDataset(file);
      return null;
    },
    counts: ({ file }) => useDataset(file, (dataset) => dataset.counts()),
    page: ({ file, filter, offset, limit }) =>
      useDataset(file, (dataset) => dataset.page(filter, offset, limit)),
    example: ({ file, id }) => useDataset(file, (dataset) => dataset.example(id)),
    change: ({ file, choice, ...change }) => useDataset(file, (dataset) => dataset.change(choice, change)),
    edit: ({ file, id, content }) => useDataset(file, (dataset) => dataset.edit(id, content)),
    add: ({ file, examples }) => useDataset(file, (dataset) => dataset.add(examples)),
    split: ({ file, validation, seed }) => useDataset(file, (dataset) => dataset.split(validation, seed)),
    measure: ({ file, model, modelId }, { signal }) =>
      cancellable(
        signal,
        vocabularies.use(model, (vocabulary) =>
          useDataset(file, async (dataset) =>
            summedUp(await measureLengths(dataset, vocabulary, signal), modelId),
          ),
        ),
      ),
    preview: ({ file, id, model: path, context }) =>
      vocabularies.use(path, ({ model }) =>
        useDataset(file, (dataset) => previewOf(dataset.content(id), model, context)),
      ),
    snapshot: ({ file, folder }, { signal }) =>
      cancellable(
        signal,
        useDataset(file, (dataset) => writeSnapshot(dataset, folder, signal)),
      ),
    read: ({ file, after, limit }) => useDataset(file, (dataset) => dataset.read(after, limit)),
  },
  () => vocabularies.dispose(),
);

/** What a job throws because it was cancelled says that it was. */
async function cancellable<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    throw new PunaError('cancelled', 'This was stopped.', '', { cause: thrown });
  }
}
