import type { Database } from 'better-sqlite3';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type {
  Lineage,
  Model,
  Planned,
  TrainingRun,
  WeightsItem,
  WeightsJob,
  WeightsOperation,
  WeightsResult,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { inputsOf } from '../../shared/operation-inputs.ts';
import { Engine, HelperEngine, type LaunchEngine } from '../engine/index.ts';
import type { Events } from '../events.ts';
import { databaseError } from '../history/index.ts';
import { expandHome, type Library } from '../library/index.ts';
import { Line } from '../runs/index.ts';
import { fileError, KeptUploads, type Uploads } from '../storage/index.ts';
import type { WeightsJobs } from '../weights/messages.ts';
import { canSpeak, firstWords } from './first-words.ts';
import { discardImportance, withImportance } from './importance.ts';
import { lineageOf } from './lineage.ts';
import { LiveJob } from './live-job.ts';
import { placed, type ResultFolders } from './place.ts';
import { StoredJobs } from './stored-jobs.ts';

export interface OperationsOptions {
  /** With the table `weights_jobs`. */
  database: Database;
  library: Library;
  events: Events;
  uploads: Uploads;
  launchEngine: LaunchEngine;
  /** Training runs, newest first, which results may be descended from. */
  runs: () => TrainingRun[];
  /** Where results go, and weights that were uploaded; made when the first one comes. */
  folders: ResultFolders & { uploaded: string };
  /** ms since 1970 */
  now?: () => number;
}

/** How long an operation may take to stop when the program ends; it stops behind the piece that it is at. */
const closingPatience = 10_000;

/** Operations on weights: one at a time in an engine of its own, the others wait in the order in which they came. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #stored: StoredJobs;
  readonly #uploads: KeptUploads;
  readonly #helper: HelperEngine<WeightsJobs>;
  readonly #now: () => number;
  readonly #line = new Line<LiveJob>({
    work: (live) => this.#work(live),
    leave: (live) => live.end('stopped'),
  });
  /** Of which windows are to hear nothing more. */
  readonly #discarded = new Set<number>();
  #engine: Engine<WeightsJobs> | null = null;

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#stored = new StoredJobs(options.database);
    this.#uploads = new KeptUploads(options.folders.uploaded, options.uploads);
    this.#helper = new HelperEngine({ entry: 'weights-engine', launch: options.launchEngine });
    this.#now = options.now ?? Date.now;
    this.#stored.stopUnfinished();
    this.#uploads.clear(this.#neededPaths()).catch(console.error);
  }

  /** Newest first. */
  list(): WeightsJob[] {
    return this.#stored.list().map((job) => this.#line.find(job.id)?.value ?? job);
  }

  /** Takes in weights that were uploaded as a group; gives their path. Errors: those of `Uploads.takeGroup`. */
  keep(groupId: string): Promise<string> {
    return this.#uploads.keep(groupId);
  }

  /** Removes weights that were taken in, unless an operation needs them still. */
  async forget(path: string): Promise<void> {
    if (!this.#neededPaths().includes(path)) await this.#uploads.forget(path);
  }

  /** Says what a file or folder is. Errors: `file-missing`, `file-damaged`, `unsupported-model`. */
  recognise(path: string): Promise<WeightsItem> {
    return this.#helper.run('recognise', { path: expandHome(path) });
  }

  /** Says what an operation will take and give, and where. Errors: those of `placed` and of the engine's plan. */
  async plan(operation: WeightsOperation): Promise<Planned> {
    const at = await this.#placed(operation);
    return { ...(await this.#helper.run('plan', at)), out: at.out };
  }

  /** Puts an operation in line. Errors: those of `plan`, `disk-full`. */
  async start(operation: WeightsOperation): Promise<WeightsJob> {
    const at = await this.#placed(operation);
    const { neededBytes, begunBytes, freeBytes } = await this.#helper.run('plan', at);
    if (neededBytes - begunBytes > freeBytes) {
      throw new PunaError(
        'disk-full',
        `The disk is too small for ${at.out}: ${neededBytes - begunBytes} bytes are needed, and ${freeBytes} are free.`,
        'Free some space on that disk, or choose a smaller type for the result.',
      );
    }
    return this.#enqueue(this.#stored.add(at, this.#now()));
  }

  /** Stops an operation and keeps what was begun; one that has ended is left as it is. Errors: `not-found`. */
  async cancel(id: number): Promise<WeightsJob> {
    const live = this.#line.find(id);
    if (!live) return this.#stored.get(id);
    await this.#line.stop(live);
    return live.value;
  }

  /** Puts one that was stopped or failed in line again. Errors: `not-found`, `invalid-input` (it is done). */
  resume(id: number): WeightsJob {
    const live = this.#line.find(id);
    if (live) return live.value;
    const job = this.#stored.get(id);
    if (job.state === 'done') {
      throw new PunaError('invalid-input', 'This operation is done.', 'Begin a new one.');
    }
    return this.#enqueue({ ...job, state: 'waiting', error: null, endedAt: null });
  }

  /** Takes one off the list, and removes what it has begun; a result stays. Errors: `not-found`. */
  async discard(id: number): Promise<void> {
    const { operation, state } = await this.cancel(id);
    if (state !== 'done') {
      await this.#helper.run('discard', operation);
      await discardImportance(operation);
    }
    this.#discarded.add(id);
    this.#stored.unlist(id);
    this.#options.events.publish({ type: 'weights-removed', jobId: id });
    await this.#releaseUploads(operation);
  }

  /** What weights were made from, and how. */
  async lineage(path: string): Promise<Lineage> {
    const { library, runs } = this.#options;
    return lineageOf(path, { jobs: this.#stored.done(), runs: runs(), models: await library.list() });
  }

  /** Stops what runs as `cancel` does, so that it can be resumed after the next start. */
  async close(): Promise<void> {
    await this.#line.close(closingPatience, async () => this.#engine?.stop());
    await this.#helper.close();
  }

  /** What operations that have not ended read. */
  #neededPaths(): string[] {
    return this.#unfinished().flatMap((operation) => inputsOf(operation).map(({ path }) => path));
  }

  #unfinished(): WeightsOperation[] {
    return this.#stored.list().flatMap(({ state, operation }) => (state === 'done' ? [] : [operation]));
  }

  /** The operation with a place for its result, in a folder that is there. */
  async #placed(operation: WeightsOperation): Promise<WeightsOperation> {
    const taken = this.#unfinished().map(({ out }) => out);
    const at = await placed(operation, this.#options.folders, taken);
    await this.#makeFolder(at);
    return at;
  }

  async #makeFolder({ out }: WeightsOperation): Promise<void> {
    await mkdir(dirname(out), { recursive: true }).catch((thrown: unknown) => {
      throw fileError(thrown, out);
    });
  }

  #enqueue(job: WeightsJob): WeightsJob {
    const live = new LiveJob(job, {
      save: (changed) => this.#stored.keep(changed),
      tell: (changed) => {
        if (!this.#discarded.has(changed.id)) this.#options.events.publish({ type: 'weights', job: changed });
      },
      now: this.#now,
    });
    live.change({});
    this.#line.add(live);
    return live.value;
  }

  /** Never throws: what goes wrong is kept with the operation. */
  async #work(live: LiveJob): Promise<void> {
    try {
      live.begin();
      const result = await this.#run(live);
      const { model, note } = await this.#addToLibrary(live.value.operation);
      const speaking = model !== null && canSpeak(model) && !live.controller.signal.aborted;
      const notes = [...result.notes, ...note];
      live.succeed({ result, modelId: model?.id ?? null, notes, speaking });
      if (speaking) await this.#speak(live, model);
    } catch (thrown) {
      const error = PunaError.from(databaseError(thrown));
      // Whatever a stop interrupts complains in words of its own.
      const stopped = live.controller.signal.aborted && ['cancelled', 'internal'].includes(error.code);
      if (error.code === 'internal' && !stopped) console.error(error.cause ?? error);
      if (stopped) live.end('stopped');
      else live.end('failed', resumable(error));
    }
    // What failed or was stopped may be resumed, and needs them then.
    if (live.value.state === 'done') await this.#releaseUploads(live.value.operation);
  }

  async #run(live: LiveJob): Promise<WeightsResult> {
    const { launchEngine } = this.#options;
    const { signal } = live.controller;
    const { operation } = live.value;
    await this.#makeFolder(operation);
    const complete = await withImportance(operation, {
      ...{ launchEngine, signal },
      onProgress: (progress) => live.apply({ type: 'progress', ...progress }),
    });
    const engine = new Engine<WeightsJobs>({ entry: 'weights-engine', launch: launchEngine });
    this.#engine = engine;
    try {
      const result = await engine.run('run', complete, { signal, onEvent: (event) => live.apply(event) });
      await discardImportance(operation);
      return result;
    } finally {
      this.#engine = null;
      await engine.stop();
    }
  }

  /** What can be chatted with goes into the library; what cannot is a result all the same. */
  async #addToLibrary({ kind, out }: WeightsOperation): Promise<{ model: Model | null; note: string[] }> {
    if (kind === 'delta-make' || !/\.gguf$/i.test(out)) return { model: null, note: [] };
    try {
      return { model: await this.#options.library.add({ path: out }), note: [] };
    } catch (thrown) {
      return { model: null, note: [PunaError.from(databaseError(thrown)).message] };
    }
  }

  /** That it says nothing is no failure of the operation. */
  async #speak(live: LiveJob, model: Model): Promise<void> {
    const { launchEngine } = this.#options;
    const { signal } = live.controller;
    live.say(await firstWords(model, { launchEngine, signal }).catch(() => null));
  }

  /** Uploads that this operation needed, and no other one needs. */
  async #releaseUploads(operation: WeightsOperation): Promise<void> {
    for (const { path } of inputsOf(operation)) await this.forget(path);
  }
}

/** An engine that dies takes nothing along that is on the disk. */
function resumable(error: PunaError): PunaError {
  if (error.code !== 'engine-died') return error;
  return new PunaError(error.code, error.message, 'Resume it: it goes on where it was.', {
    cause: error.cause,
  });
}
