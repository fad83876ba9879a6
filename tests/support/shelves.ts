import type Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openDatabase } from '../../src/main/history/index.ts';
import { launchChildProcess } from '../../src/main/engine/index.ts';
import { Library, LibraryFolders, ReadingEngine, Verifier } from '../../src/main/library/index.ts';
import type { LibraryState, Model, Verified } from '../../src/shared/contract/index.ts';
import { buildTinyModel } from './models.ts';

/** A library with its folders, in a folder where the person's home is `home` and Puna's data is `data`. */
export class Shelves {
  readonly folder: string;
  readonly home: string;
  readonly own: { models: string; adapters: string };
  readonly database: Database.Database;
  readonly library: Library;
  readonly folders: LibraryFolders;
  readonly verifier: Verifier;
  /** What was told of the models and of the folders, oldest first. */
  readonly told: Model[][] = [];
  readonly states: LibraryState[] = [];
  /** Files that scans have had read. */
  readonly read: string[] = [];
  showsDownloaded = false;
  readonly #reader: ReadingEngine;

  constructor(folder: string, { env = {} }: { env?: Record<string, string> } = {}) {
    this.folder = folder;
    this.home = join(folder, 'home');
    this.own = { models: join(folder, 'data', 'models'), adapters: join(folder, 'data', 'adapters') };
    const database = openDatabase(join(folder, 'data', 'puna.db'));
    this.database = database;
    this.library = new Library({
      database,
      modelsFolder: this.own.models,
      ownFolders: [this.own.models, this.own.adapters],
      onChange: (models) => this.told.push(models),
    });
    this.#reader = new ReadingEngine(launchChildProcess);
    this.folders = new LibraryFolders({
      ...{ database, library: this.library },
      reader: {
        facts: (path, signal) => {
          this.read.push(path);
          return this.#reader.facts(path, signal);
        },
        recognise: (path, signal) => this.#reader.recognise(path, signal),
      },
      ownFolders: [this.own.models, this.own.adapters],
      showsDownloaded: () => this.showsDownloaded,
      onChange: (state) => this.states.push(state),
      machine: { platform: 'linux', home: this.home, env },
      pauses: { quietMs: 50, lookAgainMs: 200 },
    });
    this.verifier = new Verifier({ database, library: this.library, hasher: this.#reader });
  }

  /** Looks through everything, and gives what is in the library then. */
  async look(): Promise<Model[]> {
    await this.folders.rescan();
    await this.folders.settled();
    return this.library.list();
  }

  /** As the switch in the window does. */
  async show(downloaded: boolean): Promise<Model[]> {
    this.showsDownloaded = downloaded;
    this.database
      .prepare(`INSERT OR REPLACE INTO settings (key, value) VALUES ('showDownloaded', ?)`)
      .run(String(downloaded));
    return this.look();
  }

  /** What comes of a check. */
  async verify(id: number): Promise<Verified | null> {
    let found: Verified | null = null;
    for await (const { verified } of this.verifier.verify(id)) found = verified;
    return found;
  }

  async close(): Promise<void> {
    await this.folders.close();
    await this.#reader.close();
    await this.library.list();
    this.database.close();
  }
}

/** A tiny model in a place of which the folders need not be there. */
export async function modelAt(path: string, seed = 1): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  return buildTinyModel(path, { seed });
}

/** A file of Hugging Face's cache: its content in `blobs`, and a link to it in a snapshot. Gives the link. */
export async function cached(
  cache: string,
  { repository, commit, file, from }: { repository: string; commit: string; file: string; from: string },
): Promise<string> {
  const folder = join(cache, `models--${repository.replace('/', '--')}`);
  const sha256 = await sha256Of(from);
  const link = join(folder, 'snapshots', commit, file);
  await mkdir(join(folder, 'blobs'), { recursive: true });
  await mkdir(dirname(link), { recursive: true });
  await rename(from, join(folder, 'blobs', sha256));
  await symlink(
    join(
      '..',
      '..',
      ...file
        .split('/')
        .map(() => '..')
        .slice(1),
      'blobs',
      sha256,
    ),
    link,
  );
  await mkdir(join(folder, 'refs'), { recursive: true });
  await writeFile(join(folder, 'refs', 'main'), commit);
  return link;
}

/** A model of Ollama: a manifest that names the blob. Gives the blob's path. */
export async function pulled(
  models: string,
  { name, from }: { name: [host: string, namespace: string, model: string, tag: string]; from: string },
): Promise<string> {
  const sha256 = await sha256Of(from);
  const blob = join(models, 'blobs', `sha256-${sha256}`);
  const manifest = join(models, 'manifests', ...name);
  await mkdir(dirname(blob), { recursive: true });
  await mkdir(dirname(manifest), { recursive: true });
  await rename(from, blob);
  const layer = (kind: string, hash: string) => ({
    mediaType: `application/vnd.ollama.image.${kind}`,
    digest: `sha256:${hash}`,
    size: 1,
  });
  await writeFile(
    manifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: layer('config', '0'.repeat(64)),
      layers: [layer('model', sha256), layer('license', '1'.repeat(64))],
    }),
  );
  return blob;
}

export async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
