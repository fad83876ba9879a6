import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  cleanReportSchema,
  type Dataset,
  type DatasetCounts,
  datasetCountsSchema,
  type DatasetRecipe,
  datasetRecipeSchema,
  datasetSchema,
  leftOutSchema,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { Unsaved } from '../storage/index.ts';
import { quoted } from '../weights/formats/printable.ts';

/** A line of the table `datasets`. Lists and records are JSON. */
interface Row {
  id: number;
  name: string;
  state: Dataset['state'];
  recipe: string;
  counts: string;
  left_out: string;
  cleaned: string | null;
  sampled_from: number | null;
  fingerprint: string | null;
  reviewed: 0 | 1;
  error: string | null;
  created_at: number;
  changed_at: number;
}

export const noExamples: DatasetCounts = { conversations: 0, texts: 0, excluded: 0, validation: 0 };

/** The dataset, if it is made. Errors: `invalid-input`. */
export function isReady(dataset: Dataset): Dataset {
  if (dataset.state === 'ready') return dataset;
  const isBeingMade = dataset.state === 'waiting' || dataset.state === 'working';
  throw new PunaError(
    'invalid-input',
    `${quoted(dataset.name)} is not ${isBeingMade ? 'made yet' : 'complete'}.`,
    isBeingMade ? 'Wait until it is made.' : 'Resume it, or choose another one.',
  );
}

/** The dataset, if there is something to see in it: what a model writes can be looked at meanwhile. Errors: `invalid-input`. */
export function opened(dataset: Dataset): Dataset {
  return dataset.recipe.kind !== 'import' && existsSync(dataset.path) ? dataset : isReady(dataset);
}

/** Datasets in the database: what is left of them when the program ends. */
export class StoredDatasets {
  readonly #database: Database;
  readonly #folder: string;
  readonly #unsaved = new Unsaved<Dataset>((dataset) => this.#write(dataset));

  /** `folder`: where their files lie, each called after its dataset's number. */
  constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
  }

  /** Newest first. */
  list(): Dataset[] {
    this.#unsaved.retry();
    return this.#database
      .prepare<[], Row>('SELECT * FROM datasets ORDER BY id DESC')
      .all()
      .map((row) => this.#unsaved.get(row.id) ?? this.#toDataset(row));
  }

  /** Errors: `not-found`. */
  get(id: number): Dataset {
    const row = this.#database.prepare<[number], Row>('SELECT * FROM datasets WHERE id = ?').get(id);
    if (row) return this.#unsaved.get(id) ?? this.#toDataset(row);
    throw new PunaError('not-found', 'There is no such dataset.', 'Choose another one, or make it anew.');
  }

  /** Adds one that waits to be made. */
  add(dataset: { name: string; recipe: DatasetRecipe; reviewed: boolean; createdAt: number }): Dataset {
    const { name, recipe, reviewed, createdAt } = dataset;
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO datasets (name, state, recipe, counts, left_out, reviewed, created_at, changed_at)
         VALUES (?, 'waiting', ?, ?, '[]', ?, ?, ?)`,
      )
      .run(
        ...[name, JSON.stringify(recipe), JSON.stringify(noExamples)],
        ...[Number(reviewed), createdAt, createdAt],
      );
    return this.get(Number(lastInsertRowid));
  }

  /** Saves all that changes while a dataset lives. Errors: those of the database. */
  save(dataset: Dataset): void {
    this.#unsaved.save(dataset);
  }

  /** Saves it likewise, or counts as having done so until the database takes it. */
  keep(dataset: Dataset): void {
    this.#unsaved.keep(dataset);
  }

  #write(dataset: Dataset): void {
    const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
    const { id, name, state, fingerprint, sampledFrom, changedAt } = dataset;
    this.#database
      .prepare(
        `UPDATE datasets SET name = @name, state = @state, counts = @counts, left_out = @leftOut,
           cleaned = @cleaned, sampled_from = @sampledFrom, fingerprint = @fingerprint, reviewed = @reviewed,
           error = @error, changed_at = @changedAt WHERE id = @id`,
      )
      .run({
        ...{ id, name, state, fingerprint, sampledFrom, changedAt },
        ...{ counts: json(dataset.counts), leftOut: json(dataset.leftOut), cleaned: json(dataset.cleaned) },
        ...{ error: json(dataset.error), reviewed: Number(dataset.reviewed) },
      });
  }

  remove(id: number): void {
    this.#database.prepare('DELETE FROM datasets WHERE id = ?').run(id);
    this.#unsaved.forget(id);
  }

  #toDataset(row: Row): Dataset {
    return {
      ...{ id: row.id, name: row.name, state: row.state, progress: null },
      recipe: datasetRecipeSchema.parse(JSON.parse(row.recipe)),
      counts: datasetCountsSchema.parse(JSON.parse(row.counts)),
      leftOut: z.array(leftOutSchema).parse(JSON.parse(row.left_out)),
      cleaned: cleanReportSchema.nullable().parse(read(row.cleaned)),
      ...{ sampledFrom: row.sampled_from, fingerprint: row.fingerprint, reviewed: row.reviewed === 1 },
      error: datasetSchema.shape.error.parse(read(row.error)),
      path: join(this.#folder, `${row.id}.dataset`),
      ...{ createdAt: row.created_at, changedAt: row.changed_at },
    };
  }
}

function read(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
