import type { Database } from 'better-sqlite3';
import { type Download, downloadSchema } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { Unsaved } from '../storage/index.ts';
import { type Plan, planSchema } from './plan.ts';

/** A line of the table `downloads`. */
interface Row {
  id: number;
  repository: string;
  file: string | null;
  name: string;
  quantization: string | null;
  state: Download['state'];
  bytes: number;
  done_bytes: number;
  path: string;
  model_id: number | null;
  error: string | null;
  created_at: number;
}

type NewDownload = Pick<
  Download,
  'repository' | 'file' | 'name' | 'quantization' | 'bytes' | 'path' | 'createdAt'
>;

/** Downloads in the database: what is left of them when the program ends. */
export class StoredDownloads {
  readonly #database: Database;
  readonly #unsaved = new Unsaved<Download>((download) => this.#write(download));

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  list(): Download[] {
    return this.#select('');
  }

  /** Errors: `not-found`. */
  get(id: number): Download {
    const [download] = this.#select('WHERE id = ?', id);
    if (download) return download;
    throw new PunaError('not-found', 'This download is no longer on the list.', 'Start it anew.');
  }

  /** The one of this file of a repository. */
  find({ repository, file }: Pick<Download, 'repository' | 'file'>): Download | undefined {
    return this.#select('WHERE repository = ? AND file IS ?', repository, file)[0];
  }

  /** Adds one that waits. */
  add(download: NewDownload, plan: Plan): Download {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO downloads (repository, file, name, quantization, state, bytes, done_bytes, path, plan, created_at)
         VALUES (@repository, @file, @name, @quantization, 'waiting', @bytes, 0, @path, @plan, @createdAt)`,
      )
      .run({ ...download, plan: JSON.stringify(plan) });
    return this.get(Number(lastInsertRowid));
  }

  plan(id: number): Plan {
    const text = this.#database
      .prepare<[number], string>('SELECT plan FROM downloads WHERE id = ?')
      .pluck()
      .get(id);
    return planSchema.parse(JSON.parse(text ?? 'null'));
  }

  setPlan(id: number, plan: Plan): void {
    this.#database.prepare('UPDATE downloads SET plan = ? WHERE id = ?').run(JSON.stringify(plan), id);
  }

  /** Saves all that changes while a download lives, or counts as having done so until the database takes it. */
  keep(download: Download): void {
    this.#unsaved.keep(download);
  }

  #write({ id, state, bytes, doneBytes, path, modelId, error }: Download): void {
    this.#database
      .prepare(
        `UPDATE downloads SET state = @state, bytes = @bytes, done_bytes = @doneBytes, path = @path,
           model_id = @modelId, error = @error WHERE id = @id`,
      )
      .run({ id, state, bytes, doneBytes, path, modelId, error: error && JSON.stringify(error) });
  }

  remove(id: number): void {
    this.#database.prepare('DELETE FROM downloads WHERE id = ?').run(id);
    this.#unsaved.forget(id);
  }

  #select(condition: string, ...values: (string | number | null)[]): Download[] {
    this.#unsaved.retry();
    return this.#database
      .prepare<(string | number | null)[], Row>(`SELECT * FROM downloads ${condition} ORDER BY id DESC`)
      .all(...values)
      .map((row) => this.#unsaved.get(row.id) ?? toDownload(row));
  }
}

function toDownload(row: Row): Download {
  return {
    ...{ id: row.id, repository: row.repository, file: row.file, name: row.name, state: row.state },
    ...{ quantization: row.quantization, bytes: row.bytes, doneBytes: row.done_bytes, path: row.path },
    ...{ bytesPerSecond: null, secondsLeft: null, modelId: row.model_id, createdAt: row.created_at },
    // Whatever waits goes on when the program starts.
    retryAt: null,
    error: downloadSchema.shape.error.parse(row.error === null ? null : JSON.parse(row.error)),
  };
}
