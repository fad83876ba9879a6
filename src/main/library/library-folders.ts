import type { Database } from 'better-sqlite3';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { downloaders, type LibraryState } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { expandHome } from './browse.ts';
import { downloadedFolders, type Machine } from './downloaded/index.ts';
import { KnownModels } from './known-models.ts';
import { isBelow, type Library } from './library.ts';
import { Root } from './root.ts';
import { runFiles } from './run-files.ts';
import { type Reader, TakeIn } from './take-in.ts';
import type { Found } from './walk.ts';

export interface LibraryFoldersOptions {
  /** With the tables of the library, of settings and of training runs. */
  database: Database;
  library: Library;
  reader: Reader;
  /** Puna's own, which are made. */
  ownFolders: readonly string[];
  /** Whether what other programs have downloaded is in the library. */
  showsDownloaded: () => boolean;
  /** Told what the library is made of after each change. */
  onChange: (state: LibraryState) => void;
  machine?: Machine;
  /** ms since 1970 */
  now?: () => number;
  /** Pauses in ms, shorter in tests. */
  pauses?: { quietMs?: number; lookAgainMs?: number };
}

/** Disks that come back are noticed after so long, as are files that nobody watches. */
const usualLookAgainMs = 20_000;
/** While there is much to read, what is there already is told so often, in ms. */
const tellEveryMs = 1_000;

/** Looks through the folders that the library is made of, and watches them. What goes stays in the library, as missing. */
export class LibraryFolders {
  readonly #options: LibraryFoldersOptions;
  readonly #known: KnownModels;
  readonly #takeIn: TakeIn;
  readonly #closed = new AbortController();
  readonly #lookAgain: NodeJS.Timeout;
  #roots: Root[] = [];
  readonly #due = new Set<Root>();
  #working: Promise<void> | null = null;
  /** State that was told last, as JSON. */
  #told = '';

  constructor(options: LibraryFoldersOptions) {
    this.#options = options;
    const { database, reader, now = Date.now, pauses } = options;
    this.#known = new KnownModels(database);
    this.#takeIn = new TakeIn({ database, reader, now, isShown: (path) => this.#isShown(path) });
    this.#lookAgain = setInterval(
      () => void this.#lookForChanges().catch(console.error),
      pauses?.lookAgainMs ?? usualLookAgainMs,
    ).unref();
  }

  /** Begins to look through all folders; what is found is told. */
  start(): void {
    this.rescan().catch(console.error);
  }

  async state(): Promise<LibraryState> {
    const weights = await this.#options.library.weights();
    const folders = this.#roots.flatMap(({ folderId: id, path, state, models, isCut }) =>
      id === null ? [] : [{ id, path, state, models, isCut }],
    );
    const downloaded = downloaders.flatMap((program) => {
      const roots = this.#roots.filter((root) => root.program === program && root.models > 0);
      if (roots.length === 0) return [];
      const sum = (key: 'models' | 'bytes') => roots.reduce((total, root) => total + root[key], 0);
      return [{ program, paths: roots.map(({ path }) => path), models: sum('models'), bytes: sum('bytes') }];
    });
    return { folders, downloaded, weights, reading: this.#working !== null };
  }

  /** Errors: `file-missing`, `invalid-input` (a file, no permission, or a folder that is looked through already). */
  async add(path: string): Promise<LibraryState> {
    const folder = expandHome(path);
    const found = await stat(folder).catch((thrown: unknown) => {
      throw fileError(thrown, folder);
    });
    if (!found.isDirectory()) {
      throw new PunaError('invalid-input', `${folder} is a file.`, 'Choose a folder, or add it as a model.');
    }
    const real = await realpath(folder);
    for (const own of this.#options.ownFolders) {
      if (real !== (await realpath(own).catch(() => own))) continue;
      throw new PunaError('invalid-input', `${folder} is Puna’s own.`, 'It is looked through anyway.');
    }
    this.#options.database.prepare('INSERT OR IGNORE INTO library_folders (path) VALUES (?)').run(folder);
    await this.#locate();
    this.#lookThrough(this.#roots.filter((root) => root.path === folder));
    this.#options.library.tell();
    await this.#tell();
    return this.state();
  }

  /** Its models leave the library; their files stay. Errors: `not-found`. */
  async remove(id: number): Promise<LibraryState> {
    const { changes } = this.#options.database.prepare('DELETE FROM library_folders WHERE id = ?').run(id);
    if (changes === 0) {
      throw new PunaError('not-found', 'This folder is no longer in the library.', 'Nothing is left to do.');
    }
    this.#options.library.tell();
    await this.rescan();
    return this.state();
  }

  /** Looks through all folders again. */
  async rescan(): Promise<void> {
    await this.#locate();
    if (this.#closed.signal.aborted) return;
    this.#lookThrough(this.#roots);
    await this.#tell();
  }

  /** Ends when nothing is left to look through. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async close(): Promise<void> {
    clearInterval(this.#lookAgain);
    this.#closed.abort();
    for (const root of this.#roots) root.watch.close();
    await this.#working;
  }

  /** All folders in their order: what is in several of them is taken in from the first. */
  async #locate(): Promise<void> {
    const { database, ownFolders, machine } = this.#options;
    const own = ownFolders.map((path) => ({ path, origin: 'puna' as const }));
    // Nothing above them: a data folder that is gone must not seem to be back.
    for (const path of ownFolders) await mkdir(path).catch(() => undefined);
    const downloaded = await downloadedFolders(machine ?? thisMachine());
    // The database may be closed meanwhile, too.
    if (this.#closed.signal.aborted) return;
    const added = database
      .prepare<[], { id: number; path: string }>('SELECT id, path FROM library_folders ORDER BY id')
      .all();
    const wanted = [
      ...own,
      ...added.map(({ id, path }) => ({ path, origin: 'folder' as const, folderId: id })),
      ...downloaded.map(({ path, program }) => ({ path, origin: program })),
    ];
    const before = this.#roots;
    this.#roots = wanted.map((place) => {
      const known = before.find((root) => root.path === place.path && root.origin === place.origin);
      if (known) return known;
      const root: Root = new Root(place, {
        ...this.#options.pauses,
        onChange: () => this.#lookThrough([root]),
      });
      return root;
    });
    for (const root of before) if (!this.#roots.includes(root)) root.watch.close();
  }

  #lookThrough(roots: readonly Root[]): void {
    for (const root of roots) this.#due.add(root);
    if (this.#working || this.#due.size === 0 || this.#closed.signal.aborted) return;
    this.#working = this.#work()
      .catch((thrown: unknown) => {
        if (!this.#closed.signal.aborted) console.error(thrown);
      })
      .finally(() => {
        this.#working = null;
        if (this.#closed.signal.aborted) return;
        this.#lookThrough([]);
        void this.#tell().catch(console.error);
      });
  }

  async #work(): Promise<void> {
    for (;;) {
      const root = this.#roots.find((one) => this.#due.has(one));
      if (!root) return this.#due.clear();
      this.#due.delete(root);
      await this.#lookInto(root);
      await this.#options.library.refresh();
      await this.#tell();
    }
  }

  async #lookInto(root: Root): Promise<void> {
    const { signal } = this.#closed;
    const walked = await root.look({ signal, except: await this.#exceptFor(root) });
    if (!walked) return;
    const found = root.origin === 'puna' ? this.#withoutRuns(walked.found) : walked.found;
    if (root.program && !this.#options.showsDownloaded()) {
      const different = new Map(found.map((one) => [one.realPath, one.bytes]));
      root.models = different.size;
      root.bytes = different.values().reduce((sum, bytes) => sum + bytes, 0);
    } else {
      let toldAt = performance.now();
      const onTaken = () => {
        if (performance.now() - toldAt < tellEveryMs) return;
        toldAt = performance.now();
        this.#options.library.tell();
      };
      const place = { origin: root.origin, foundIn: root.path };
      Object.assign(root, await this.#takeIn.take(found, place, { signal, onTaken }));
    }
    root.state = 'there';
    if (walked.isCut) return;
    const there = new Set(found.map(({ path }) => path));
    this.#known.forgetForgotten((path) => isBelow(path, root.path) && !there.has(path));
  }

  /** Puna's own folders are not looked through again as part of others. */
  async #exceptFor(root: Root): Promise<string[]> {
    const others = this.#options.ownFolders.filter((path) => path !== root.path);
    return Promise.all(others.map((path) => realpath(path).catch(() => path)));
  }

  #withoutRuns(found: readonly Found[]): Found[] {
    const isOfRun = runFiles(this.#options.database);
    return found.filter(({ path }) => !isOfRun(path));
  }

  #isShown(foundIn: string): boolean {
    const { showsDownloaded } = this.#options;
    return this.#roots.some(({ path, program }) => path === foundIn && (!program || showsDownloaded()));
  }

  async #lookForChanges(): Promise<void> {
    const due = await Promise.all(this.#roots.map(async (root) => ((await root.isDue()) ? root : null)));
    this.#lookThrough(due.filter((root) => root !== null));
    if (!this.#working && !this.#closed.signal.aborted) {
      await this.#options.library.refresh();
      await this.#tell();
    }
  }

  async #tell(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const state = await this.state();
    const now = JSON.stringify(state);
    if (now === this.#told || this.#closed.signal.aborted) return;
    this.#told = now;
    this.#options.onChange(state);
  }
}

function thisMachine(): Machine {
  return { platform: process.platform, home: homedir(), env: process.env };
}
