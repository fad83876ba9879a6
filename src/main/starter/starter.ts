import type { Database } from 'better-sqlite3';
import { answeringModel } from '../../shared/answering-model.ts';
import type { Model, Samples, Settings } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { ModelHost } from '../chat/index.ts';
import { type Library, placeStarter, welcomeStarter } from '../library/index.ts';
import { memoryNow } from '../machine/index.ts';
import { fileError } from '../storage/index.ts';
import { readModelFacts } from '../weights/model-facts.ts';
import { noSamples, readSampleFiles, type SampleFiles, starterFile } from './sample-files.ts';

export interface StarterOptions {
  /** The folder of what comes with Puna; null: nothing does. */
  resources: string | null;
  /** With the tables of the library. */
  database: Database;
  library: Library;
}

/** More than an engine with a model of some 12 MB and its context takes, in bytes. */
const takes = 500e6;

/** The model that comes with Puna, and what there is to try with it. Without their files, Puna goes without them. */
export class Starter {
  readonly #options: StarterOptions;

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /** Takes the model into the library, unless a person has taken it off the list. Never throws: a log says what is wrong. */
  async takeIn(): Promise<void> {
    const { resources, database, library } = this.#options;
    if (resources === null) return;
    const path = starterFile(resources);
    try {
      if (await placeStarter(database, path)) library.tell();
    } catch (thrown) {
      complain('The starter model is left out', fileError(thrown, path));
    }
  }

  /** Has it in the library again after a person has taken it off the list. */
  async bringBack(): Promise<void> {
    const { resources, database } = this.#options;
    if (resources === null) return;
    welcomeStarter(database);
    await this.takeIn();
  }

  /**
   * Loads the model before a person who is new to Puna asks something, where it is the one to answer and there is memory. Never throws:
   * what is wrong with it is told when it is asked.
   */
  async loadAhead({ host, settings }: { host: ModelHost; settings: { get(): Settings } }): Promise<void> {
    const { tour, modelId } = settings.get();
    if (tour === 'done' || tour === 'left' || memoryNow().free < takes) return;
    try {
      const model = answeringModel(await this.#options.library.list(), modelId);
      if (model?.origin === 'starter' && !host.model) await host.load(model);
    } catch {
      // Puna may be closing, too.
    }
  }

  /** The model as the library has it, and what comes with it. */
  async samples(): Promise<Samples> {
    const model = (await this.#options.library.list()).find(isStarter);
    return { modelId: model?.id ?? null, ...(await this.#files()) };
  }

  async #files(): Promise<SampleFiles> {
    const { resources } = this.#options;
    if (resources === null) return noSamples;
    return readSampleFiles(resources).catch((thrown: unknown) => {
      complain('The samples are left out', thrown);
      return noSamples;
    });
  }
}

function isStarter({ origin, missing }: Model): boolean {
  return origin === 'starter' && !missing;
}

/** Why what comes with Puna cannot be used; null: it can, as far as one can tell without loading the model. */
export async function resourcesFault(resources: string): Promise<PunaError | null> {
  try {
    await readSampleFiles(resources);
    await readModelFacts(starterFile(resources));
    return null;
  } catch (thrown) {
    return PunaError.from(thrown);
  }
}

/** Of files; nobody downloads or chooses those that come with Puna. */
const faultsOfFiles: readonly string[] = ['file-missing', 'file-damaged', 'not-gguf', 'unsupported-model'];

function complain(what: string, thrown: unknown): void {
  const { code, message, remedy } = PunaError.from(thrown);
  const isOfFile = faultsOfFiles.includes(code);
  const advice = isOfFile ? 'Install Puna again; everything else works without it.' : remedy;
  console.error(`${what}: ${message} ${advice}`.trim());
}
