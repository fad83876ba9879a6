import type { Database, Statement } from 'better-sqlite3';
import { segment } from './segment.ts';

/** Keeps the full-text index in step with messages and titles. */
export class SearchIndex {
  readonly #putMessage: Statement<[number, string]>;
  readonly #removeMessage: Statement<[number]>;
  readonly #putTitle: Statement<[number, string]>;
  readonly #removeTitle: Statement<[number]>;

  constructor(database: Database) {
    this.#putMessage = database.prepare('INSERT OR REPLACE INTO message_index (rowid, words) VALUES (?, ?)');
    this.#removeMessage = database.prepare('DELETE FROM message_index WHERE rowid = ?');
    this.#putTitle = database.prepare('INSERT OR REPLACE INTO title_index (rowid, words) VALUES (?, ?)');
    this.#removeTitle = database.prepare('DELETE FROM title_index WHERE rowid = ?');
  }

  /** Replaces what was known of the message. */
  putMessage(id: number, text: string): void {
    this.#putMessage.run(id, segment(text));
  }

  removeMessage(id: number): void {
    this.#removeMessage.run(id);
  }

  putTitle(conversationId: number, title: string): void {
    this.#putTitle.run(conversationId, segment(title));
  }

  removeTitle(conversationId: number): void {
    this.#removeTitle.run(conversationId);
  }
}
