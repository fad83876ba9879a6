import type { Database } from 'better-sqlite3';
import { defaultSettings, type Settings, settingsSchema } from '../../shared/contract/index.ts';

/** The program's settings, one row each, so that one that cannot be read costs only itself. */
export class StoredSettings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(): Settings {
    const rows = this.#database
      .prepare<[], { key: string; value: string }>('SELECT key, value FROM settings')
      .all();
    return rows.reduce<Settings>((settings, { key, value }) => {
      const parsed = settingsSchema.safeParse({ ...settings, [key]: parseJson(value) });
      return parsed.success ? parsed.data : settings;
    }, defaultSettings);
  }

  update(patch: Partial<{ [Key in keyof Settings]: Settings[Key] | undefined }>): Settings {
    const put = this.#database.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)');
    this.#database.transaction(() => {
      for (const [key, value] of Object.entries(patch))
        if (value !== undefined) put.run(key, JSON.stringify(value));
    })();
    return this.get();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
