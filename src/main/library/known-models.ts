import type { Database } from 'better-sqlite3';
import type { ModelOrigin } from '../../shared/contract/index.ts';
import type { ModelRow } from './model-row.ts';
import { runsFollow } from './run-files.ts';
import type { Found } from './walk.ts';

/** Where something was found. */
export interface Place {
  origin: ModelOrigin;
  /** The folder that was looked through. */
  foundIn: string;
}

/** What the library knows of files that scans find. */
export class KnownModels {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  byPath(path: string): ModelRow | undefined {
    return this.#database.prepare<[string], ModelRow>('SELECT * FROM models WHERE path = ?').get(path);
  }

  /** Those whose links lead to the same file. */
  byRealPath(realPath: string): ModelRow[] {
    return this.#database
      .prepare<[string], ModelRow>('SELECT * FROM models WHERE real_path = ?')
      .all(realPath);
  }

  /** Those that had this size when they were changed last, at the same moment. */
  byChange({ bytes, modifiedAt, kind }: Found): ModelRow[] {
    return this.#database
      .prepare<[number, number], ModelRow>('SELECT * FROM models WHERE modified_at = ? AND file_bytes = ?')
      .all(modifiedAt, bytes)
      .filter((row) => (row.kind === 'weights') === (kind === 'weights'));
  }

  /** A person has taken it off the list. */
  isForgotten(path: string): boolean {
    return (
      this.#database.prepare('SELECT 1 FROM forgotten_models WHERE path = ?').pluck().get(path) !== undefined
    );
  }

  /** What was taken off the list and has gone since is new when it comes again. `isGone` says so of a path. */
  forgetForgotten(isGone: (path: string) => boolean): void {
    const paths = this.#database.prepare<[], string>('SELECT path FROM forgotten_models').pluck().all();
    const remove = this.#database.prepare('DELETE FROM forgotten_models WHERE path = ?');
    for (const path of paths) if (isGone(path)) remove.run(path);
  }

  /** The same file in another place: conversations, training runs, tags and name stay with it. What a person has added stays added. */
  move({ id, found_in, path: from }: ModelRow, { path, realPath }: Found, { origin, foundIn }: Place): void {
    this.#database
      .prepare('UPDATE models SET path = ?, real_path = ?, origin = ?, found_in = ? WHERE id = ?')
      .run(path, realPath, origin, found_in === null ? null : foundIn, id);
    runsFollow(this.#database, { from, to: path });
  }

  /** Keeps what a file's publisher says of its content. */
  expect(path: string, sha256: string): void {
    this.#database
      .prepare(
        `INSERT INTO file_hashes (path, expected) VALUES (?, ?)
         ON CONFLICT (path) DO UPDATE SET expected = excluded.expected`,
      )
      .run(path, sha256.toLowerCase());
  }
}
