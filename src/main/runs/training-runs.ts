import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import type { Model, TrainingOrder, TrainingRun } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { ModelHost } from '../chat/index.ts';
import type { LaunchEngine } from '../engine/index.ts';
import type { Events } from '../events.ts';
import type { Library } from '../library/index.ts';
import { fileError } from '../storage/index.ts';
import type { TrainingResult } from '../training/messages.ts';
import { copyRunFiles, newAdapterPath } from './adapter-files.ts';
import { Line } from './line.ts';
import { LiveRun } from './live-run.ts';
import type { MemoryShare } from './memory-share.ts';
import { StoredRuns } from './stored-runs.ts';
import { trainOnce, type TrainingEngine } from './train-once.ts';

export interface TrainingRunsOptions {
  /** With the table `training_runs`. */
  database: Database;
  library: Library;
  host: ModelHost;
  memory: MemoryShare;
  events: Events;
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
  readonly #options: TrainingRunsOptions;
  readonly #stored: StoredRuns;
  readonly #now: () => number;
  readonly #line = new Line<LiveRun>({
    work: (live) => this.#train(live),
    leave: (live) => live.end('stopped'),
    onEmpty: () => this.#bringBackModel(),
  });
  #engine: TrainingEngine | null = null;

  constructor(options: TrainingRunsOptions) {
    this.#options = options;
    this.#stored = new StoredRuns(options.database);
    this.#now = options.now ?? Date.now;
    this.#stored.stopUnfinished();
  }

  /** All there ever were, newest first. */
  list(): TrainingRun[] {
    return this.#stored.list().map((run) => this.#line.find(run.id)?.value ?? run);
  }

  /** Puts a run in line. Errors: `not-found`, `file-missing`, `invalid-input`. */
  async start({ modelId, data, settings, name }: TrainingOrder): Promise<TrainingRun> {
    const model = await this.#options.library.get(modelId);
    refuseUnfit(model);
    for (const path of data) await refuseUnreadable(path);
    const { adapters, models } = this.#options.folders;
    const run = this.#stored.add({
      ...{ name, modelId, modelName: model.name, modelPath: model.path, data, settings },
      adapterPath: this.#newPath(settings.trained === 'all' ? models : adapters, model.name),
      createdAt: this.#now(),
    });
    return this.#enqueue(run);
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
    await this.#hold(live, true);
    return live.value;
  }

  /**
   * Lets a paused run go on, or puts one that was stopped or failed in line again: it goes on from its checkpoint, or begins
   * anew where it had none yet. Errors: `not-found`, `invalid-input` (it is done).
   */
  async resume(id: number): Promise<TrainingRun> {
    const live = this.#line.find(id);
    if (live) {
      if (live.paused) await this.#hold(live, false);
      return live.value;
    }
    const run = this.#stored.get(id);
    if (run.state === 'done') {
      throw new PunaError('invalid-input', 'This training run is done.', 'Begin a new one to train further.');
    }
    return this.#enqueue({ ...run, state: 'waiting', error: null, endedAt: null });
  }

  /** Stops a run for good or until it is resumed, and keeps what was learnt; one that has ended is left as it is. */
  async cancel(id: number): Promise<TrainingRun> {
    const live = this.#line.find(id);
    if (!live) return this.#stored.get(id);
    await this.#line.stop(live);
    return live.value;
  }

  /** Stops what runs as `cancel` does, so that it can be resumed after the next start. */
  close(): Promise<void> {
    return this.#line.close(closingPatience, async () => this.#engine?.stop());
  }

  #newPath(folder: string, model: string): string {
    return newAdapterPath(folder, { model, now: this.#now(), taken: this.#stored.adapterPaths() });
  }

  #enqueue(run: TrainingRun): TrainingRun {
    const live = new LiveRun(run, {
      save: (changed) => this.#stored.save(changed),
      tell: (changed) => this.#options.events.publish({ type: 'training', run: changed }),
      now: this.#now,
    });
    live.change({});
    this.#line.add(live);
    return live.value;
  }

  /** Never throws: what goes wrong is kept with the run. */
  async #train(live: LiveRun): Promise<void> {
    const { memory } = this.#options;
    memory.begin(live.value.settings.memoryLimit);
    try {
      live.begin();
      await this.#takePlace(live);
      const { finish, steps } = await this.#trainWithRoom(live);
      // What has learnt nothing would only be in the way.
      const adapterId = steps > 0 ? await this.#addToLibrary(live) : null;
      live.end(finish === 'stopped' ? 'stopped' : 'done', { adapterId });
    } catch (thrown) {
      const error = PunaError.from(thrown);
      if (error.code === 'internal') console.error(error.cause ?? error);
      // Whatever a stop interrupts complains in words of its own.
      const stopped = live.controller.signal.aborted && ['cancelled', 'internal'].includes(error.code);
      if (stopped) live.end('stopped');
      else live.end('failed', { error: resumable(error), adapterId: await this.#addBest(live) });
    } finally {
      memory.end();
    }
  }

  /** An adapter that the chat may have loaded stays what it is: a run that goes on writes to a new place. */
  async #takePlace(live: LiveRun): Promise<void> {
    const { adapterPath, adapterId, modelName } = live.value;
    if (adapterId !== null) {
      const newPath = this.#newPath(dirname(adapterPath), modelName);
      await copyRunFiles(adapterPath, newPath);
      live.change({ adapterPath: newPath, adapterId: null });
    }
    await mkdir(dirname(live.value.adapterPath), { recursive: true }).catch((thrown: unknown) => {
      throw fileError(thrown, adapterPath);
    });
  }

  /** Trains; where memory is short and a chat model holds some of it, that one makes room and training is tried once more. */
  async #trainWithRoom(live: LiveRun): Promise<TrainingResult> {
    try {
      return await this.#trainOnce(live);
    } catch (thrown) {
      const { host, memory, events } = this.#options;
      const { model } = host;
      const short = PunaError.from(thrown).code === 'out-of-memory';
      if (!short || model === null || live.controller.signal.aborted) throw thrown;
      memory.displace(model);
      await host.makeRoom();
      events.publish({ type: 'notice', notice: 'model-unloaded-for-training' });
      return this.#trainOnce(live);
    }
  }

  #trainOnce(live: LiveRun): Promise<TrainingResult> {
    const { host, memory, launchEngine } = this.#options;
    return trainOnce(live, {
      launchEngine,
      onEngine: (engine) => (this.#engine = engine),
      fits({ estimatedBytes }) {
        memory.take(estimatedBytes);
        return host.model === null || memory.fitsBeside(host.model);
      },
    });
  }

  async #hold(live: LiveRun, paused: boolean): Promise<void> {
    live.hold(paused);
    await this.#engine?.run('pause', { paused });
  }

  async #addToLibrary({ value: { adapterPath: path } }: LiveRun): Promise<number> {
    return (await this.#options.library.add({ path })).id;
  }

  /** What a failed run has measured as its best is of use all the same. */
  async #addBest(live: LiveRun): Promise<number | null> {
    if (live.value.validations.length === 0 || !existsSync(live.value.adapterPath)) return null;
    return this.#addToLibrary(live).catch(() => null);
  }

  /** The model that made room comes back as it was, unless the person has chosen another one since. */
  async #bringBackModel(): Promise<void> {
    const { host, library, memory } = this.#options;
    const displaced = memory.giveBack();
    if (!displaced || host.model !== null || this.#line.closed.aborted) return;
    try {
      await host.load(await library.get(displaced.id), this.#line.closed);
    } catch (thrown) {
      // The model's status says it too.
      console.error(thrown);
    }
  }
}

function refuseUnfit({ kind, missing, name, path }: Model): void {
  if (kind === 'adapter') {
    throw new PunaError('invalid-input', `${name} is an adapter.`, 'Choose the model that it belongs to.');
  }
  if (missing) throw new PunaError('file-missing', `There is no file ${path}.`, 'Choose another model.');
}

async function refuseUnreadable(path: string): Promise<void> {
  if (!isAbsolute(path)) {
    throw new PunaError('invalid-input', `${path} could be in any folder.`, 'Give the whole path.');
  }
  await access(path, constants.R_OK).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
}

/** An engine that dies takes nothing along that its last checkpoint has. */
function resumable(error: PunaError): PunaError {
  if (error.code !== 'engine-died') return error;
  const remedy =
    'Resume it: it goes on from its last checkpoint. If it happens again, choose a smaller model.';
  return new PunaError(error.code, error.message, remedy, { cause: error.cause });
}
