import type { Database } from 'better-sqlite3';
import { randomInt } from 'node:crypto';
import type {
  Dataset,
  DatasetExample,
  DatasetRecipe,
  DataSource,
  ExampleChoice,
  ExampleContent,
  ExampleFilter,
  ExampleRow,
  MaskPreview,
  Measures,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background } from '../chat/background.ts';
import type { DatasetJobs, Snapshot } from '../dataset-engine/messages.ts';
import { HelperEngine, type LaunchEngine } from '../engine/index.ts';
import type { Events } from '../events.ts';
import type { History } from '../history/index.ts';
import { expandHome, type Library } from '../library/index.ts';
import type { Uploads } from '../storage/index.ts';
import { removeDataset } from './begun.ts';
import { Making } from './making.ts';
import { heldBack } from './make-grown.ts';
import { checkGrow, checkImport } from './orders.ts';
import { Snapshots } from './snapshots.ts';
import { nameFor } from './names.ts';
import { SourceFiles } from './source-files.ts';
import { isReady, opened, StoredDatasets } from './stored-datasets.ts';
import { quoted } from '../weights/formats/printable.ts';

export interface CollectionOptions {
  /** With the table `datasets`. */
  database: Database;
  history: History;
  library: Library;
  events: Events;
  uploads: Uploads;
  launchEngine: LaunchEngine;
  /** Writes what datasets are grown of. */
  background: Pick<Background, 'reply'>;
  /** Where datasets go, what runs learn from, and files that were uploaded; made when the first one comes. */
  folders: { datasets: string; snapshots: string; uploaded: string };
  /** ms since 1970 */
  now?: () => number;
}

/** Seeds are numbers of 32 bits. */
const seeds = 2 ** 32;

/** What a person teaches from: datasets that are made of what they have, or written by a model. One at a time is made. */
export class Collection {
  readonly #options: CollectionOptions;
  readonly #stored: StoredDatasets;
  readonly #files: SourceFiles;
  readonly #snapshots: Snapshots;
  readonly #helper: HelperEngine<DatasetJobs>;
  readonly #making: Making;
  readonly #now: () => number;
  /** Of which windows are to hear nothing more. */
  readonly #removed = new Set<number>();

  constructor(options: CollectionOptions) {
    const { database, history, library, background, launchEngine, folders, uploads } = options;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#stored = new StoredDatasets(database, folders.datasets);
    this.#files = new SourceFiles(folders.uploaded, uploads, () => this.#stored.list());
    const helper = new HelperEngine<DatasetJobs>({ entry: 'dataset-engine', launch: launchEngine });
    this.#helper = helper;
    this.#snapshots = new Snapshots(helper, folders.snapshots);
    this.#making = new Making({
      ...{ helper, library, background, history, launchEngine, now: this.#now },
      open: (id) => opened(this.get(id)),
      save: (dataset) => this.#stored.keep(dataset),
      tell: (dataset) => this.#tell(dataset),
      onReady: ({ recipe }) => this.#files.release(recipe),
    });
    this.#files.clear().catch(console.error);
    const unfinished = this.#stored.list().filter(({ state }) => state === 'waiting' || state === 'working');
    for (const dataset of unfinished.reverse()) this.#making.add(dataset);
  }

  /** Newest first. */
  list(): Dataset[] {
    return this.#stored.list().map((dataset) => this.#making.find(dataset.id)?.value ?? dataset);
  }

  /** Errors: `not-found`. */
  get(id: number): Dataset {
    // One that was removed may be in line for a moment still.
    const live = this.#removed.has(id) ? undefined : this.#making.find(id);
    return live?.value ?? this.#stored.get(id);
  }

  /** Takes in files that were uploaded as a group; gives their path. Errors: those of `Uploads.takeGroup`. */
  keep(groupId: string): Promise<string> {
    return this.#files.keep(groupId);
  }

  /** Removes files that were taken in, unless a dataset needs them still. */
  forget(path: string): Promise<void> {
    return this.#files.forget(path);
  }

  /** Says what a file, archive or folder is, and what has to be asked. Why it cannot be read is part of that. Errors: `cancelled`. */
  inspect(source: { path: string; dates: string | null }, signal?: AbortSignal): Promise<DataSource> {
    const input = { ...source, path: expandHome(source.path) };
    return this.#helper.run('inspect', input, { ...(signal && { signal }) });
  }

  /** Puts a dataset in line to be made. Errors: `invalid-input` (nothing to make it of), `not-found` (model, dataset). */
  async start(order: DatasetRecipe): Promise<Dataset> {
    const { history, library } = this.#options;
    const recipe =
      order.kind === 'import'
        ? checkImport(order)
        : await checkGrow(order, { library, open: (id) => opened(this.get(id)) });
    const name = nameFor(recipe, {
      folders: history.folders.list(),
      datasetName: (id) => this.get(id).name,
    });
    const [reviewed, createdAt] = [recipe.kind === 'import', this.#now()];
    return this.#making.add(this.#stored.add({ name, recipe: { ...recipe, name }, reviewed, createdAt }));
  }

  /** Stops making one; one that is not being made is left as it is. Errors: `not-found`. */
  async cancel(id: number): Promise<Dataset> {
    const live = this.#making.find(id);
    if (live) await this.#making.stop(live);
    return this.get(id);
  }

  /** Makes one that was stopped or failed: reads it anew, or has the model write on. Errors: `not-found`, `invalid-input` (it is made). */
  resume(id: number): Dataset {
    const dataset = this.get(id);
    if (dataset.state === 'waiting' || dataset.state === 'working') return dataset;
    if (dataset.state !== 'ready') return this.#making.add(dataset);
    throw new PunaError('invalid-input', 'This dataset is made already.', 'Make a new one.');
  }

  /** Removes it with its file. Runs that learnt from it have copies. Errors: `not-found`. */
  async remove(id: number): Promise<void> {
    const { path, recipe } = await this.cancel(id);
    this.#removed.add(id);
    this.#stored.remove(id);
    this.#options.events.publish({ type: 'dataset-removed', datasetId: id });
    await removeDataset(path);
    await this.#files.release(recipe);
  }

  /** Errors: `not-found`. */
  rename(id: number, name: string): Dataset {
    const dataset = this.get(id);
    return this.#change(id, { name: name.trim() || dataset.name });
  }

  /**
   * A person has looked at what a model wrote; what was stopped is complete with that, and some of it is measured on. Errors:
   * `not-found`, `invalid-input` (there is nothing yet).
   */
  async approve(id: number): Promise<Dataset> {
    const { name, state, counts, recipe, path } = opened(this.get(id));
    const isBeingWritten = state === 'waiting' || state === 'working';
    if (isBeingWritten || counts.conversations + counts.texts === 0) {
      throw new PunaError(
        'invalid-input',
        `${quoted(name)} ${isBeingWritten ? 'is still being written' : 'has no examples'}.`,
        isBeingWritten ? 'Wait until it is written, or stop it.' : 'Resume it, or make a new one.',
      );
    }
    const approved = this.#change(id, { state: 'ready', reviewed: true, error: null });
    if (state === 'ready' || recipe.kind === 'import') return approved;
    return this.#changed(id, await heldBack(this.#helper, path, recipe));
  }

  /** Some examples in order, of those that the filter finds. Errors: `not-found`, `invalid-input` (it is not made yet). */
  page(
    id: number,
    page: { filter: ExampleFilter; offset: number; limit: number },
  ): Promise<{ examples: ExampleRow[]; total: number }> {
    return this.#helper.run('page', { file: this.#open(id), ...page });
  }

  /** An example whole. Errors: as `page`. */
  example(id: number, exampleId: number): Promise<DatasetExample> {
    return this.#helper.run('example', { file: this.#open(id), id: exampleId });
  }

  /** Excludes examples or takes them back, measures on them or learns from them. Errors: as `edit`. */
  async change(
    id: number,
    {
      choice,
      excluded,
      validation,
    }: { choice: ExampleChoice; excluded?: boolean | undefined; validation?: boolean | undefined },
  ): Promise<Dataset> {
    const counts = await this.#helper.run('change', {
      ...{ file: this.#openReady(id), choice },
      ...(excluded !== undefined && { excluded }),
      ...(validation !== undefined && { validation }),
    });
    return this.#changed(id, counts);
  }

  /** Gives an example other content. Errors: `not-found`, `invalid-input` (the dataset is not made yet). */
  async edit(id: number, exampleId: number, content: ExampleContent): Promise<DatasetExample> {
    const file = this.#openReady(id);
    const example = await this.#helper.run('edit', { file, id: exampleId, content });
    this.#changed(id, await this.#helper.run('counts', { file }));
    return example;
  }

  /** Adds an example that a person wrote. Errors: as `edit`. */
  async add(id: number, content: ExampleContent): Promise<DatasetExample> {
    const file = this.#openReady(id);
    const example = await this.#helper.run('add', { file, examples: [{ content, source: '' }] });
    this.#changed(id, await this.#helper.run('counts', { file }));
    return example;
  }

  /** Holds another share back to measure on, drawn anew. Errors: as `edit`. */
  async split(id: number, validation: number): Promise<Dataset> {
    const seed = randomInt(seeds);
    const counts = await this.#helper.run('split', { file: this.#openReady(id), validation, seed });
    return this.#changed(id, counts);
  }

  /** Lengths in tokens of a model. Errors: as `page`; those of reading the model's tokenizer, `cancelled`. */
  async measure(id: number, modelId: number, signal?: AbortSignal): Promise<Measures> {
    const file = this.#open(id);
    const { path: model } = await this.#options.library.get(modelId);
    return this.#helper.run('measure', { file, model, modelId }, { ...(signal && { signal }) });
  }

  /** What a model reads of an example, and what it learns. Errors: as `measure`. */
  async preview(of: {
    datasetId: number;
    exampleId: number;
    modelId: number;
    context: number;
  }): Promise<MaskPreview> {
    const file = this.#open(of.datasetId);
    const { path: model } = await this.#options.library.get(of.modelId);
    return this.#helper.run('preview', { file, id: of.exampleId, model, context: of.context });
  }

  /** All that is not excluded as pieces of one JSONL file: what is learnt from, and then what is measured on. Errors: as `page`. */
  async *export(id: number, signal?: AbortSignal): AsyncGenerator<string> {
    yield* this.#snapshots.pieces(this.#open(id), signal);
  }

  /**
   * Writes what is learnt from and measured on into files that are never changed, for a run. Errors: `not-found`, `invalid-input`
   * (it is not made yet, nobody has looked at it, everything is excluded), `disk-full`.
   */
  async snapshot(id: number): Promise<Snapshot & { name: string }> {
    const { name, path, changedAt, reviewed } = isReady(this.get(id));
    if (!reviewed) {
      throw new PunaError(
        'invalid-input',
        `Nobody has looked at ${quoted(name)} yet, which a model has written.`,
        'Look at some of its examples, and approve it.',
      );
    }
    const snapshot = await this.#snapshots.write(path);
    const now = this.get(id);
    const { fingerprint } = snapshot;
    if (now.changedAt === changedAt && now.fingerprint !== fingerprint) this.#change(id, { fingerprint });
    return { ...snapshot, name };
  }

  /** Removes all snapshots but these files, which runs may need again. */
  clearSnapshots(needed: readonly string[]): Promise<void> {
    return this.#snapshots.clear(needed);
  }

  /** Stops what is being made, so that it goes on after the next start. */
  async close(): Promise<void> {
    await this.#making.close();
    await this.#helper.close();
  }

  /** The file of one that has one. */
  #open(id: number): string {
    return opened(this.get(id)).path;
  }

  #openReady(id: number): string {
    return isReady(this.get(id)).path;
  }

  /** Its examples are others than before. */
  #changed(id: number, counts: Dataset['counts']): Dataset {
    return this.#change(id, { counts, fingerprint: null, changedAt: this.#now() });
  }

  #change(id: number, patch: Partial<Dataset>): Dataset {
    const live = this.#making.find(id);
    if (live) {
      live.change(patch);
      return live.value;
    }
    const dataset = { ...this.#stored.get(id), ...patch };
    this.#stored.save(dataset);
    this.#tell(dataset);
    return dataset;
  }

  #tell(dataset: Dataset): void {
    if (!this.#removed.has(dataset.id)) this.#options.events.publish({ type: 'dataset', dataset });
  }
}
