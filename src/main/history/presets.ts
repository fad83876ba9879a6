import type { Database } from 'better-sqlite3';
import { type Preset, samplingSchema } from '../../shared/contract/index.ts';
import { notFound } from './not-found.ts';

interface Row {
  id: number;
  name: string;
  system_prompt: string;
  sampling: string;
}

export class Presets {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** By name. */
  list(): Preset[] {
    const rows = this.#database
      .prepare<[], Row>('SELECT * FROM presets ORDER BY name COLLATE NOCASE, id')
      .all();
    return rows.map(({ id, name, system_prompt: systemPrompt, sampling }) => ({
      ...{ id, name, systemPrompt },
      sampling: samplingSchema.parse(JSON.parse(sampling)),
    }));
  }

  create(preset: Omit<Preset, 'id'>): Preset {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO presets (name, system_prompt, sampling) VALUES (?, ?, ?)')
      .run(preset.name, preset.systemPrompt, JSON.stringify(preset.sampling));
    return { ...preset, id: Number(lastInsertRowid) };
  }

  /** Errors: `not-found`. */
  update(preset: Preset): Preset {
    const { changes } = this.#database
      .prepare('UPDATE presets SET name = ?, system_prompt = ?, sampling = ? WHERE id = ?')
      .run(preset.name, preset.systemPrompt, JSON.stringify(preset.sampling), preset.id);
    if (changes === 0) throw notFound('This preset');
    return preset;
  }

  remove(id: number): void {
    this.#database.prepare('DELETE FROM presets WHERE id = ?').run(id);
  }
}
