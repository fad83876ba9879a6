import type { Command } from 'commander';
import { join, resolve } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import {
  BandwidthLimit,
  downloadFolder,
  downloadSet,
  type SetFile,
  usualConnections,
} from '../downloads/index.ts';
import {
  chosenModel,
  folderFiles,
  type GgufModel,
  ggufModels,
  type Hub,
  parseReference,
  recommend,
  type Repository,
  type RepositoryFile,
} from '../hub/index.ts';
import type { Fits } from '../hub-service/index.ts';
import { dataFolder } from '../storage/index.ts';
import { size } from '../weights/figures.ts';
import { printable } from '../weights/formats/printable.ts';
import { integer, number } from './arguments.ts';
import { duration } from './duration.ts';
import { machineFits } from './machine-fits.ts';
import { endpointOption, type HubChoice, openHub } from './models-hub.ts';
import { modelsFolder, withLibrary } from './models-library.ts';
import { Output, runCommand } from './output.ts';

interface PullOptions extends HubChoice {
  out?: string;
  limit?: number;
  connections: number;
  whole?: boolean;
  json?: boolean;
}

export function addModelsPull(models: Command): void {
  models
    .command('pull')
    .description('download a model into the library; begun before, it goes on where it was')
    .argument('<model>', 'OWNER/NAME, with :QUANTIZATION or :FILE for another one than is recommended here')
    .option('--out <dir>', 'folder to download into; without it one in the data folder')
    .option('--limit <MB/s>', 'bandwidth to leave it at', number({ min: 0.001, max: 100_000 }))
    .option('--connections <n>', 'how many at once', integer({ min: 1, max: 16 }), usualConnections)
    .option('--whole', 'the whole repository as a folder for "puna convert" and the page Weights')
    .option(...endpointOption)
    .option('--data <dir>', 'data folder')
    .option('--json', 'print JSON lines')
    .action((model: string, options: PullOptions) => runCommand((signal) => pull(model, options, signal)));
}

async function pull(named: string, options: PullOptions, signal: AbortSignal): Promise<void> {
  const output = new Output(options.json ?? false);
  const { id, choice } = parseReference(named);
  const hub = await openHub(options);
  const repository = await hub.repository(id, { signal });
  const found = ggufModels(repository.files);
  const isFolder = options.whole || (choice === null && found.groups.length === 0);
  const fits = isFolder ? () => true : await machineFits(options.data);
  const model = isFolder
    ? null
    : choice === null
      ? recommend(found, fits)
      : chosenModel(found, { id, choice });
  const files = model?.files ?? folderFiles(repository.files);
  if (files.length === 0) {
    throw new PunaError('not-found', `${id} has no files that Puna can use.`, 'Choose another repository.');
  }
  tell(output, repository, { model, files, fits });
  const data = dataFolder(options.data);
  const folder = options.out ? resolve(options.out) : join(modelsFolder(data), ...id.split('/'));
  const job = { hub, repository, files, folder };
  try {
    const path = await download(job, model, options, { output, signal });
    const added = model && (await withLibrary(data, (library) => library.add({ path })));
    output.text(
      added
        ? `${added.name} is in the library: ${path}\n`
        : `${path} is a folder of Hugging Face: "puna convert" makes a model of it.\n`,
    );
    output.event({
      type: 'result',
      path,
      repository: id,
      quantization: model?.quantization ?? null,
      id: added?.id ?? null,
    });
  } catch (thrown) {
    throw signal.aborted ? stopped(thrown) : hub.explained(thrown, id);
  }
}

interface Job {
  hub: Hub;
  repository: Repository;
  files: readonly RepositoryFile[];
  folder: string;
}

/** Gives the path of the model's first file, or of the folder. */
async function download(
  { hub, repository, files, folder }: Job,
  model: GgufModel | null,
  { limit, connections }: PullOptions,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<string> {
  const set = files.map(({ path, bytes, digest }): SetFile => {
    // The parts of a model may lie in a folder of the repository; here they have one of their own anyway.
    const name = model ? (path.split('/').at(-1) ?? '') : path;
    return { name, url: hub.fileAddress(repository, path), bytes, digest };
  });
  const options = {
    files: set,
    headers: hub.privateHeaders,
    connections,
    limiter: limit === undefined ? null : new BandwidthLimit(limit * 1e6),
    signal,
    onProgress: progressTo(output),
  };
  try {
    if (model) return (await downloadSet(folder, options))[0] ?? folder;
    await downloadFolder(folder, options);
    return folder;
  } finally {
    output.note(clearLine);
  }
}

function tell(
  output: Output,
  repository: Repository,
  { model, files, fits: hasRoom }: { model: GgufModel | null; files: readonly RepositoryFile[]; fits: Fits },
): void {
  const { id, license } = repository;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const what = model ? (model.quantization ?? model.name) : `${files.length} files`;
  output.text(`${id}, ${what}: ${size(bytes)}, license ${printable(license ?? 'not told')}\n`);
  const fits = model ? hasRoom(model) : null;
  if (fits === false) output.text('It needs more memory than this machine has for it.\n');
  const quantization = model?.quantization ?? null;
  output.event({
    type: 'model',
    repository: id,
    quantization,
    bytes,
    license,
    fits,
    files: files.map(({ path }) => path),
  });
}

const clearLine = '\r\u001b[K';
/** More often nobody can read it. */
const tellEveryMs = 200;
/** Before that, what is left is a guess from hardly anything. */
const secondsUntilGuess = 2;

function progressTo(output: Output): (bytes: number, total: number, name: string) => void {
  const startedAt = performance.now();
  let toldAt = -Infinity;
  let first: number | null = null;
  return (bytes, total, name) => {
    first ??= bytes;
    const now = performance.now();
    if (now - toldAt < tellEveryMs && bytes < total) return;
    toldAt = now;
    const seconds = (now - startedAt) / 1000;
    const speed = (bytes - first) / seconds;
    output.event({ type: 'progress', bytes, total, name });
    const canGuess = seconds >= secondsUntilGuess && speed > 0 && bytes < total;
    const left = canGuess ? `, ${size(speed)}/s, ${duration((total - bytes) / speed)} left` : '';
    const share = total > 0 ? Math.floor((bytes / total) * 100) : 100;
    output.note(`${clearLine}${printable(name)}: ${share} %, ${size(bytes)} of ${size(total)}${left}`);
  };
}

function stopped(cause: unknown): PunaError {
  return new PunaError(
    'cancelled',
    'It was stopped before it was done.',
    'Run the same command again, and it goes on from there.',
    { cause },
  );
}
