import type { Database } from 'better-sqlite3';
import type { ExampleFilter } from '../../shared/contract/index.ts';
import { queryWords } from './example-columns.ts';

const shows: Record<ExampleFilter['show'], string> = {
  all: 'TRUE',
  learnt: 'e.excluded = 0 AND e.validation = 0',
  validation: 'e.excluded = 0 AND e.validation = 1',
  excluded: 'e.excluded = 1',
  edited: 'e.edits > 0',
};

/** A filter in SQL. */
export function conditionOf({ query, show }: ExampleFilter): {
  from: string;
  where: string;
  values: string[];
} {
  const values = queryWords(query);
  if (values.length === 0) return { from: 'examples e', where: shows[show], values };
  // In that order: flags are looked at before words, and both are read from their first to their last page.
  const from = 'examples e CROSS JOIN words w ON w.id = e.id';
  const has = values.map(() => 'instr(w.words, ?) > 0');
  return { from, where: [shows[show], ...has].join(' AND '), values };
}

/** What was found last, in this process: a person who scrolls asks for the same again and again. */
let last: { key: string; ids: Uint32Array } | null = null;

/** Finds examples by looking at all of them, which takes some tenths of a second where there are very many. */
export class Finder {
  readonly #database: Database;
  readonly #path: string;

  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
  }

  /** Ids of what a filter finds in a revision, in order. */
  find(filter: ExampleFilter, revision: number): Uint32Array {
    const key = JSON.stringify([this.#path, revision, queryWords(filter.query), filter.show]);
    if (last?.key !== key) {
      const { from, where, values } = conditionOf(filter);
      const ids = this.#database
        .prepare<string[], number>(`SELECT e.id FROM ${from} WHERE ${where} ORDER BY e.id`)
        .pluck()
        .all(...values);
      last = { key, ids: Uint32Array.from(ids as number[]) };
    }
    return last.ids;
  }
}
