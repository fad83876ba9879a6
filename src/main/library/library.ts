import type { Database } from 'better-sqlite3';
import { access, constants, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  automaticLoadSettings,
  type LoadSettings,
  type Model,
  type ModelDetails,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { metadataString, quoted, showMetadata } from '../weights/formats/gguf.ts';
import { type ModelFile, readModelFile, splitEnding } from '../weights/model-file.ts';
import { checkArchitecture } from './architectures.ts';
import { expandHome } from './browse.ts';
import { type ModelRow, toModel } from './model-row.ts';
import { moveIntoFolder } from './models-folder.ts';

export interface LibraryOptions {
  /** With the table `models`. */
  database: Database;
  /** Where uploaded files go; made when the first one comes. */
  modelsFolder: string;
  /** ms since 1970 */
  now?: () => number;
  /** Told all models after each change. */
  onChange: (models: Model[]) => void;
}

/** A file of this machine, or one whose bytes were uploaded, which then belongs to the library. */
export type ModelToAdd = { path: string } | { uploadPath: string; name: string };

/** The models and adapters that a person can choose from: lines in the database that point to files. */
export class Library {
  readonly #database: Database;
  readonly #modelsFolder: string;
  readonly #now: () => number;
  readonly #onChange: (models: Model[]) => void;
  /** How many there were, so that what was found out about an earlier one is not told after a later one. */
  #changes = 0;

  constructor({ database, modelsFolder, now = Date.now, onChange }: LibraryOptions) {
    this.#database = database;
    this.#modelsFolder = modelsFolder;
    this.#now = now;
    this.#onChange = onChange;
  }

  /** All of them by name, each with whether its file is there now. */
  list(): Promise<Model[]> {
    const rows = this.#database
      .prepare<[], ModelRow>('SELECT * FROM models ORDER BY name COLLATE NOCASE, id')
      .all();
    return Promise.all(rows.map(withPresence));
  }

  /** Errors: `not-found`. */
  get(id: number): Promise<Model> {
    const row = this.#database.prepare<[number], ModelRow>('SELECT * FROM models WHERE id = ?').get(id);
    return row ? withPresence(row) : Promise.reject(unknownModel());
  }

  /**
   * Adds a file after reading what it is. A path that is there already is read again and keeps its id, name and settings.
   * Errors: those of `readModelFile`, `unsupported-model`, `disk-full`. A file that was uploaded and cannot be added is
   * removed.
   */
  async add(toAdd: ModelToAdd): Promise<Model> {
    if ('path' in toAdd) {
      const path = expandHome(toAdd.path);
      return this.#insert(path, await readUsable(path, { name: path, alone: false }));
    }
    const { uploadPath, name } = toAdd;
    try {
      const file = await readUsable(uploadPath, { name, alone: true });
      const path = await moveIntoFolder(uploadPath, this.#modelsFolder, name);
      return await this.#insert(path, file).catch(async (thrown: unknown) => {
        await rm(path, { force: true });
        throw thrown;
      });
    } finally {
      await rm(uploadPath, { force: true });
    }
  }

  /** Forgets it; the file stays where it is. Errors: `not-found`. */
  remove(id: number): void {
    const { changes } = this.#database.prepare('DELETE FROM models WHERE id = ?').run(id);
    if (changes === 0) throw unknownModel();
    this.#tell();
  }

  /** Errors: `not-found`. */
  rename(id: number, name: string): Promise<Model> {
    return this.#set(id, 'name', name);
  }

  /** Sets how it is loaded from now on. Errors: `not-found`. */
  configure(id: number, loadSettings: LoadSettings): Promise<Model> {
    return this.#set(id, 'load_settings', JSON.stringify(loadSettings));
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

  async #insert(path: string, file: ModelFile): Promise<Model> {
    const columns = {
      ...{ kind: file.kind, path, bytes: file.bytes, architecture: file.architecture },
      ...{ parameters: file.parameters, quantization: file.quantization, context_length: file.contextLength },
      name: basename(path)
        .replace(splitEnding, '')
        .replace(/\.gguf$/i, ''),
      has_chat_template: file.hasChatTemplate ? 1 : 0,
      load_settings: JSON.stringify(automaticLoadSettings),
      added_at: this.#now(),
    };
    const id = this.#database
      .prepare<[typeof columns], number>(
        `INSERT INTO models (kind, name, path, bytes, architecture, parameters, quantization, context_length,
           has_chat_template, load_settings, added_at)
         VALUES (@kind, @name, @path, @bytes, @architecture, @parameters, @quantization, @context_length,
           @has_chat_template, @load_settings, @added_at)
         ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, bytes = excluded.bytes,
           architecture = excluded.architecture, parameters = excluded.parameters,
           quantization = excluded.quantization, context_length = excluded.context_length,
           has_chat_template = excluded.has_chat_template
         RETURNING id`,
      )
      .pluck()
      .get(columns);
    this.#tell();
    return this.get(Number(id));
  }

  #set(id: number, column: 'name' | 'load_settings', value: string): Promise<Model> {
    this.#database.prepare(`UPDATE models SET ${column} = ? WHERE id = ?`).run(value, id);
    this.#tell();
    return this.get(id);
  }

  /** Tells the models as they are now; whether their files are there takes a moment to find out. */
  #tell(): void {
    const change = ++this.#changes;
    void this.list().then((models) => {
      if (change === this.#changes) this.#onChange(models);
    });
  }
}

async function withPresence(row: ModelRow): Promise<Model> {
  const missing = await access(row.path, constants.R_OK).then(
    () => false,
    () => true,
  );
  return toModel(row, { missing });
}

/** Reads a file and makes sure that llama.cpp can use it. */
async function readUsable(
  path: string,
  { name, alone }: { name: string; alone: boolean },
): Promise<ModelFile> {
  const file = await readModelFile(path, { name, alone });
  checkArchitecture(file.architecture, name);
  if (file.parameters === null) {
    throw new PunaError(
      'unsupported-model',
      `${name} has no weights.`,
      'Choose the file of a whole model; this one may hold just its vocabulary.',
    );
  }
  const adapterType = metadataString(file.metadata, 'adapter.type');
  if (file.kind === 'adapter' && adapterType !== 'lora') {
    throw new PunaError(
      'unsupported-model',
      `${name} is an adapter of the type ${quoted(adapterType ?? '')}, and only LoRA adapters can be used.`,
      'Choose a LoRA adapter.',
    );
  }
  return file;
}

function unknownModel(): PunaError {
  return new PunaError('not-found', 'This model is no longer in the library.', 'Choose another one.');
}
