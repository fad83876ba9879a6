import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import {
  layerChangeSchema,
  type WeightsJob,
  weightsJobSchema,
  type WeightsOperation,
  weightsOperationSchema,
  weightsResultSchema,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { Unsaved } from '../storage/index.ts';

/** A line of the table `weights_jobs`. Lists and records are JSON. */
interface Row {
  id: number;
  operation: string;
  state: WeightsJob['state'];
  changes: string;
  notes: string;
  result: string | null;
  model_id: number | null;
  first_words: string | null;
  error: string | null;
  /** 0: taken off the list by a person. */
  listed: 0 | 1;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/** Operations on weights in the database: what is left of them when the program ends. */
export class StoredJobs {
  readonly #database: Database;
  readonly #unsaved = new Unsaved<WeightsJob>((job) => this.#write(job));

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those on the list, newest first. */
  list(): WeightsJob[] {
    return this.#select('WHERE listed = 1 ORDER BY id DESC');
  }

  /** Those that made something, also those that are no longer on the list; newest first. */
  done(): WeightsJob[] {
    return this.#select(`WHERE state = 'done' ORDER BY id DESC`);
  }

  /** Errors: `not-found`. */
  get(id: number): WeightsJob {
    const [job] = this.#select('WHERE listed = 1 AND id = ?', id);
    if (job) return job;
    throw new PunaError('not-found', 'There is no such operation.', 'Begin a new one.');
  }

  /** Adds one that waits. */
  add(operation: WeightsOperation, createdAt: number): WeightsJob {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO weights_jobs (operation, state, changes, notes, listed, created_at)
         VALUES (?, 'waiting', '[]', '[]', 1, ?)`,
      )
      .run(JSON.stringify(operation), createdAt);
    return this.get(Number(lastInsertRowid));
  }

  /** Saves all that changes while an operation lives, or counts as having done so until the database takes it. */
  keep(job: WeightsJob): void {
    this.#unsaved.keep(job);
  }

  #write(job: WeightsJob): void {
    const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
    this.#database
      .prepare(
        `UPDATE weights_jobs SET state = @state, changes = @changes, notes = @notes, result = @result,
           model_id = @modelId, first_words = @firstWords, error = @error, started_at = @startedAt,
           ended_at = @endedAt WHERE id = @id`,
      )
      .run({
        ...{ id: job.id, state: job.state, modelId: job.modelId, firstWords: job.firstWords },
        ...{ startedAt: job.startedAt, endedAt: job.endedAt },
        ...{ changes: json(job.changes), notes: json(job.notes) },
        ...{ result: json(job.result), error: json(job.error) },
      });
  }

  /** Takes it off the list. */
  unlist(id: number): void {
    this.#database.prepare('UPDATE weights_jobs SET listed = 0 WHERE id = ?').run(id);
  }

  /** Those that the program's end cut short, or that never had their turn, can be resumed. */
  stopUnfinished(): void {
    this.#database
      .prepare(`UPDATE weights_jobs SET state = 'stopped' WHERE state IN ('waiting', 'running')`)
      .run();
  }

  #select(condition: string, ...values: number[]): WeightsJob[] {
    this.#unsaved.retry();
    return this.#database
      .prepare<number[], Row>(`SELECT * FROM weights_jobs ${condition}`)
      .all(...values)
      .map((row) => this.#unsaved.get(row.id) ?? toJob(row));
  }
}

function toJob(row: Row): WeightsJob {
  return {
    ...{ id: row.id, state: row.state, progress: null, secondsLeft: null, speaking: false },
    operation: weightsOperationSchema.parse(JSON.parse(row.operation)),
    changes: z.array(layerChangeSchema).parse(JSON.parse(row.changes)),
    notes: z.array(z.string()).parse(JSON.parse(row.notes)),
    result: weightsResultSchema.nullable().parse(read(row.result)),
    ...{ modelId: row.model_id, firstWords: row.first_words },
    error: weightsJobSchema.shape.error.parse(read(row.error)),
    ...{ createdAt: row.created_at, startedAt: row.started_at, endedAt: row.ended_at },
  };
}

function read(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
