import type { Database } from 'better-sqlite3';
import { defaultHubSettings, type HubSettings, hubSettingsSchema } from '../../shared/contract/index.ts';

/** A row of its own in the table `settings`, where the program's other settings leave it alone. */
const key = 'hub';

export class StoredHubSettings {
  readonly #database: Database;

  /** `database`: with the table `settings`. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** What cannot be read counts as never set. */
  get(): HubSettings {
    const text = this.#database
      .prepare<[string], string>('SELECT value FROM settings WHERE key = ?')
      .pluck()
      .get(key);
    const parsed = hubSettingsSchema.safeParse(text === undefined ? undefined : parseJson(text));
    return parsed.success ? parsed.data : defaultHubSettings;
  }

  set(settings: HubSettings): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)')
      .run(key, JSON.stringify(settings));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
