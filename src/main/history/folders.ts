import type { Database } from 'better-sqlite3';
import type { Folder } from '../../shared/contract/index.ts';
import { notFound } from './not-found.ts';

export class Folders {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** By name. */
  list(): Folder[] {
    return this.#database
      .prepare<[], Folder>('SELECT id, name FROM folders ORDER BY name COLLATE NOCASE, id')
      .all();
  }

  create({ name }: { name: string }): Folder {
    const { lastInsertRowid } = this.#database.prepare('INSERT INTO folders (name) VALUES (?)').run(name);
    return { id: Number(lastInsertRowid), name };
  }

  /** Errors: `not-found`. */
  rename({ id, name }: Folder): Folder {
    const { changes } = this.#database.prepare('UPDATE folders SET name = ? WHERE id = ?').run(name, id);
    if (changes === 0) throw notFound('This folder');
    return { id, name };
  }

  /** Its conversations stay, without a folder. */
  remove(id: number): void {
    this.#database.prepare('DELETE FROM folders WHERE id = ?').run(id);
  }
}
