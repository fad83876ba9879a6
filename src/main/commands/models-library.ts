import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Model } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { databaseFile, openDatabase } from '../history/index.ts';
import { belongsToPuna, deleteModelFiles, Library } from '../library/index.ts';
import { dataFolder } from '../storage/index.ts';
import { size } from '../weights/figures.ts';
import { table } from '../weights/inspect.ts';
import { Output, runCommand } from './output.ts';

interface Common {
  data?: string;
  json?: boolean;
}

export function addModelsLibrary(models: Command): void {
  models
    .command('list')
    .description('the models and adapters of the library')
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((options: Common) =>
      runCommand(async () => {
        const output = new Output(options.json ?? false);
        const folder = dataFolder(options.data);
        const list = existsSync(databaseFile(folder))
          ? await withLibrary(folder, (library) => library.list())
          : [];
        for (const model of list) output.event({ type: 'model', ...model });
        output.text(list.length === 0 ? 'The library is empty.\n' : `${table(list.map(line))}\n`);
        output.event({ type: 'result', models: list.length });
      }),
    );

  models
    .command('remove')
    .description('take a model out of the library; files in Puna’s own folder are deleted, others stay')
    .argument('<name>', 'its name, number or path, as the list shows them')
    .option('--keep', 'leave its files where they are')
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((name: string, options: Common & { keep?: boolean }) =>
      runCommand(async () => {
        const output = new Output(options.json ?? false);
        const folder = dataFolder(options.data);
        const removed = existsSync(databaseFile(folder))
          ? await withLibrary(folder, (library) => remove(library, name, modelsFolder(folder), options))
          : unknown(name);
        const { model, deleted } = removed;
        const files = deleted ? 'Its files are deleted.' : `Its file stays: ${model.path}`;
        output.text(`${model.name} is out of the library. ${files}\n`);
        output.event({ type: 'result', id: model.id, name: model.name, path: model.path, deleted });
      }),
    );
}

/** Where models that Puna gets are kept. */
export function modelsFolder(folder: string): string {
  return join(folder, 'models');
}

/** Does something with the library of a data folder, which is made where there is none. A window that is open sees it when it asks anew. */
export async function withLibrary<Result>(
  folder: string,
  use: (library: Library) => Promise<Result> | Result,
): Promise<Result> {
  const database = openDatabase(databaseFile(folder));
  try {
    const options = { database, modelsFolder: modelsFolder(folder) };
    return await use(new Library({ ...options, onChange: () => undefined }));
  } finally {
    database.close();
  }
}

async function remove(
  library: Library,
  name: string,
  ownFolder: string,
  { keep }: { keep?: boolean },
): Promise<{ model: Model; deleted: boolean }> {
  const list = await library.list();
  const found = list.filter(
    (model) => model.name === name || String(model.id) === name || model.path === resolve(name),
  );
  const [model] = found;
  if (!model) return unknown(name);
  if (found.length > 1) {
    const numbers = found.map(({ id, path }) => `${id} (${path})`).join(', ');
    throw new PunaError(
      'invalid-input',
      `${found.length} models are called ${name}.`,
      `Name a number: ${numbers}.`,
    );
  }
  const ownFolders = [ownFolder];
  const deleted = !keep && (await belongsToPuna(model, ownFolders));
  if (deleted) await deleteModelFiles(model, { ownFolders, trash: null });
  library.remove(model.id);
  return { model, deleted };
}

function line({ id, name, kind, quantization, bytes, missing, path }: Model): string[] {
  const what = kind === 'adapter' ? 'adapter' : (quantization ?? 'model');
  return [String(id), name, what, size(bytes), missing ? `${path} (missing)` : path];
}

function unknown(name: string): never {
  throw new PunaError(
    'not-found',
    `The library has no model ${JSON.stringify(name)}.`,
    'See "puna models list" for what it has.',
  );
}
