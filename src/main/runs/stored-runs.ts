import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import {
  defaultTrainingSettings,
  lossPointSchema,
  stepReportSchema,
  type TrainingRun,
  trainingPlanSchema,
  trainingRunSchema,
  trainingSettingsSchema,
  type TrainingState,
  validationPointSchema,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { checkpointPath } from '../training/messages.ts';

/** A line of the table `training_runs`. Lists and records are JSON. */
interface Row {
  id: number;
  name: string;
  state: TrainingState;
  model_id: number | null;
  model_name: string;
  model_path: string;
  data: string;
  settings: string;
  plan: string | null;
  step: string | null;
  losses: string;
  validations: string;
  notes: string;
  error: string | null;
  adapter_path: string;
  adapter_id: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export type NewRun = Pick<
  TrainingRun,
  'name' | 'modelId' | 'modelName' | 'modelPath' | 'data' | 'settings' | 'adapterPath' | 'createdAt'
>;

/** Training runs in the database: what is left of them when the program ends. */
export class StoredRuns {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  list(): TrainingRun[] {
    return this.#database
      .prepare<[], Row>('SELECT * FROM training_runs ORDER BY id DESC')
      .all()
      .map((row) => toRun(row));
  }

  /** Errors: `not-found`. */
  get(id: number): TrainingRun {
    const row = this.#database.prepare<[number], Row>('SELECT * FROM training_runs WHERE id = ?').get(id);
    if (row) return toRun(row);
    throw new PunaError('not-found', 'There is no such training run.', 'Begin a new one.');
  }

  /** Where runs have written, or will write, what they teach. */
  adapterPaths(): string[] {
    return this.#database
      .prepare<[], string>('SELECT adapter_path FROM training_runs')
      .pluck()
      .all() as string[];
  }

  /** Adds one that waits. */
  add(run: NewRun): TrainingRun {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO training_runs (name, state, model_id, model_name, model_path, data, settings, losses, validations,
           notes, adapter_path, created_at)
         VALUES (@name, 'waiting', @modelId, @modelName, @modelPath, @data, @settings, '[]', '[]', '[]', @adapterPath,
           @createdAt)`,
      )
      .run({ ...run, data: JSON.stringify(run.data), settings: JSON.stringify(run.settings) });
    return this.get(Number(lastInsertRowid));
  }

  /** Keeps all that changes while a run lives. */
  save(run: TrainingRun): void {
    const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
    this.#database
      .prepare(
        `UPDATE training_runs SET state = @state, plan = @plan, step = @step, losses = @losses,
           validations = @validations, notes = @notes, error = @error, adapter_path = @adapterPath,
           adapter_id = @adapterId, started_at = @startedAt, ended_at = @endedAt WHERE id = @id`,
      )
      .run({
        ...{ id: run.id, state: run.state, adapterPath: run.adapterPath, adapterId: run.adapterId },
        ...{ startedAt: run.startedAt, endedAt: run.endedAt },
        ...{ plan: json(run.plan), step: json(run.step), error: json(run.error) },
        ...{ losses: json(run.losses), validations: json(run.validations), notes: json(run.notes) },
      });
  }

  /** Those that the program's end cut short, or that never had their turn, can be resumed. */
  stopUnfinished(): void {
    this.#database
      .prepare(
        `UPDATE training_runs SET state = 'stopped' WHERE state IN ('waiting', 'preparing', 'running', 'paused')`,
      )
      .run();
  }
}

function toRun(row: Row): TrainingRun {
  return {
    ...{ id: row.id, name: row.name, state: row.state },
    ...{ modelId: row.model_id, modelName: row.model_name, modelPath: row.model_path },
    data: z.array(z.string()).parse(JSON.parse(row.data)),
    // A setting that is younger than the run is as it usually is.
    settings: trainingSettingsSchema.parse({ ...defaultTrainingSettings, ...JSON.parse(row.settings) }),
    progress: null,
    plan: trainingPlanSchema.nullable().parse(read(row.plan)),
    step: stepReportSchema.nullable().parse(read(row.step)),
    losses: z.array(lossPointSchema).parse(JSON.parse(row.losses)),
    validations: z.array(validationPointSchema).parse(JSON.parse(row.validations)),
    notes: z.array(z.string()).parse(JSON.parse(row.notes)),
    error: trainingRunSchema.shape.error.parse(read(row.error)),
    ...{ adapterPath: row.adapter_path, adapterId: row.adapter_id },
    hasCheckpoint: existsSync(checkpointPath(row.adapter_path)),
    ...{ createdAt: row.created_at, startedAt: row.started_at, endedAt: row.ended_at },
    secondsLeft: null,
  };
}

function read(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
