import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import {
  defaultTrainingSettings,
  lossPointSchema,
  pairSchema,
  runDatasetSchema,
  sampleSchema,
  stepReportSchema,
  type TrainingRun,
  trainingPlanSchema,
  trainingRunSchema,
  trainingSettingsSchema,
  type TrainingState,
  validationPointSchema,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { Unsaved } from '../storage/index.ts';
import { hasCheckpoint } from './adapter-files.ts';
import { withoutHope } from './history.ts';

/** A line of the table `training_runs`. Lists and records are JSON. */
interface Row {
  id: number;
  name: string;
  state: TrainingState;
  model_id: number | null;
  model_name: string;
  model_path: string;
  data: string;
  validation_data: string;
  datasets: string;
  conversation_id: number | null;
  settings: string;
  plan: string | null;
  step: string | null;
  losses: string;
  validations: string;
  samples: string;
  pairs: string;
  pairs_coming: number;
  notes: string;
  error: string | null;
  adapter_path: string;
  adapter_id: number | null;
  earlier_paths: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export type NewRun = Pick<
  TrainingRun,
  | 'name'
  | 'modelId'
  | 'modelName'
  | 'modelPath'
  | 'data'
  | 'validationData'
  | 'datasets'
  | 'conversationId'
  | 'samples'
  | 'settings'
  | 'adapterPath'
  | 'createdAt'
>;

/** Training runs in the database: what is left of them when the program ends. */
export class StoredRuns {
  readonly #database: Database;
  readonly #unsaved = new Unsaved<TrainingRun>((run) => this.#write(run));

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  list(): TrainingRun[] {
    this.#unsaved.retry();
    const rows = this.#database.prepare<[], Row>('SELECT * FROM training_runs ORDER BY id DESC').all();
    const datasets = this.#datasetIds();
    return rows.map((row) => this.#unsaved.get(row.id) ?? toRun(row, datasets));
  }

  /** Errors: `not-found`. */
  get(id: number): TrainingRun {
    const row = this.#database.prepare<[number], Row>('SELECT * FROM training_runs WHERE id = ?').get(id);
    if (row) return this.#unsaved.get(id) ?? toRun(row, this.#datasetIds());
    throw new PunaError('not-found', 'There is no such training run.', 'Begin a new one.');
  }

  /** Whether the database has all that is known of a run. */
  isSaved(id: number): boolean {
    return this.#unsaved.get(id) === undefined;
  }

  /** Where runs have written, or will write, what they teach. */
  adapterPaths(): string[] {
    return this.#database
      .prepare<[], Pick<Row, 'adapter_path' | 'earlier_paths'>>(
        'SELECT adapter_path, earlier_paths FROM training_runs',
      )
      .all()
      .flatMap(pathsOf);
  }

  /** Where one run has written what it teaches, now and before it went on; of one that is not there, nothing. */
  adapterPathsOf(id: number): string[] {
    const row = this.#database
      .prepare<[number], Pick<Row, 'adapter_path' | 'earlier_paths'>>(
        'SELECT adapter_path, earlier_paths FROM training_runs WHERE id = ?',
      )
      .get(id);
    return row ? pathsOf(row) : [];
  }

  /** Remembers where a run has written before it goes on in a new place. */
  addEarlierPath(id: number, path: string): void {
    this.#database
      .prepare(
        `UPDATE training_runs SET earlier_paths = json_insert(earlier_paths, '$[#]', @path) WHERE id = @id`,
      )
      .run({ id, path });
  }

  /** Adds one that waits. */
  add(run: NewRun): TrainingRun {
    const { data, validationData, datasets, samples, settings, ...rest } = run;
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO training_runs (name, state, model_id, model_name, model_path, data, validation_data, datasets,
           conversation_id, samples, settings, losses, validations, notes, adapter_path, created_at)
         VALUES (@name, 'waiting', @modelId, @modelName, @modelPath, @data, @validationData, @datasets,
           @conversationId, @samples, @settings, '[]', '[]', '[]', @adapterPath, @createdAt)`,
      )
      .run({ ...rest, ...asJson({ data, validationData, datasets, samples, settings }) });
    return this.get(Number(lastInsertRowid));
  }

  /** Saves all that changes; of a run that has been removed, nothing. Errors: those of the database. */
  save(run: TrainingRun): void {
    this.#unsaved.save(run);
  }

  /** Saves all that changes, or counts as having done so until the database takes it: what is done to a run never fails by that. */
  keep(run: TrainingRun): void {
    this.#unsaved.keep(run);
  }

  remove(id: number): void {
    this.#database.prepare('DELETE FROM training_runs WHERE id = ?').run(id);
    this.#unsaved.forget(id);
  }

  /** Those that the program's end cut short, or that never had their turn, can be resumed. */
  stopUnfinished(): void {
    this.#database
      .prepare(
        `UPDATE training_runs SET state = 'stopped' WHERE state IN ('waiting', 'preparing', 'running', 'paused')`,
      )
      .run();
    for (const run of this.list()) {
      const samples = withoutHope(run.samples);
      const isWaiting = run.pairsComing > 0 || samples.some((sample, index) => sample !== run.samples[index]);
      if (isWaiting) this.save({ ...run, samples, pairsComing: 0 });
    }
  }

  #write(run: TrainingRun): void {
    const { id, name, state, adapterPath, adapterId, startedAt, endedAt, pairsComing } = run;
    const { plan, step, error, losses, validations, samples, pairs, notes } = run;
    this.#database
      .prepare(
        `UPDATE training_runs SET name = @name, state = @state, plan = @plan, step = @step, losses = @losses,
           validations = @validations, samples = @samples, pairs = @pairs, pairs_coming = @pairsComing, notes = @notes,
           error = @error, adapter_path = @adapterPath, adapter_id = @adapterId, started_at = @startedAt,
           ended_at = @endedAt WHERE id = @id`,
      )
      .run({
        ...{ id, name, state, adapterPath, adapterId, startedAt, endedAt, pairsComing },
        ...asJson({ plan, step, error, losses, validations, samples, pairs, notes }),
      });
  }

  #datasetIds(): Set<number> {
    const ids = this.#database.prepare<[], number>('SELECT id FROM datasets').pluck().all();
    return new Set(ids.map(Number));
  }
}

function toRun(row: Row, datasetIds: ReadonlySet<number>): TrainingRun {
  return {
    ...{ id: row.id, name: row.name, state: row.state },
    ...{ modelId: row.model_id, modelName: row.model_name, modelPath: row.model_path },
    data: z.array(z.string()).parse(JSON.parse(row.data)),
    validationData: z.array(z.string()).parse(JSON.parse(row.validation_data)),
    datasets: z
      .array(runDatasetSchema)
      .parse(JSON.parse(row.datasets))
      .map((dataset) => ({ ...dataset, id: datasetIds.has(dataset.id ?? 0) ? dataset.id : null })),
    // A setting that is younger than the run is as it usually is.
    settings: trainingSettingsSchema.parse({ ...defaultTrainingSettings, ...JSON.parse(row.settings) }),
    conversationId: row.conversation_id,
    samples: z.array(sampleSchema).parse(JSON.parse(row.samples)),
    pairs: z.array(pairSchema).parse(JSON.parse(row.pairs)),
    pairsComing: row.pairs_coming,
    progress: null,
    plan: trainingPlanSchema.nullable().parse(read(row.plan)),
    step: stepReportSchema.nullable().parse(read(row.step)),
    losses: z.array(lossPointSchema).parse(JSON.parse(row.losses)),
    validations: z.array(validationPointSchema).parse(JSON.parse(row.validations)),
    notes: z.array(z.string()).parse(JSON.parse(row.notes)),
    error: trainingRunSchema.shape.error.parse(read(row.error)),
    ...{ adapterPath: row.adapter_path, adapterId: row.adapter_id },
    hasCheckpoint: hasCheckpoint({ state: row.state, adapterPath: row.adapter_path }),
    ...{ createdAt: row.created_at, startedAt: row.started_at, endedAt: row.ended_at },
    secondsLeft: null,
  };
}

function pathsOf(row: Pick<Row, 'adapter_path' | 'earlier_paths'>): string[] {
  return [row.adapter_path, ...z.array(z.string()).parse(JSON.parse(row.earlier_paths))];
}

/** Null stays null. */
function asJson(values: Record<string, unknown>): Record<string, string | null> {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, value === null ? null : JSON.stringify(value)]),
  );
}

function read(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
