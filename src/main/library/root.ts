import type { Downloader, LibraryFolder } from '../../shared/contract/index.ts';
import { keepings } from './downloaded/index.ts';
import { FolderWatch, folderId, type FolderWatchOptions } from './folder-watch.ts';
import { walk, type Walked, type WalkOptions } from './walk.ts';

/** Where what lies in a folder comes from: Puna itself, the person, or another program. */
type RootOrigin = 'puna' | 'folder' | Downloader;

/** A folder that is looked through and watched. */
export class Root {
  readonly path: string;
  readonly origin: RootOrigin;
  /** Where it is kept, if a person has added it. */
  readonly folderId: number | null;
  readonly watch: FolderWatch;
  state: LibraryFolder['state'] = 'reading';
  models = 0;
  bytes = 0;
  isCut = false;
  /** Which folder that was; another one may be in its place since, as that of a disk. */
  #id: string | null = null;
  #lookedAt = 0;
  /** How long it took to look through it, in ms. */
  #took = 0;

  constructor(
    { path, origin, folderId = null }: { path: string; origin: RootOrigin; folderId?: number | null },
    watch: FolderWatchOptions,
  ) {
    this.path = path;
    this.origin = origin;
    this.folderId = folderId;
    this.watch = new FolderWatch(watch);
  }

  /** The program that keeps its downloads here. */
  get program(): Downloader | null {
    return this.origin === 'puna' || this.origin === 'folder' ? null : this.origin;
  }

  /** Looks through it; null where that cannot be, which `state` tells then. Errors: the signal's reason. */
  async look(options: WalkOptions): Promise<Walked | null> {
    const began = performance.now();
    this.#id = await folderId(this.path);
    const find = this.program ? keepings[this.program].find : walk;
    try {
      const walked = await find(this.path, options);
      await this.watch.set(walked.folders);
      this.isCut = walked.isCut;
      return walked;
    } catch (thrown) {
      options.signal?.throwIfAborted();
      await this.watch.set([]);
      this.state = isGone(thrown) ? 'missing' : 'unreadable';
      return null;
    } finally {
      this.#lookedAt = performance.now();
      this.#took = this.#lookedAt - began;
    }
  }

  /** Whether something may have happened in it that its watch has not told. */
  async isDue(): Promise<boolean> {
    if ((await folderId(this.path)) !== this.#id) return true;
    if (this.#id === null) return false;
    const pause = this.watch.isWhole ? watchedPauseMs : unwatchedPauseMs;
    return performance.now() - this.#lookedAt > Math.max(pause, this.#took * costliness);
  }
}

/** What is not watched is looked through again after so long. */
const unwatchedPauseMs = 60_000;
/** Watches tell nothing of what other machines do in folders of a network. */
const watchedPauseMs = 10 * 60_000;
/** To look takes at most one part in so many of the time. */
const costliness = 50;

function isGone(thrown: unknown): boolean {
  const { code } = thrown as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
