import type { Database } from 'better-sqlite3';
import { type TrainingPreset, trainingSettingsSchema } from '../../shared/contract/index.ts';
import { defaultTrainingSettings } from '../../shared/contract/default-training.ts';

interface Row {
  id: number;
  name: string;
  settings: string;
}

/** Settings for training that a person has given a name. */
export class TrainingPresets {
  readonly #database: Database;
  readonly #onChange: (presets: TrainingPreset[]) => void;

  /** `onChange` is told all presets after each change. */
  constructor(database: Database, onChange: (presets: TrainingPreset[]) => void) {
    this.#database = database;
    this.#onChange = onChange;
  }

  /** By name. */
  list(): TrainingPreset[] {
    return this.#database
      .prepare<[], Row>('SELECT * FROM training_presets ORDER BY name COLLATE NOCASE, id')
      .all()
      .map(toPreset);
  }

  /** Keeps settings under a name; those that had it before are replaced. */
  save({ name, settings }: Omit<TrainingPreset, 'id'>): TrainingPreset {
    const id = this.#database
      .prepare<[string, string], number>(
        `INSERT INTO training_presets (name, settings) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET settings = excluded.settings RETURNING id`,
      )
      .pluck()
      .get(name, JSON.stringify(settings));
    this.#onChange(this.list());
    return { id: Number(id), name, settings };
  }

  /** One that is gone already is left as it is. */
  remove(id: number): void {
    this.#database.prepare('DELETE FROM training_presets WHERE id = ?').run(id);
    this.#onChange(this.list());
  }
}

function toPreset({ id, name, settings }: Row): TrainingPreset {
  // A setting that is younger than the preset is as it usually is.
  const given: unknown = JSON.parse(settings);
  return {
    id,
    name,
    settings: trainingSettingsSchema.parse(Object.assign({}, defaultTrainingSettings, given)),
  };
}
