import type { Database } from 'better-sqlite3';
import { PunaError } from '../../shared/error.ts';
import type {
  HubModel,
  HubRepository,
  HubSettings,
  HubSettingsNow,
  RecommendedModel,
} from '../../shared/contract/index.ts';
import { BandwidthLimit, promptRetries, type RetryOptions, usualRetries } from '../downloads/index.ts';
import {
  endpointOf,
  environmentToken,
  Hub,
  isOpenWay,
  parseReference,
  recommendedModels,
  type Repository,
  tokenName,
} from '../hub/index.ts';
import type { Library } from '../library/index.ts';
import type { FarModel } from '../machine/index.ts';
import type { Secrets } from '../secrets/index.ts';
import { fitsFrom } from './fits.ts';
import { inLibrary, liesInLibrary } from './in-library.ts';
import { folderOffer, offersOf } from './offers.ts';
import { sum } from './plan.ts';
import { StoredHubSettings } from './stored-settings.ts';

export interface HubServiceOptions {
  /** With the table `settings`. */
  database: Database;
  library: Library;
  secrets: Secrets;
  /** Where downloads go. */
  modelsFolder: string;
  /** Tells which models that are not here this machine has room for: those of `Machine.room`. */
  room: () => Promise<(model: FarModel) => boolean>;
}

/** The hub as the person has set it: what it has, and whether that is here already. */
export class HubService {
  /** Shared by all downloads; a change of the settings reaches those that are at work. */
  readonly limiter: BandwidthLimit;
  readonly #options: HubServiceOptions;
  readonly #settings: StoredHubSettings;

  constructor(options: HubServiceOptions) {
    this.#options = options;
    this.#settings = new StoredHubSettings(options.database);
    this.limiter = new BandwidthLimit(this.#settings.get().bytesPerSecond);
  }

  /** The hub with the settings and the token of now. Errors: `invalid-input` (HF_ENDPOINT is no address for that). */
  async open(retries: RetryOptions = usualRetries): Promise<Hub> {
    const endpoint = this.#endpoint();
    return new Hub({ endpoint: endpoint.href, token: await this.#token(endpoint), retries });
  }

  /** A page of a search; `from`: `next` of the one before. Errors: `NetworkError`, an abort. */
  async search(
    { words, from }: { words: string; from: string | null },
    signal?: AbortSignal,
  ): Promise<{ models: HubModel[]; next: string | null }> {
    const hub = await this.open(promptRetries);
    return hub.search({ words: words.trim(), from, ...(signal && { signal }) });
  }

  /** A repository by its name, or its address as people copy it. Errors: `NetworkError`, `invalid-input` (no name), an abort. */
  async repository(named: string, signal?: AbortSignal): Promise<HubRepository> {
    const hub = await this.open(promptRetries);
    const id = idOf(named);
    const repository = await hub.repository(id, { ...(signal && { signal }) });
    return this.#described(hub, repository, await this.#card(hub, repository, signal));
  }

  /** Models that are worth a try, smallest first. */
  async recommended(): Promise<RecommendedModel[]> {
    const [fits, models] = await Promise.all([fitsFrom(this.#options.room), this.#options.library.list()]);
    return recommendedModels.map(
      ({ name, repository, quantization, file, gigabytes, billions, license, languages, why }) => ({
        ...{ name, repository, quantization, gigabytes, billions, license, languages, why },
        fits: fits({ bytes: gigabytes * 1e9, quantization }),
        modelId: liesInLibrary(models, repository, file),
      }),
    );
  }

  async settings(): Promise<HubSettingsNow> {
    const settings = this.#settings.get();
    try {
      const endpoint = this.#endpoint();
      const hasToken = (await this.#token(endpoint)) !== null;
      return { ...settings, address: rootOf(endpoint), isOpenWay: isOpenWay(endpoint), hasToken };
    } catch (thrown) {
      // Whoever asks this hub for something hears what is wrong with HF_ENDPOINT.
      if (!(thrown instanceof PunaError) || thrown.code !== 'invalid-input') throw thrown;
      return { ...settings, address: null, isOpenWay: false, hasToken: false };
    }
  }

  /** Errors: those of `endpointOf`. */
  configure(patch: {
    [Key in keyof HubSettings]?: HubSettings[Key] | undefined;
  }): Promise<HubSettingsNow> {
    const { endpoint, bytesPerSecond } = this.#settings.get();
    const changed = {
      endpoint: (patch.endpoint ?? endpoint).trim(),
      bytesPerSecond: patch.bytesPerSecond === undefined ? bytesPerSecond : patch.bytesPerSecond,
    };
    // Refuses what is no address before it is kept.
    if (changed.endpoint) endpointOf(changed.endpoint);
    this.#settings.set(changed);
    this.limiter.bytesPerSecond = changed.bytesPerSecond;
    return this.settings();
  }

  /** Keeps a token for the hub of now, or forgets it (null). Errors: `invalid-input` (this is no token), those of `Secrets`. */
  async setToken(token: string | null): Promise<HubSettingsNow> {
    const { secrets } = this.#options;
    const name = tokenName(this.#endpoint());
    const word = token?.trim();
    if (!word) await secrets.remove(name);
    else if (/^[\x21-\x7e]+$/.test(word)) await secrets.set(name, word);
    else {
      throw new PunaError(
        'invalid-input',
        'This is not a token.',
        'It is one word such as hf_…, from the settings of your account on the hub.',
      );
    }
    return this.settings();
  }

  #endpoint(): URL {
    return endpointOf(this.#settings.get().endpoint);
  }

  /** That of the environment goes before the one that is kept, as on the command line. */
  async #token(endpoint: URL): Promise<string | null> {
    const given = environmentToken(endpoint);
    if (given) return given;
    try {
      return await this.#options.secrets.get(tokenName(endpoint));
    } catch (thrown) {
      // Sealed by another shell, or damaged: the same as none, and what everybody may have needs none.
      if (thrown instanceof PunaError && thrown.code === 'file-damaged') return null;
      throw thrown;
    }
  }

  /** It tells what a model is good for, but one that cannot be read keeps nobody from downloading. */
  async #card(hub: Hub, repository: Repository, signal: AbortSignal | undefined): Promise<string | null> {
    return hub.card(repository, signal).catch(() => {
      signal?.throwIfAborted();
      return null;
    });
  }

  async #described(hub: Hub, repository: Repository, card: string | null): Promise<HubRepository> {
    const { database, library, modelsFolder } = this.#options;
    const { id, revision, license, licenseLink, baseModels, languages } = repository;
    const { parameters, architecture, contextLength } = repository;
    const { downloads, likes, changedAt, gated, tags } = repository;
    const known = inLibrary({ database, modelsFolder, models: await library.list() }, id);
    const folder = folderOffer(repository);
    return {
      ...{ id, downloads, likes, changedAt, gated, tags, revision, license, licenseLink, baseModels },
      ...{ languages, parameters, architecture, contextLength, card },
      files: offersOf(repository, await fitsFrom(this.#options.room)).map((offer) => {
        const { name, quantization, bytes, files, recommended, fits } = offer;
        const parts = files.length;
        return { name, quantization, bytes, parts, recommended, fits, modelId: known(offer) };
      }),
      folder: folder && { files: folder.length, bytes: sum(folder) },
      page: `${rootOf(hub.endpoint)}/${id}`,
    };
  }
}

/** What the address of a page begins with. */
function rootOf(endpoint: URL): string {
  return endpoint.href.replace(/\/$/, '');
}

/** Old repositories have no owner, which no address tells apart from other pages of the hub. */
function idOf(named: string): string {
  return /^[\w.-]+$/.test(named.trim()) ? named.trim() : parseReference(named).id;
}
