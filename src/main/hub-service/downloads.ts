import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import type { Download, DownloadOrder } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import {
  downloadFolder,
  downloadSet,
  placeBelow,
  promptRetries,
  type RetryOptions,
  usualRetries,
} from '../downloads/index.ts';
import type { Events } from '../events.ts';
import { databaseError } from '../history/index.ts';
import type { Hub } from '../hub/index.ts';
import type { Library } from '../library/index.ts';
import { KnownModels } from '../library/known-models.ts';
import type { HubService } from './hub-service.ts';
import { LiveDownload } from './live-download.ts';
import { discard, isWhole, placed, withThere } from './place.ts';
import { type Meant, meantBy, type Plan, resultPath, setFiles, sha256Of } from './plan.ts';
import { type LaterRetries, mayPass, pauseBeforeRetry, usualLaterRetries } from './retry-later.ts';
import { StoredDownloads } from './stored-downloads.ts';

export interface DownloadsOptions {
  /** With the table `downloads`. */
  database: Database;
  library: Library;
  hub: HubService;
  events: Events;
  /** Where downloads go; made when the first one comes. */
  modelsFolder: string;
  /** ms since 1970 */
  now?: () => number;
  /** Within one try of a download, and from one to the next. */
  retries?: RetryOptions;
  laterRetries?: LaterRetries;
}

/** Each has several connections. A second one fills the line while the first ends or is checked; more would only make all of them late. */
export const mostAtOnce = 2;

/** Downloads from the hub: some at a time are at work, the others wait in the order in which they came. */
export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #stored: StoredDownloads;
  readonly #now: () => number;
  /** Those that wait or are at work, in the order in which they came. */
  readonly #lives = new Map<number, LiveDownload>();
  /** Those that failed, and are to ask the hub anew what there is. */
  readonly #stale = new Set<number>();
  readonly #removals = new Map<number, Promise<void>>();
  /** Orders are placed one after the other, so that two of the same become one. */
  #placing: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** What waited or was at work when the program ended goes on. */
  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#stored = new StoredDownloads(options.database);
    this.#now = options.now ?? Date.now;
    const unfinished = this.#stored
      .list()
      .filter(({ state }) => state === 'waiting' || state === 'working')
      .reverse();
    for (const download of unfinished) this.#enqueue(download);
  }

  /** Newest first. */
  list(): Download[] {
    return this.#stored.list().map((download) => this.#lives.get(download.id)?.value ?? download);
  }

  /**
   * Puts a download in line. One of the same file comes back instead, and goes on unless it is done. Errors: `NetworkError`, `not-found`
   * and `invalid-input` (nothing or several things are called so, or a file's name leads out of its folder), an abort.
   */
  async start(order: DownloadOrder, signal?: AbortSignal): Promise<Download> {
    const hub = await this.#options.hub.open(promptRetries);
    const repository = await hub.repository(order.repository, { ...(signal && { signal }) });
    const meant = meantBy(repository, order);
    const added = this.#placing.then(() => this.#place(meant));
    this.#placing = added.catch(() => undefined);
    return added;
  }

  /** Stops one until it is resumed; what has arrived is kept. One that is done or has failed is left as it is. Errors: `not-found`. */
  async pause(id: number): Promise<Download> {
    const live = this.#lives.get(id);
    if (!live) return this.#stored.get(id);
    await this.#stop(live);
    return live.value;
  }

  /** Puts one that was paused or has failed in line again. Errors: `not-found`. */
  async resume(id: number): Promise<Download> {
    for (let live = this.#lives.get(id); live; live = this.#lives.get(id)) {
      if (live.value.retryAt !== null && !this.#closed) {
        live.hurry();
        this.#advance();
      }
      if (!live.controller.signal.aborted) return live.value;
      await live.ended;
    }
    const download = this.#stored.get(id);
    if (this.#removals.has(id)) throw new PunaError('not-found', 'This download is being removed.');
    if (this.#closed || isDone(download)) return download;
    if (download.state === 'failed') this.#stale.add(id);
    return this.#enqueue(download);
  }

  /** Takes one off the list and removes what it has begun; what is done stays. Errors: `not-found`, those of `discard`. */
  async remove(id: number): Promise<void> {
    const removal = this.#removals.get(id) ?? this.#remove(id);
    this.#removals.set(id, removal);
    await removal.finally(() => this.#removals.delete(id));
  }

  /** Stops all, so that they go on with the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    const working = [...this.#lives.values()].filter(({ waiting }) => !waiting);
    for (const live of this.#lives.values()) if (live.waiting) live.rest();
    for (const live of working) live.controller.abort();
    await Promise.all(working.map(({ ended }) => ended));
    await Promise.allSettled([this.#placing, ...this.#removals.values()]);
  }

  async #place(meant: Meant): Promise<Download> {
    const same = this.#stored.find(meant);
    const removal = same && this.#removals.get(same.id);
    if (same && !removal) return this.resume(same.id);
    await removal;
    const plan = await placed(meant, this.#options.modelsFolder, this.#unfinishedFolders());
    if (this.#closed) throw new PunaError('cancelled', 'Puna is closing.', 'Start it anew.');
    const { repository, file, name, quantization, bytes } = meant;
    const path = resultPath(plan.folder, meant);
    const createdAt = this.#now();
    return this.#enqueue(
      this.#stored.add({ repository, file, name, quantization, bytes, path, createdAt }, plan),
    );
  }

  #unfinishedFolders(): string[] {
    return this.#stored
      .list()
      .flatMap(({ file, state, path }) => (file === null && state !== 'done' ? [path] : []));
  }

  #enqueue(download: Download): Download {
    const live = new LiveDownload(
      { ...download, state: 'waiting', error: null },
      {
        save: (changed) => this.#stored.keep(changed),
        tell: (changed) => this.#options.events.publish({ type: 'download', download: changed }),
        now: this.#now,
      },
    );
    live.change({});
    this.#lives.set(download.id, live);
    this.#advance();
    return live.value;
  }

  #advance(): void {
    const lives = [...this.#lives.values()];
    const free = this.#closed ? 0 : mostAtOnce - lives.filter(({ waiting }) => !waiting).length;
    for (const live of lives.filter(({ ready }) => ready).slice(0, Math.max(0, free))) {
      void this.#work(live);
    }
  }

  async #stop(live: LiveDownload): Promise<void> {
    live.controller.abort();
    if (live.waiting) {
      this.#lives.delete(live.value.id);
      live.stop('paused');
    }
    await live.ended;
  }

  /** Never throws: what goes wrong is kept with the download. */
  async #work(live: LiveDownload): Promise<void> {
    live.begin();
    const end = await this.#outcome(live);
    if (end) this.#lives.delete(live.value.id);
    end?.();
    this.#advance();
  }

  /** Gives how it ends, to be told once it is out of the line; null where it stays in it, to be tried again later. */
  async #outcome(live: LiveDownload): Promise<(() => void) | null> {
    try {
      const modelId = await this.#fetch(live);
      return () => live.succeed(modelId);
    } catch (thrown) {
      // Whatever a stop interrupts complains in words of its own.
      if (live.controller.signal.aborted) return () => live.stop(this.#closed ? 'waiting' : 'paused');
      if (mayPass(thrown)) {
        const { laterRetries = usualLaterRetries } = this.#options;
        const pauseFor = (failures: number) => pauseBeforeRetry(failures, thrown, laterRetries);
        live.putOff(thrown, pauseFor, () => this.#advance());
        return null;
      }
      const error = PunaError.from(databaseError(thrown));
      if (error.code === 'internal') console.error(error.cause ?? error);
      return () => live.fail(error);
    }
  }

  /** Gives the model's place in the library. */
  async #fetch(live: LiveDownload): Promise<number | null> {
    const { id, repository, file } = live.value;
    const { signal } = live.controller;
    const { retries = usualRetries } = this.#options;
    const hub = await this.#options.hub.open(retries);
    try {
      const plan = this.#stale.has(id) ? await this.#planAnew(live, hub) : this.#stored.plan(id);
      const options = {
        ...{ files: setFiles(hub, repository, plan), headers: hub.privateHeaders, signal, retries },
        limiter: this.#options.hub.limiter,
        onProgress: (bytes: number) => live.arrived(bytes),
      };
      if (file !== null) await downloadSet(plan.folder, options);
      else if (!(await isWhole(plan))) await downloadFolder(plan.folder, options);
      this.#keepHashes(plan);
    } catch (thrown) {
      throw hub.explained(thrown, repository);
    }
    return file === null ? null : (await this.#options.library.add({ path: live.value.path })).id;
  }

  /** The repository may have changed since: what is no part of it any more is not to be gone on with. */
  async #planAnew(live: LiveDownload, hub: Hub): Promise<Plan> {
    const { id, repository, file } = live.value;
    const { signal } = live.controller;
    const old = this.#stored.plan(id);
    const meant = meantBy(await hub.repository(repository, { signal }), { repository, file });
    const files = withThere(meant, old.folder).map((each) => {
      const before = old.files.find(({ name }) => name === each.name);
      return { ...each, wasThere: before?.wasThere ?? each.wasThere };
    });
    const gone = old.files.filter((each) => !files.some(({ name }) => name === each.name));
    if (file !== null && gone.length > 0) await this.#discard(live.value, { ...old, files: gone });
    const plan = { ...old, revision: meant.revision, files };
    this.#stored.setPlan(id, plan);
    live.change({ bytes: meant.bytes, path: resultPath(plan.folder, meant) });
    this.#stale.delete(id);
    return plan;
  }

  /** The library checks files against them when it is asked to, and the hub's files are known by them. */
  #keepHashes({ folder, files }: Plan): void {
    const known = new KnownModels(this.#options.database);
    for (const file of files) {
      const sha256 = sha256Of(file);
      if (sha256 !== null) known.expect(placeBelow(folder, file.name), sha256);
    }
  }

  async #remove(id: number): Promise<void> {
    const live = this.#lives.get(id);
    if (live) await this.#stop(live);
    const download = this.#stored.get(id);
    if (download.state !== 'done') await this.#discard(download, this.#stored.plan(id));
    this.#stored.remove(id);
    this.#options.events.publish({ type: 'download-removed', downloadId: id });
  }

  async #discard(download: Download, plan: Plan): Promise<void> {
    const { library, modelsFolder } = this.#options;
    const models = await library.list();
    const isNeeded = (path: string) => models.some((model) => model.path === path);
    await discard(download, plan, { modelsFolder, isNeeded });
  }
}

/** Its file may have been removed since, or the model taken off the library: then it is downloaded or added again. */
function isDone({ state, file, path, modelId }: Download): boolean {
  return state === 'done' && existsSync(path) && (file === null || modelId !== null);
}
