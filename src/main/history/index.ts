import type { Database } from 'better-sqlite3';
import type { SearchHit } from '../../shared/contract/index.ts';
import { fileError } from '../storage/index.ts';
import { Conversations } from './conversations.ts';
import { DeletedConversations } from './deleted-conversations.ts';
import { type ExampleOptions, type HistoryExample, historyExamples } from './examples.ts';
import { type ExportOptions, exportPieces } from './export.ts';
import { Folders } from './folders.ts';
import { importFile } from './import.ts';
import { Messages } from './messages.ts';
import { Presets } from './presets.ts';
import { SearchIndex } from './search-index.ts';
import { Search } from './search.ts';
import { StoredSettings } from './settings.ts';
import { steadyClock } from './steady-clock.ts';

export { databaseFile, historyVersion, openDatabase } from './database.ts';
export { firstPunaMs } from './steady-clock.ts';
export { databaseError } from '../storage/database-error.ts';
export type { ExampleOptions, HistoryExample } from './examples.ts';
export type { MessageChange } from './messages.ts';

/** Everything that Puna keeps of conversations, in one SQLite database. */
export class History {
  readonly conversations: Conversations;
  /** Those that can still be brought back. */
  readonly deleted: DeletedConversations;
  readonly folders: Folders;
  readonly presets: Presets;
  readonly settings: StoredSettings;
  readonly messages: Messages;
  readonly #database: Database;
  readonly #index: SearchIndex;
  readonly #search: Search;

  /** `now` in milliseconds since 1970. */
  constructor(database: Database, { now = Date.now }: { now?: () => number } = {}) {
    const clock = steadyClock(database, now);
    this.#database = database;
    this.#index = new SearchIndex(database);
    this.#search = new Search(database);
    this.settings = new StoredSettings(database);
    this.folders = new Folders(database);
    this.presets = new Presets(database);
    const parts = { index: this.#index, now: clock };
    this.conversations = new Conversations(database, { ...parts, settings: this.settings });
    this.deleted = new DeletedConversations(database, { conversations: this.conversations, now: clock });
    this.messages = new Messages(database, { ...parts, conversations: this.conversations });
  }

  /** Messages and titles with all words of the query, the last one as a prefix. */
  search(page: { query: string; cursor: string | null; limit: number }): {
    hits: SearchHit[];
    cursor: string | null;
  } {
    return this.#search.find(page);
  }

  /** One or all conversations as pieces of one text file. Errors: `not-found`. */
  exportHistory(options: ExportOptions): AsyncGenerator<string> {
    return exportPieces(this.#database, this.conversations, options);
  }

  /** What of it a model can learn from. */
  examples(options: ExampleOptions): AsyncGenerator<HistoryExample> {
    return historyExamples(this.#database, options);
  }

  /** Adds an exported JSON file, all or nothing, also when it is aborted; `name` is what errors call it. Errors: `invalid-input`, `file-missing`, `disk-full`. */
  async importHistory(
    file: string,
    options: { name?: string; signal?: AbortSignal } = {},
  ): Promise<{ conversations: number; messages: number }> {
    const parts = { database: this.#database, conversations: this.conversations, index: this.#index };
    try {
      return await importFile(parts, file, options);
    } catch (thrown) {
      throw fileError(thrown, options.name ?? file);
    }
  }
}
