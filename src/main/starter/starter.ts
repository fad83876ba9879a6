import type { Database } from 'better-sqlite3';
import type { Samples } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { type Library, placeStarter, welcomeStarter } from '../library/index.ts';
import { noSamples, readSampleFiles, type SampleFiles, starterFile } from './sample-files.ts';

export interface StarterOptions {
  /** The folder of what comes with Puna; null: nothing does. */
  resources: string | null;
  /** With the tables of the library. */
  database: Database;
  library: Library;
}

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
    try {
      if (await placeStarter(database, starterFile(resources))) library.tell();
    } catch (thrown) {
      complain('The starter model is left out', thrown);
    }
  }

  /** Has it in the library again after a person has taken it off the list. Never throws. */
  async bringBack(): Promise<void> {
    const { resources, database } = this.#options;
    if (resources === null) return;
    welcomeStarter(database, starterFile(resources));
    await this.takeIn();
  }

  /** The model as the library has it, and what comes with it. */
  async samples(): Promise<Samples> {
    const models = await this.#options.library.list();
    const model = models.find(({ origin, missing }) => origin === 'starter' && !missing);
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

function complain(what: string, thrown: unknown): void {
  const { message, remedy } = PunaError.from(thrown);
  console.error(`${what}: ${message} ${remedy}`.trim());
}
