import { basename } from 'node:path';
import { runImport } from '../src/main/dataset-engine/import.ts';
import { defaultCleanSettings } from '../src/main/datasets/clean/index.ts';

/** What the dataset engine does when a person drops files: node bench/import-dataset.ts OUT ME FILES… */
const [, , out = '', me = '', ...paths] = process.argv;
const { counts } = await runImport(
  {
    sources: paths.map((path) => ({ path, label: basename(path), me, columns: null, dates: null })),
    ...{ clean: defaultCleanSettings, validation: 0.05, seed: 1, out },
  },
  { signal: new AbortController().signal, emit: () => undefined },
);
console.log(counts.conversations + counts.texts);
