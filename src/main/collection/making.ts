import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Dataset } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { DatasetJobs } from '../dataset-engine/messages.ts';
import { Engine, type LaunchEngine } from '../engine/index.ts';
import { databaseError, type History } from '../history/index.ts';
import { Line } from '../runs/index.ts';
import { fileError } from '../storage/index.ts';
import { clearBegun } from './begun.ts';
import { LiveDataset } from './live-dataset.ts';
import { growDataset, type GrowParts } from './make-grown.ts';
import { importDataset } from './make-import.ts';

export interface MakingOptions extends GrowParts {
  history: Pick<History, 'examples'>;
  launchEngine: LaunchEngine;
  save(dataset: Dataset): void;
  tell(dataset: Dataset): void;
  /** It is ready, and needs nothing any more of what it was made of. */
  onReady(dataset: Dataset): Promise<void>;
  /** ms since 1970 */
  now(): number;
}

/** How long an import may take to stop when the program ends; it begins anew after the next start. */
const closingPatience = 5_000;

/** Makes datasets, one at a time; the others wait in the order in which they came. Imports have an engine each, whose memory comes back. */
export class Making {
  readonly #options: MakingOptions;
  readonly #line = new Line<LiveDataset>({
    work: (live) => this.#work(live),
    leave: (live) => live.end(this.#unfinishedState(live)),
  });
  #engine: Engine<DatasetJobs> | null = null;

  constructor(options: MakingOptions) {
    this.#options = options;
  }

  /** The one that waits or is being made. */
  find(id: number): LiveDataset | undefined {
    return this.#line.find(id);
  }

  /** Puts one in line. */
  add(dataset: Dataset): Dataset {
    const { save, tell, now } = this.#options;
    const live = new LiveDataset({ ...dataset, state: 'waiting', error: null }, { save, tell, now });
    live.change({});
    this.#line.add(live);
    return live.value;
  }

  /** Stops one; resolves when it has stopped. */
  async stop(live: LiveDataset): Promise<void> {
    live.cancelled = true;
    await this.#line.stop(live);
  }

  /** Stops all; what has not ended waits for the next start. */
  close(): Promise<void> {
    return this.#line.close(closingPatience, async () => this.#engine?.stop());
  }

  /** Never throws: what goes wrong is kept with the dataset. */
  async #work(live: LiveDataset): Promise<void> {
    try {
      await this.#make(live);
    } catch (thrown) {
      const error = PunaError.from(databaseError(thrown));
      // Whatever a stop interrupts complains in words of its own.
      const stopped =
        live.controller.signal.aborted && ['cancelled', 'internal', 'engine-died'].includes(error.code);
      if (error.code === 'internal' && !stopped) console.error(error.cause ?? error);
      if (stopped) live.end(this.#unfinishedState(live));
      else live.end('failed', resumable(error));
      return;
    }
    await this.#options.onReady(live.value).catch(console.error);
  }

  async #make(live: LiveDataset): Promise<void> {
    const { path, recipe } = live.value;
    await mkdir(dirname(path), { recursive: true }).catch((thrown: unknown) => {
      throw fileError(thrown, path);
    });
    if (recipe.kind !== 'import') return live.succeed(await growDataset(live, recipe, this.#options));
    live.beginImport();
    const { launchEngine, history } = this.#options;
    const engine = new Engine<DatasetJobs>({ entry: 'dataset-engine', launch: launchEngine });
    this.#engine = engine;
    try {
      await clearBegun(path);
      live.succeed(await importDataset(live, recipe, { engine, history }));
    } finally {
      this.#engine = null;
      await engine.stop();
      await clearBegun(path);
    }
  }

  #unfinishedState({ cancelled }: LiveDataset): 'waiting' | 'stopped' {
    return this.#line.closed.aborted && !cancelled ? 'waiting' : 'stopped';
  }
}

function resumable(error: PunaError): PunaError {
  if (error.code !== 'engine-died') return error;
  return new PunaError(error.code, error.message, 'Try again, or leave out the source that was being read.', {
    cause: error.cause,
  });
}
