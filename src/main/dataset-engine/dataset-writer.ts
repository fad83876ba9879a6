import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatasetCounts } from '../../shared/contract/index.ts';
import { mostExamples, Reservoir } from '../datasets/reservoir.ts';
import { moveDurably, removeLeftovers, temporaryBeside } from '../storage/atomic-file.ts';
import { fileError } from '../storage/index.ts';
import { countsIn, datasetError, Inserter, splitIn, useDataset } from './dataset-file.ts';
import { columnsOf } from './example-columns.ts';
import type { NewExample } from './messages.ts';
import { createTables } from './schema.ts';

export interface WriterOptions {
  /** Share that is measured on, of what is kept. */
  validation: number;
  /** From which the sample and what is measured on are drawn. */
  seed: number;
  /** Examples that are kept, at most. */
  most?: number;
}

/** Examples that are held until they are written in one go, and their characters. */
const heldExamples = 1000;
const heldCharacters = 4_000_000;

/**
 * Writes a new dataset file, which appears under its name when it is whole. Of more examples than are kept it holds an even sample,
 * in the order in which they came. Use it with `await using`: what is not finished leaves nothing behind. A killed writer's
 * leavings go with the next one to the same path.
 */
export class DatasetWriter implements AsyncDisposable {
  readonly #out: string;
  readonly #temporary: string;
  readonly #database: Database;
  readonly #options: WriterOptions;
  readonly #reservoir: Reservoir;
  readonly #inserter: Inserter;
  readonly #most: number;
  /** By place in the reservoir. */
  readonly #ids: number[] = [];
  readonly #held = new Map<number, NewExample>();
  #heldCharacters = 0;
  /** Written, and replaced meanwhile. */
  readonly #replaced: number[] = [];

  /** Errors: `disk-full`, `file-missing`, `invalid-input` (it cannot be written). */
  static async create(out: string, options: WriterOptions): Promise<DatasetWriter> {
    try {
      await mkdir(dirname(out), { recursive: true });
      await removeLeftovers(out);
      return new DatasetWriter(out, options);
    } catch (thrown) {
      throw datasetError(fileError(thrown, out), out);
    }
  }

  private constructor(out: string, options: WriterOptions) {
    this.#out = out;
    this.#options = options;
    this.#most = options.most ?? mostExamples;
    this.#reservoir = new Reservoir(this.#most, options.seed);
    this.#temporary = temporaryBeside(out);
    this.#database = createTables(this.#temporary);
    this.#inserter = new Inserter(this.#database);
  }

  /** Examples that are kept. */
  get kept(): number {
    return this.#ids.length;
  }

  /** Examples that there were, where they were too many to keep all; else null. */
  get sampledFrom(): number | null {
    return this.#reservoir.seen > this.#most ? this.#reservoir.seen : null;
  }

  /** Takes the next example, which is kept or not. Errors: `disk-full`. */
  append(example: NewExample): void {
    const slot = this.#reservoir.slot();
    if (slot === null) return;
    const before = this.#ids[slot];
    // Later ones have greater numbers, so that the sample stays in order.
    const id = this.#reservoir.seen;
    this.#ids[slot] = id;
    if (before !== undefined && !this.#held.delete(before)) this.#replaced.push(before);
    this.#held.set(id, example);
    this.#heldCharacters += charactersOf(example);
    if (this.#held.size >= heldExamples || this.#heldCharacters >= heldCharacters) this.#write();
  }

  /** Draws what is measured on, and gives the file its name. Errors: `disk-full`. */
  async finish(): Promise<DatasetCounts> {
    try {
      this.#write();
      const counts = this.#database
        .transaction(() => {
          splitIn(this.#database, this.#options.validation, this.#options.seed);
          return countsIn(this.#database);
        })
        .immediate();
      this.#database.close();
      await flush(this.#temporary);
      await moveDurably(this.#temporary, this.#out);
      return counts;
    } catch (thrown) {
      throw datasetError(fileError(thrown, this.#out), this.#out);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    await rm(this.#temporary, { force: true });
  }

  #write(): void {
    try {
      this.#database
        .transaction(() => {
          const ids = JSON.stringify(this.#replaced);
          for (const table of ['examples', 'contents', 'words']) {
            if (this.#replaced.length === 0) break;
            this.#database
              .prepare(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`)
              .run(ids);
          }
          for (const [id, { content, source }] of this.#held) {
            this.#inserter.insert(id, columnsOf(content), source);
          }
        })
        .immediate();
    } catch (thrown) {
      throw datasetError(thrown, this.#out);
    }
    this.#held.clear();
    this.#heldCharacters = 0;
    this.#replaced.length = 0;
  }
}

/** Makes an empty dataset file, unless there is one. Errors: those of `useDataset` for what is there, those of the writer. */
export async function createDataset(out: string): Promise<void> {
  if (existsSync(out)) return useDataset(out, () => undefined);
  await using writer = await DatasetWriter.create(out, { validation: 0, seed: 0 });
  await writer.finish();
}

function charactersOf({ content }: NewExample): number {
  if (content.kind === 'text') return content.text.length;
  return content.turns.reduce((sum, { text }) => sum + text.length, content.system.length);
}

async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r+');
  await handle.sync();
}
