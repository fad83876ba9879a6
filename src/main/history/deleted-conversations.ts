import type { Database } from 'better-sqlite3';
import type { Conversations } from './conversations.ts';

/** What a person has deleted and can still bring back. `deleted_at` of what is being removed for good, and of imports that are not done, is 0. */
export class DeletedConversations {
  readonly #database: Database;
  readonly #conversations: Conversations;
  readonly #now: () => number;

  constructor(database: Database, parts: { conversations: Conversations; now: () => number }) {
    this.#database = database;
    this.#conversations = parts.conversations;
    this.#now = parts.now;
  }

  get count(): number {
    const sql = 'SELECT count(*) FROM conversations WHERE deleted_at > 0';
    return this.#database.prepare<[], number>(sql).pluck().get() ?? 0;
  }

  /** Those that are not deleted, archived ones too. */
  get others(): number[] {
    return this.#database
      .prepare<[], number>('SELECT id FROM conversations WHERE deleted_at IS NULL')
      .pluck()
      .all();
  }

  /** Deletes all conversations; `removedAt` brings back just these. */
  addAll(): { count: number; removedAt: number } {
    const removedAt = this.#now();
    const sql = 'UPDATE conversations SET deleted_at = ? WHERE deleted_at IS NULL';
    return { count: this.#database.prepare(sql).run(removedAt).changes, removedAt };
  }

  /** Brings back what was deleted at that time; null: all. Gives their number. */
  restore(removedAt: number | null): number {
    const sql =
      'UPDATE conversations SET deleted_at = NULL WHERE deleted_at > 0 AND (? IS NULL OR deleted_at = ?)';
    return this.#database.prepare(sql).run(removedAt, removedAt).changes;
  }

  /** Removes them for good, in slices; what the end of the process leaves goes at the next start. Gives their number. */
  async purge(): Promise<number> {
    const ids = this.#database.transaction(() => {
      const found = this.#database
        .prepare<[], number>('SELECT id FROM conversations WHERE deleted_at > 0')
        .pluck()
        .all();
      // From here on nothing brings them back.
      this.#database.exec('UPDATE conversations SET deleted_at = 0 WHERE deleted_at > 0');
      return found;
    })();
    for (const id of ids) await this.#conversations.destroy(id);
    return ids.length;
  }
}
