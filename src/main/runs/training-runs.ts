import type { Database } from 'better-sqlite3';
import type {
  Dataset,
  Measures,
  Pair,
  Suggestion,
  TrainingOrder,
  TrainingRun,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Background, ModelHost } from '../chat/index.ts';
import type { LaunchEngine } from '../engine/index.ts';
import type { Events } from '../events.ts';
import type { History } from '../history/index.ts';
import type { Library } from '../library/index.ts';
import {
  adapterTitle,
  newAdapterPath,
  removeCheckpoint,
  removeRunFiles,
  removeSampleCopies,
} from './adapter-files.ts';
import { Line } from './line.ts';
import { LiveRun } from './live-run.ts';
import type { MemoryShare } from './memory-share.ts';
import { gatherData, refuseUnfit, type RunDatasets, samplesFor } from './order.ts';
import { StoredRuns } from './stored-runs.ts';
import { suggestFor, type SuggestQuestion } from './suggest.ts';
import { joinConversation } from './taught-conversations.ts';
import { TrainingPresets } from './training-presets.ts';
import { Trials } from './trials.ts';
import { Workshop } from './workshop.ts';

export interface TrainingRunsOptions {
  /** With the tables `training_runs` and `training_presets`. */
  database: Database;
  history: History;
  library: Library;
  host: ModelHost;
  memory: MemoryShare;
  events: Events;
  /** Has base and taught answer. */
  background: Background;
  /** What runs learn from. */
  datasets: RunDatasets & {
    get(datasetId: number): Dataset;
    measure(datasetId: number, modelId: number, signal?: AbortSignal): Promise<Measures>;
  };
  launchEngine: LaunchEngine;
  /** Where adapters are written, and whole models; made when the first one comes. */
  folders: { adapters: string; models: string };
  /** ms since 1970 */
  now?: () => number;
}

/** How long a run may take to stop when the program ends; a step of a large model takes seconds. */
const closingPatience = 20_000;

/** Runs that teach models: one at a time in an engine of its own, the others wait in the order in which they came. */
export class TrainingRuns {
  readonly presets: TrainingPresets;
  readonly #options: TrainingRunsOptions;
  readonly #stored: StoredRuns;
  readonly #now: () => number;
  readonly #workshop: Workshop;
  readonly #line = new Line<LiveRun>({
    work: (live) => this.#work(live),
    leave: (live) => live.end('stopped'),
    onEmpty: () => this.#giveMemoryBack(),
  });
  readonly #trials: Trials;
  /** Resolves when what an end in mid-run left behind is gone. */
  readonly #tidied: Promise<void>;
  /** Of which windows are to hear nothing more, and where they had written: llama.cpp still knows adapters by these paths. */
  readonly #removed = new Set<number>();
  readonly #removedPaths: string[] = [];
  /** Orders of which data is gathered that no run has yet. */
  #gathering = 0;

  constructor(options: TrainingRunsOptions) {
    const { database, events } = options;
    this.#options = options;
    this.#stored = new StoredRuns(database);
    this.#now = options.now ?? Date.now;
    this.#workshop = new Workshop({
      ...options,
      newPath: (folder, title) => this.#newPath(folder, title),
      onMoved: (runId, earlierPath) => this.#stored.addEarlierPath(runId, earlierPath),
    });
    this.#trials = new Trials({
      ...options,
      find: (id) => this.#find(id),
      change: (id, patch) => this.#change(id, patch, (run) => this.#stored.keep(run)),
      isAtWork: (id) => this.#line.find(id) !== undefined,
    });
    this.presets = new TrainingPresets(database, (presets) =>
      events.publish({ type: 'training-presets', presets }),
    );
    this.#stored.stopUnfinished();
    this.#tidied = this.#removeLeftovers().catch(console.error);
  }

  /** All there ever were, newest first. */
  list(): TrainingRun[] {
    return this.#stored.list().map((run) => this.#line.find(run.id)?.value ?? run);
  }

  /** Puts a run in line. Errors: `not-found`, `file-missing`, `nothing-to-learn`, `invalid-input` (a dataset that is not ready). */
  async start(order: TrainingOrder): Promise<TrainingRun> {
    const { modelId, prompts, conversationId, settings, name } = order;
    const { library, datasets, folders, history } = this.#options;
    const model = await library.get(modelId);
    refuseUnfit(model);
    if (conversationId !== null) history.conversations.get(conversationId);
    this.#gathering++;
    try {
      const data = await gatherData(order, datasets);
      const samples = await samplesFor(prompts, data);
      const run = this.#stored.add({
        ...{ name, modelId, modelName: model.name, modelPath: model.path, ...data, conversationId },
        ...{ samples, settings, createdAt: this.#now() },
        adapterPath: this.#newPath(
          settings.trained === 'all' ? folders.models : folders.adapters,
          adapterTitle({ name, datasets: data.datasets, modelName: model.name }),
        ),
      });
      return this.#enqueue(run);
    } finally {
      this.#gathering--;
    }
  }

  /** Holds the run before its next step; its memory stays taken. Errors: `not-found`, `invalid-input` (not at work). */
  async pause(id: number): Promise<TrainingRun> {
    const live = this.#line.find(id);
    if (live?.paused) return live.value;
    if (!live || live.value.state === 'waiting') {
      this.#stored.get(id);
      throw new PunaError(
        'invalid-input',
        'This training run is not at work.',
        'Only one that is can be paused.',
      );
    }
    await this.#workshop.hold(live, true);
    return live.value;
  }

  /**
   * Lets a paused run go on, or puts one that was stopped or failed in line again: it goes on from its checkpoint, or begins
   * anew where it had none yet. Errors: `not-found`, `invalid-input` (it is done).
   */
  async resume(id: number): Promise<TrainingRun> {
    const live = this.#line.find(id);
    if (live) {
      if (live.paused) await this.#workshop.hold(live, false);
      return live.value;
    }
    const run = this.#stored.get(id);
    if (run.state === 'done') {
      throw new PunaError('invalid-input', 'This training run is done.', 'Begin a new one to train further.');
    }
    return this.#enqueue({ ...run, state: 'waiting', error: null });
  }

  /** Stops a run for good or until it is resumed, and keeps what was learnt; one that has ended is left as it is. */
  async cancel(id: number): Promise<TrainingRun> {
    const live = this.#line.find(id);
    if (!live) return this.#stored.get(id);
    await this.#line.stop(live);
    return live.value;
  }

  /** Removes a run with all that it has made, wherever that is in use. Errors: `not-found`, and those of removing files. */
  async remove(id: number): Promise<void> {
    const { library, host, history, events, datasets } = this.#options;
    this.#stored.get(id);
    this.#removed.add(id);
    const live = this.#line.find(id);
    if (live) await this.#line.stop(live);
    await this.#trials.stop(id);

    const paths = this.#stored.adapterPathsOf(id);
    const made = (await library.list()).filter(({ path }) => paths.includes(path));
    const ids = made.map((model) => model.id);
    if (host.model && ids.includes(host.model.id)) await host.unload();
    for (const conversation of history.conversations.forgetModels(ids)) {
      events.publish({ type: 'conversation', conversation });
    }
    for (const modelId of ids) library.remove(modelId);
    this.#removedPaths.push(...paths);
    this.#stored.remove(id);
    events.publish({ type: 'training-removed', runId: id });
    for (const path of paths) await removeRunFiles(path);
    // A snapshot that was written a moment ago has no run yet.
    if (this.#gathering === 0) await datasets.clearSnapshots?.(this.#neededData());
  }

  /** Errors: `not-found`. */
  rename(id: number, name: string): TrainingRun {
    return this.#change(id, () => ({ name: name.trim() }));
  }

  /** As of `Trials`. */
  makePairs(id: number, count: number): Promise<TrainingRun> {
    return this.#trials.makePairs(id, count);
  }

  /** As of `Trials`. */
  choosePair(id: number, index: number, choice: Pair['choice']): TrainingRun {
    return this.#trials.choosePair(id, index, choice);
  }

  /** What Puna would do with a model and datasets. Errors: those of measuring the datasets and of `suggestFor`. */
  async suggest(
    input: { modelId: number; datasetIds: readonly number[]; settings: SuggestQuestion['given'] },
    signal?: AbortSignal,
  ): Promise<Suggestion> {
    const { library, datasets, launchEngine, host } = this.#options;
    const model = await library.get(input.modelId);
    refuseUnfit(model);
    const data = [];
    for (const id of new Set(input.datasetIds)) {
      const measures = await datasets.measure(id, model.id, signal);
      data.push({ counts: datasets.get(id).counts, measures });
    }
    return suggestFor(
      { model, data, given: input.settings, chatModel: host.model },
      { launchEngine, signal: signal ?? new AbortController().signal },
    );
  }

  /** Stops what runs as `cancel` does, so that it can be resumed after the next start. */
  async close(): Promise<void> {
    const closed = this.#line.close(closingPatience, () => this.#workshop.stopEngine());
    await this.#trials.close();
    await closed;
  }

  #newPath(folder: string, title: string): string {
    const taken = [...this.#stored.adapterPaths(), ...this.#removedPaths];
    return newAdapterPath(folder, { title, now: this.#now(), taken });
  }

  #neededData(): string[] {
    return this.#stored.list().flatMap(({ data, validationData }) => [...data, ...validationData]);
  }

  /** Errors: `not-found`. */
  #find(id: number): TrainingRun {
    return this.#line.find(id)?.value ?? this.#stored.get(id);
  }

  /** Changes a run, whether it is at work or not. Errors: `not-found`, and those of `save`. */
  #change(
    id: number,
    patch: (run: TrainingRun) => Partial<TrainingRun>,
    save = (run: TrainingRun) => this.#stored.save(run),
  ): TrainingRun {
    const live = this.#line.find(id);
    if (live) {
      live.change(patch(live.value));
      return live.value;
    }
    const run = this.#stored.get(id);
    const changed = { ...run, ...patch(run) };
    save(changed);
    this.#tell(changed);
    return changed;
  }

  #tell(run: TrainingRun): void {
    if (!this.#removed.has(run.id)) this.#options.events.publish({ type: 'training', run });
  }

  #enqueue(run: TrainingRun): TrainingRun {
    const live = new LiveRun(run, {
      save: (changed) => this.#stored.keep(changed),
      tell: (changed) => this.#tell(changed),
      now: this.#now,
    });
    live.change({});
    this.#line.add(live);
    return live.value;
  }

  /** Never throws: what goes wrong is kept with the run. */
  async #work(live: LiveRun): Promise<void> {
    const { id } = live.value;
    await this.#tidied;
    const sampler = await this.#trials.begin(id);
    await this.#workshop.train(live, (snapshot) => sampler.add(snapshot));
    await this.#removeCheckpoint(live.value).catch(console.error);
    if (this.#removed.has(id) || this.#line.closed.aborted) return;
    // What failed is looked at before it is used.
    if (live.value.state !== 'failed') await this.#join(live.value).catch(console.error);
    this.#trials.finish(live.value);
  }

  /** Of one that is done. As long as the database has not taken that, the next start finds it unfinished, and it ends once more. */
  async #removeCheckpoint({ id, state, adapterPath }: TrainingRun): Promise<void> {
    if (state === 'done' && this.#stored.isSaved(id)) await removeCheckpoint(adapterPath);
  }

  /** What was taught is at work at once where the person wanted it. */
  async #join(run: TrainingRun): Promise<void> {
    const { library, history, events } = this.#options;
    // What was taught of the same before is in it once more.
    const paths = this.#stored
      .list()
      .filter((other) => other.id === run.id || learnsFromTheSame(other, run))
      .flatMap(({ id }) => this.#stored.adapterPathsOf(id));
    const made = (await library.list()).filter(({ path }) => paths.includes(path));
    const conversation = joinConversation(run, { history, earlierIds: made.map(({ id }) => id) });
    if (conversation) events.publish({ type: 'conversation', conversation });
  }

  async #giveMemoryBack(): Promise<void> {
    if (!this.#line.closed.aborted) await this.#workshop.giveMemoryBack();
  }

  async #removeLeftovers(): Promise<void> {
    for (const path of this.#stored.adapterPaths()) await removeSampleCopies(path);
    for (const run of this.#stored.list()) await this.#removeCheckpoint(run);
  }
}

function learnsFromTheSame(one: TrainingRun, other: TrainingRun): boolean {
  return one.datasets.some(({ id }) => id !== null && other.datasets.some((dataset) => dataset.id === id));
}
