import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface FolderWatchOptions {
  /** Called when something has changed in folders and it has been quiet since. */
  onChange: () => void;
  /** In milliseconds: what is copied changes all the time. */
  quietMs?: number;
  /** A change is told after so long, though there is no quiet. */
  longestMs?: number;
}

/** Linux lets a person have some ten thousand watches, which other programs want, too. */
const mostWatches = 4_000;
const usualQuietMs = 1_000;
const usualLongestMs = 10_000;

/** Watches folders, each for itself: not what is below. What cannot be watched has to be looked at now and then. */
export class FolderWatch {
  /** By the folder, and its number on the disk. */
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onChange: () => void;
  readonly #quietMs: number;
  readonly #longestMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** When the first change came that is not told yet. */
  #since: number | null = null;
  #isWhole = true;
  #isClosed = false;

  constructor({ onChange, quietMs = usualQuietMs, longestMs = usualLongestMs }: FolderWatchOptions) {
    this.#onChange = onChange;
    this.#quietMs = quietMs;
    this.#longestMs = longestMs;
  }

  /** Whether all that it was asked to watch is watched. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** From now on these folders, and no others. One that was made anew under its name is watched anew. */
  async set(folders: readonly string[]): Promise<void> {
    const wanted = [...new Set(folders)];
    const keys = new Map<string, string>();
    for (const [folder, id] of await Promise.all(wanted.slice(0, mostWatches).map(withId))) {
      if (id !== null) keys.set(`${id} ${folder}`, folder);
    }
    if (this.#isClosed) return;
    this.#isWhole = keys.size === wanted.length;
    for (const [key, watcher] of this.#watchers) {
      if (keys.has(key)) continue;
      this.#watchers.delete(key);
      watcher.close();
    }
    for (const [key, folder] of keys) if (!this.#watchers.has(key)) this.#watch(key, folder);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(key: string, folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#changed());
      watcher.on('error', () => this.#lose(key, watcher));
      this.#watchers.set(key, watcher);
    } catch {
      // It is gone again, there are no watches left, or its file system has none.
      this.#isWhole = false;
    }
  }

  /** A folder that goes is no error everywhere; on Windows it is. */
  #lose(key: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(key) === watcher) this.#watchers.delete(key);
    this.#isWhole = false;
    this.#changed();
  }

  #changed(): void {
    const now = performance.now();
    this.#since ??= now;
    const wait = Math.min(this.#quietMs, Math.max(0, this.#since + this.#longestMs - now));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#since = null;
      this.#onChange();
    }, wait).unref();
  }
}

/** Tells a folder from another one that later has its name; null: it is not there. */
export function folderId(path: string): Promise<string | null> {
  return stat(path).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
}

async function withId(folder: string): Promise<[folder: string, id: string | null]> {
  return [folder, await folderId(folder)];
}
