import type { Database } from 'better-sqlite3';
import { access, constants, realpath, rm, stat } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';
import type { LoadSettings, Model, ModelDetails, Verified } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { showMetadata } from '../weights/formats/gguf.ts';
import { readModelFacts } from '../weights/model-facts.ts';
import { readModelFile } from '../weights/model-file.ts';
import { brokenOf, forgetBroken, keepBroken } from './broken.ts';
import { expandHome } from './browse.ts';
import { KnownModels } from './known-models.ts';
import { type ModelRow, type ModelRowWithServer, modelsWithServers, toModel } from './model-row.ts';
import { moveIntoFolder } from './models-folder.ts';
import { dismissStarter } from './place-starter.ts';
import { putModel } from './put-model.ts';
import { usable, type UsableFacts } from './usable.ts';

export interface LibraryOptions {
  /** With the table `models`. */
  database: Database;
  /** Where uploaded files go; made when the first one comes. */
  modelsFolder: string;
  /** All of Puna's own, if there are more. */
  ownFolders?: readonly string[];
  /** ms since 1970 */
  now?: () => number;
  /** Told all models after each change. */
  onChange: (models: Model[]) => void;
}

/**
 * A file of this machine, or one whose bytes were uploaded, which then belongs to the library. `sha256`: what its publisher says, in
 * hexadecimal digits, to check it against later.
 */
export type ModelToAdd = { path: string; sha256?: string } | { uploadPath: string; name: string };

/** What is in the library: not what was found in a folder that was taken off it, nor downloads of other programs unless they are wanted. */
const isShown = `(found_in IS NULL OR origin = 'puna'
  OR found_in IN (SELECT path FROM library_folders)
  OR (origin NOT IN ('puna', 'folder', 'file')
    AND (SELECT value FROM settings WHERE key = 'showDownloaded') = 'true'))`;

/** The models and adapters that a person can choose from: lines in the database that point to files. */
export class Library {
  readonly #database: Database;
  readonly #modelsFolder: string;
  readonly #ownFolders: readonly string[];
  readonly #now: () => number;
  readonly #onChange: (models: Model[]) => void;
  /** How many there were, so that what was found out about an earlier one is not told after a later one. */
  #changes = 0;
  /** As JSON. */
  #told = '';

  constructor({ database, modelsFolder, ownFolders, now = Date.now, onChange }: LibraryOptions) {
    this.#database = database;
    this.#modelsFolder = modelsFolder;
    this.#ownFolders = ownFolders ?? [modelsFolder];
    this.#now = now;
    this.#onChange = onChange;
  }

  /** All models and adapters of this machine by name, each with whether its file is there now. */
  list(): Promise<Model[]> {
    return this.#select(`kind NOT IN ('weights', 'remote')`);
  }

  /** The same, and with them the models that answer from servers: what a conversation can have. */
  listAll(): Promise<Model[]> {
    return this.#select(`kind <> 'weights'`);
  }

  /** All Hugging Face folders by name, each with whether it is there now. */
  weights(): Promise<Model[]> {
    return this.#select(`kind = 'weights'`);
  }

  /** A model or an adapter of this machine. Errors: `not-found`, `invalid-input` (it answers from a server). */
  async get(id: number): Promise<Model> {
    const model = await this.item(id);
    if (model.kind === 'weights') throw unknownModel();
    return model;
  }

  /** The same, of Hugging Face folders too. Errors: as those of `get`. */
  async item(id: number): Promise<Model> {
    const model = await this.anything(id);
    if (!model.server) return model;
    throw new PunaError(
      'invalid-input',
      `${model.name} answers from the server ${model.server.name}; it does not lie on this machine.`,
      'Choose a model of this machine.',
    );
  }

  /** The same, of servers too. Errors: `not-found`. */
  async anything(id: number): Promise<Model> {
    const row = this.#database
      .prepare<[number], ModelRowWithServer>(`${modelsWithServers} WHERE models.id = ?`)
      .get(id);
    if (!row) throw unknownModel();
    return withPresence(row);
  }

  /** Errors: `invalid-input` (it answers from a server, and conversations go there only where a person has given them this model). */
  async refuseAsDefault(id: number): Promise<void> {
    const model = await this.anything(id).catch(() => null);
    if (!model?.server) return;
    throw new PunaError(
      'invalid-input',
      `${model.name} answers from the server ${model.server.name}, and nothing goes there by default.`,
      'Choose it in each conversation that it is to answer.',
    );
  }

  /**
   * Adds a file after reading what it is. A path that is there already is read again and keeps its id, name and settings.
   * Errors: those of `readModelFile`, `unsupported-model`, `disk-full`. A file that was uploaded and cannot be added is
   * removed.
   */
  async add(toAdd: ModelToAdd): Promise<Model> {
    if ('path' in toAdd) {
      const path = expandHome(toAdd.path);
      const facts = await readUsable(path, { name: path, alone: false });
      if (toAdd.sha256 !== undefined) new KnownModels(this.#database).expect(path, toAdd.sha256);
      return this.#insert(path, facts);
    }
    const { uploadPath, name } = toAdd;
    try {
      const facts = await readUsable(uploadPath, { name, alone: true });
      const path = await moveIntoFolder(uploadPath, this.#modelsFolder, name);
      return await this.#insert(path, facts).catch(async (thrown: unknown) => {
        await rm(path, { force: true });
        throw thrown;
      });
    } finally {
      await rm(uploadPath, { force: true });
    }
  }

  /** Forgets it; the file stays where it is, and scans leave it out from then on. Errors: `not-found`. */
  remove(id: number): void {
    const gone = this.#database
      .prepare<[number], Pick<ModelRow, 'path' | 'kind' | 'origin'>>(
        'DELETE FROM models WHERE id = ? RETURNING path, kind, origin',
      )
      .get(id);
    if (!gone) throw unknownModel();
    if (gone.origin === 'starter') dismissStarter(this.#database);
    // What a server has is not scanned for.
    else if (gone.kind !== 'remote') {
      this.#database.prepare('INSERT OR IGNORE INTO forgotten_models (path) VALUES (?)').run(gone.path);
    }
    this.tell();
  }

  /** Errors: `not-found`. */
  rename(id: number, name: string): Promise<Model> {
    return this.#set(id, 'name', name);
  }

  /** Sets how it is loaded from now on. Errors: `not-found`. */
  configure(id: number, loadSettings: LoadSettings): Promise<Model> {
    return this.#set(id, 'load_settings', JSON.stringify(loadSettings));
  }

  /** Gives it these tags instead of those that it has. Errors: `not-found`. */
  tag(id: number, tags: readonly string[]): Promise<Model> {
    const different = [...new Set(tags.map((tag) => tag.normalize('NFC')))];
    return this.#set(id, 'tags', JSON.stringify(different));
  }

  /** Keeps what came of a check of its files. Errors: `not-found`. */
  setVerified(id: number, verified: Verified): Promise<Model> {
    return this.#set(id, 'verified', JSON.stringify(verified));
  }

  /** Keeps what came of loading a model: why that failed, if that is the fault of its file; null: it is loaded. */
  async keepLoaded({ path }: Model, error: PunaError | null): Promise<void> {
    const file = error && (await stat(path).catch(() => null));
    const isNew = error
      ? file !== null &&
        keepBroken(this.#database, { path, bytes: file.size, modifiedAt: file.mtimeMs }, error)
      : forgetBroken(this.#database, path);
    if (isNew) this.tell();
  }

  /** Everything that the file says of itself, read anew. Errors: `not-found`, and those of `readModelFile`. */
  async details(id: number): Promise<ModelDetails> {
    const { path } = await this.get(id);
    const { ggufVersion, metadata, tensors } = await readModelFile(path);
    return {
      ggufVersion,
      metadata: showMetadata(metadata),
      tensors: tensors.map(({ name, type, shape }) => ({ name, type: type.name, shape: [...shape] })),
    };
  }

  /** Tells the models as they are now; whether their files are there takes a moment to find out. */
  tell(): void {
    const change = ++this.#changes;
    void this.listAll().then((models) => {
      if (change !== this.#changes) return;
      this.#told = JSON.stringify(models);
      this.#onChange(models);
    });
  }

  /** Tells the models if they are not as they were told last: a file may have gone or come back. */
  async refresh(): Promise<void> {
    const change = this.#changes;
    const models = await this.listAll();
    const now = JSON.stringify(models);
    if (change !== this.#changes || now === this.#told) return;
    this.#told = now;
    this.#onChange(models);
  }

  async #select(condition: string): Promise<Model[]> {
    const rows = this.#database
      .prepare<[], ModelRowWithServer>(
        `${modelsWithServers} WHERE ${condition} AND ${isShown} ORDER BY models.name COLLATE NOCASE, models.id`,
      )
      .all();
    return Promise.all(rows.map(withPresence));
  }

  async #insert(path: string, { kind, files: [first], ...facts }: UsableFacts): Promise<Model> {
    const realPath = await realpath(path);
    const id = putModel(this.#database, {
      ...{ ...facts, path, realPath, kind: kind === 'adapter' ? 'adapter' : 'model' },
      ...{ fileBytes: first?.bytes ?? 0, modifiedAt: first?.modifiedAt ?? 0, foundIn: null },
      origin: this.#ownFolders.some((folder) => isBelow(path, folder)) ? 'puna' : 'file',
      addedAt: this.#now(),
    });
    this.#database.prepare('DELETE FROM forgotten_models WHERE path = ?').run(path);
    this.tell();
    return this.get(id);
  }

  #set(id: number, column: 'name' | 'load_settings' | 'tags' | 'verified', value: string): Promise<Model> {
    this.#database.prepare(`UPDATE models SET ${column} = ? WHERE id = ?`).run(value, id);
    this.tell();
    return this.anything(id);
  }
}

/** Whether a path lies in a folder, or in one of its folders. */
export function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function withPresence(row: ModelRowWithServer): Promise<Model> {
  if (row.kind === 'remote') return toModel(row, { missing: false, broken: null });
  const missing = await access(row.path, constants.R_OK).then(
    () => false,
    () => true,
  );
  return toModel(row, { missing, broken: await brokenOf(row.path, row.broken) });
}

/** Reads a file and makes sure that llama.cpp can use it. */
async function readUsable(path: string, options: { name: string; alone: boolean }): Promise<UsableFacts> {
  return usable(await readModelFacts(path, options), options.name);
}

function unknownModel(): PunaError {
  return new PunaError('not-found', 'This model is no longer in the library.', 'Choose another one.');
}
