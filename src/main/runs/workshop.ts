import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import type { Background, ModelHost } from '../chat/index.ts';
import type { LaunchEngine } from '../engine/index.ts';
import type { Events } from '../events.ts';
import { databaseError } from '../history/index.ts';
import type { Library } from '../library/index.ts';
import { fileError } from '../storage/index.ts';
import type { TrainingResult } from '../training/messages.ts';
import { adapterTitle, copyRunFiles, removeSampleCopies } from './adapter-files.ts';
import type { LiveRun } from './live-run.ts';
import type { MemoryShare } from './memory-share.ts';
import type { Snapshot } from './sampler.ts';
import { trainOnce, type TrainingEngine } from './train-once.ts';

export interface WorkshopOptions {
  library: Library;
  host: ModelHost;
  memory: MemoryShare;
  events: Events;
  background: Background;
  launchEngine: LaunchEngine;
  /** A place in that folder where no run has written yet. */
  newPath: (folder: string, title: string) => string;
  /** A run goes on in a new place; this is where it was. */
  onMoved: (runId: number, earlierPath: string) => void;
}

/** Where one run at a time is at work: its engine, its memory, and the place that it writes to. */
export class Workshop {
  readonly #options: WorkshopOptions;
  #engine: TrainingEngine | null = null;

  constructor(options: WorkshopOptions) {
    this.#options = options;
  }

  /** Does a run to its end. Never throws: what goes wrong is kept with the run. `onSnapshot`: as of `trainOnce`. */
  async train(live: LiveRun, onSnapshot: (snapshot: Snapshot) => void): Promise<void> {
    const { memory } = this.#options;
    memory.begin(live.value.settings.memoryLimit);
    try {
      live.begin();
      await this.#takePlace(live);
      await this.#handOut(live, await this.#trainWithRoom(live, onSnapshot));
    } catch (thrown) {
      const error = PunaError.from(databaseError(thrown));
      if (error.code === 'internal') console.error(error.cause ?? error);
      // Whatever a stop interrupts complains in words of its own.
      const stopped = live.controller.signal.aborted && ['cancelled', 'internal'].includes(error.code);
      if (stopped) live.end('stopped');
      else live.end('failed', { error: resumable(error), adapterId: await this.#addBest(live) });
    } finally {
      memory.end();
    }
  }

  /** Holds the run that is at work, or lets it go on. */
  async hold(live: LiveRun, paused: boolean): Promise<void> {
    live.hold(paused);
    await this.#engine?.run('pause', { paused });
  }

  /** Ends the run that is at work, whatever it does. */
  async stopEngine(): Promise<void> {
    await this.#engine?.stop();
  }

  /** No run is left: the model that made room comes back as it was, unless the person has chosen another one since. */
  async giveMemoryBack(): Promise<void> {
    const { memory, background } = this.#options;
    const displaced = memory.giveBack();
    if (displaced) await background.bringBack(displaced);
  }

  /** An adapter that the chat may have loaded stays what it is: a run that goes on writes to a new place. */
  async #takePlace(live: LiveRun): Promise<void> {
    const { adapterPath, adapterId, id } = live.value;
    if (adapterId !== null) {
      const newPath = this.#options.newPath(dirname(adapterPath), adapterTitle(live.value));
      await copyRunFiles(adapterPath, newPath);
      this.#options.onMoved(id, adapterPath);
      // What was compared was taught by the earlier one.
      live.change({ adapterPath: newPath, adapterId: null, pairs: [], pairsComing: 0 });
    }
    await mkdir(dirname(live.value.adapterPath), { recursive: true }).catch((thrown: unknown) => {
      throw fileError(thrown, adapterPath);
    });
    await removeSampleCopies(live.value.adapterPath);
  }

  /** Trains; where memory is short and a chat model holds some of it, that one makes room and training is tried once more. */
  async #trainWithRoom(live: LiveRun, onSnapshot: (snapshot: Snapshot) => void): Promise<TrainingResult> {
    try {
      return await this.#trainOnce(live, onSnapshot);
    } catch (thrown) {
      const { host, memory, events } = this.#options;
      const { model } = host;
      const short = PunaError.from(thrown).code === 'out-of-memory';
      if (!short || model === null || live.controller.signal.aborted) throw thrown;
      memory.displace(model);
      await host.makeRoom();
      events.publish({ type: 'notice', notice: 'model-unloaded-for-training' });
      return this.#trainOnce(live, onSnapshot);
    }
  }

  #trainOnce(live: LiveRun, onSnapshot: (snapshot: Snapshot) => void): Promise<TrainingResult> {
    const { host, memory, launchEngine } = this.#options;
    return trainOnce(live, {
      ...{ launchEngine, onSnapshot },
      onEngine: (engine) => (this.#engine = engine),
      fits({ estimatedBytes }) {
        memory.take(estimatedBytes);
        return host.model === null || memory.fitsBeside(host.model);
      },
    });
  }

  /** Puts what was taught into the library. Where that fails, the run can be resumed: its checkpoint is still there. */
  async #handOut(live: LiveRun, { finish, steps }: TrainingResult): Promise<void> {
    let adapterId: number | null = null;
    try {
      // What has learnt nothing would only be in the way.
      if (steps > 0) adapterId = await this.#addToLibrary(live);
    } catch (thrown) {
      const error = PunaError.from(databaseError(thrown));
      if (error.code === 'internal') console.error(error.cause ?? error);
      live.end('failed', { error: notInLibrary(error, live.value.adapterPath) });
      return;
    }
    live.end(finish === 'stopped' ? 'stopped' : 'done', { adapterId });
  }

  async #addToLibrary({ value: { adapterPath: path } }: LiveRun): Promise<number> {
    return (await this.#options.library.add({ path })).id;
  }

  /** What a failed run has measured as its best is of use all the same. */
  async #addBest(live: LiveRun): Promise<number | null> {
    const { validations, adapterPath } = live.value;
    if (!validations.some(({ best }) => best) || !existsSync(adapterPath)) return null;
    return this.#addToLibrary(live).catch(() => null);
  }
}

/** An engine that dies takes nothing along that its last checkpoint has. */
function resumable(error: PunaError): PunaError {
  if (error.code !== 'engine-died') return error;
  const remedy =
    'Resume it: it goes on from its last checkpoint. If it happens again, choose a smaller model.';
  return new PunaError(error.code, error.message, remedy, { cause: error.cause });
}

/** A file that is whole, and that nobody can choose yet. */
function notInLibrary({ code, message, remedy, cause }: PunaError, path: string): PunaError {
  const sentence = `What was learnt is kept in ${path}, but could not be added to the library: ${message}`;
  return new PunaError(code, sentence, `${remedy} Resume the run: nothing is learnt twice.`.trim(), {
    cause,
  });
}
