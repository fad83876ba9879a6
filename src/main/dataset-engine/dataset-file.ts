import type { Database, Statement } from 'better-sqlite3';
import type {
  DatasetCounts,
  DatasetExample,
  ExampleChoice,
  ExampleContent,
  ExampleFilter,
  ExampleRow,
} from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { databaseError } from '../storage/database-error.ts';
import { type ExampleColumns, columnsOf, shown, shownCharacters } from './example-columns.ts';
import { checkedContent } from './example-content.ts';
import { conditionOf, Finder } from './find-examples.ts';
import { drawMeasured } from './draw-measured.ts';
import { Lengths } from './lengths.ts';
import type { NewExample } from './messages.ts';
import { openTables } from './schema.ts';
import { wholeExamples } from './whole-examples.ts';

/** A whole example that can be learnt from or measured on. */
export interface WholeExample {
  id: number;
  source: string;
  content: ExampleContent;
}

interface Row {
  id: number;
  kind: ExampleContent['kind'];
  turns: number;
  asked: string;
  answer: string;
  source: string;
  validation: number;
  excluded: number;
  edits: number;
  tokens: number | null;
}

const rowColumns = `e.id, e.kind, e.turns, c.asked, c.answer, c.source, e.validation, e.excluded, e.edits, e.tokens`;

/**
 * A dataset: an SQLite file of examples in order. Nothing is ever removed from it, so that what a person excludes can be taken
 * back. Errors of all methods: `database-locked`, `database-damaged`, `disk-full`, when they are called through `useDataset`.
 */
export class DatasetFile {
  readonly lengths: Lengths;
  readonly #database: Database;
  readonly #finder: Finder;
  readonly #rows: Statement<[string], Row>;
  readonly #content: Statement<[number], string>;

  /** `path` names what is remembered of a search. */
  constructor(database: Database, path: string) {
    this.#database = database;
    this.lengths = new Lengths(database);
    this.#finder = new Finder(database, path);
    this.#rows = database.prepare<[string], Row>(
      `SELECT ${rowColumns} FROM examples e JOIN contents c ON c.id = e.id
       WHERE e.id IN (SELECT value FROM json_each(?)) ORDER BY e.id`,
    );
    this.#content = database
      .prepare<[number], string>('SELECT content FROM contents WHERE id = ?')
      .pluck() as Statement<[number], string>;
  }

  /** Rises with every change of what is learnt from or measured on. */
  get revision(): number {
    return this.#database.prepare('SELECT revision FROM state').pluck().get() as number;
  }

  counts(): DatasetCounts {
    return countsIn(this.#database);
  }

  /** Those examples that the filter finds, from one of them on, and how many there are. */
  page(filter: ExampleFilter, offset: number, limit: number): { examples: ExampleRow[]; total: number } {
    const found = this.#finder.find(filter, this.revision);
    const ids = Array.from(found.subarray(offset, offset + limit));
    return { examples: this.#rows.all(JSON.stringify(ids)).map(exampleRow), total: found.length };
  }

  /** Errors: `not-found`. */
  example(id: number): DatasetExample {
    return { ...this.#row(id), ...shown(this.content(id)) };
  }

  /** An example as it was read, however long. Errors: `not-found`. */
  content(id: number): ExampleContent {
    const content = this.#content.get(id);
    if (content === undefined) throw notFound(id);
    return JSON.parse(content) as ExampleContent;
  }

  /** Excludes examples, takes them back, measures on them or learns from them. Those that are not there are passed over. */
  change(
    choice: ExampleChoice,
    { excluded, validation }: { excluded?: boolean | undefined; validation?: boolean | undefined },
  ): DatasetCounts {
    const { from, where, values } =
      'ids' in choice
        ? {
            ...{ from: 'examples e', where: 'e.id IN (SELECT value FROM json_each(?))' },
            values: [JSON.stringify(choice.ids)],
          }
        : conditionOf(choice.filter);
    const chosen = `SELECT e.id FROM ${from} WHERE ${where}`;
    return this.#changing(() => {
      const set = this.#database.prepare(
        `UPDATE examples SET excluded = ifnull(?, excluded), validation = ifnull(?, validation) WHERE id IN (${chosen})`,
      );
      set.run(flag(excluded), flag(validation), ...values);
      return this.counts();
    });
  }

  /** Replaces what an example says; it keeps its place. Errors: `not-found`, `invalid-input` (no example, or too long to be edited). */
  edit(id: number, given: ExampleContent): DatasetExample {
    const content = checkedContent(given);
    if (shown(this.content(id)).cut) throw tooLongToEdit(id);
    return this.#changing(() => {
      const columns = columnsOf(content);
      const update = this.#database.prepare(
        'UPDATE examples SET kind = ?, turns = ?, edits = edits + 1, tokens = NULL, learnt = NULL WHERE id = ?',
      );
      update.run(columns.kind, columns.turns, id);
      this.#database
        .prepare('UPDATE contents SET asked = ?, answer = ?, content = ? WHERE id = ?')
        .run(columns.asked, columns.answer, columns.content, id);
      this.#database.prepare('UPDATE words SET words = ? WHERE id = ?').run(columns.words, id);
      return this.example(id);
    });
  }

  /** Adds examples at the end, to be learnt from; gives the last one. All or none is added. Errors: `invalid-input`. */
  add(examples: readonly NewExample[]): DatasetExample {
    const checked = examples.map(({ content, source }) => ({ content: checkedContent(content), source }));
    return this.#changing(() => {
      const inserter = new Inserter(this.#database);
      let last = this.#database.prepare('SELECT max(id) FROM examples').pluck().get() as number | null;
      for (const { content, source } of checked) {
        last = (last ?? 0) + 1;
        inserter.insert(last, columnsOf(content), source);
      }
      return this.example(last ?? 0);
    });
  }

  /** Draws anew what is measured on, of what is not excluded. */
  split(share: number, seed: number): DatasetCounts {
    return this.#changing(() => {
      splitIn(this.#database, share, seed);
      return this.counts();
    });
  }

  /**
   * Whole examples in order behind one of them: those that are not excluded, and of these perhaps only one side. Fewer than `limit`
   * where they are long; none at the end only.
   */
  read(after: number, limit: number, { validation }: { validation?: boolean } = {}): WholeExample[] {
    const rows = this.#database
      .prepare<[number, number | null, number], { id: number; source: string; content: string }>(
        `SELECT e.id, c.source, c.content FROM examples e CROSS JOIN contents c ON c.id = e.id
         WHERE e.id > ? AND e.excluded = 0 AND e.validation = ifnull(?, e.validation) ORDER BY e.id LIMIT ?`,
      )
      .iterate(after, flag(validation), limit);
    return wholeExamples(rows);
  }

  #row(id: number): ExampleRow {
    const row = this.#rows.get(JSON.stringify([id]));
    if (!row) throw notFound(id);
    return exampleRow(row);
  }

  #changing<Result>(change: () => Result): Result {
    return this.#database
      .transaction(() => {
        this.#database.exec('UPDATE state SET revision = revision + 1');
        return change();
      })
      .immediate();
  }
}

/**
 * Opens a dataset, does something with it, and closes it. Errors: `file-missing`, `invalid-input` (no dataset), `database-newer`,
 * `database-damaged`, `database-locked`, `disk-full`.
 */
export async function useDataset<Result>(
  path: string,
  use: (file: DatasetFile) => Result | Promise<Result>,
): Promise<Result> {
  try {
    const database = openTables(path);
    try {
      return await use(new DatasetFile(database, path));
    } finally {
      database.close();
    }
  } catch (thrown) {
    throw datasetError(thrown, path);
  }
}

/** What SQLite says of a dataset, in words. */
export function datasetError(thrown: unknown, path: string): unknown {
  const remedy = 'Remove the dataset and make it again of its sources; the damaged file was left as it is.';
  return databaseError(thrown, path, { remedy });
}

/** Puts examples into the tables. */
export class Inserter {
  readonly #example: Statement<[number, string, number]>;
  readonly #content: Statement<[number, string, string, string, string]>;
  readonly #words: Statement<[number, string]>;

  constructor(database: Database) {
    this.#example = database.prepare('INSERT INTO examples (id, kind, turns) VALUES (?, ?, ?)');
    this.#content = database.prepare('INSERT INTO contents VALUES (?, ?, ?, ?, ?)');
    this.#words = database.prepare('INSERT INTO words VALUES (?, ?)');
  }

  insert(id: number, { kind, turns, asked, answer, words, content }: ExampleColumns, source: string): void {
    this.#example.run(id, kind, turns);
    this.#content.run(id, asked, answer, source, content);
    this.#words.run(id, words);
  }
}

export function countsIn(database: Database): DatasetCounts {
  const counts = database
    .prepare<[], DatasetCounts>(
      `SELECT count(*) FILTER (WHERE kind = 'conversation') AS conversations,
         count(*) FILTER (WHERE kind = 'text') AS texts,
         count(*) FILTER (WHERE excluded) AS excluded,
         count(*) FILTER (WHERE validation AND NOT excluded) AS validation FROM examples`,
    )
    .get();
  return counts ?? { conversations: 0, texts: 0, excluded: 0, validation: 0 };
}

/** Within a transaction of whoever calls it. */
export function splitIn(database: Database, share: number, seed: number): void {
  const drawn = drawMeasured(alikeIn(database), share, seed);
  database.exec('UPDATE examples SET validation = 0 WHERE validation');
  database
    .prepare('UPDATE examples SET validation = 1 WHERE id IN (SELECT value FROM json_each(?))')
    .run(JSON.stringify(drawn));
}

/**
 * What is not excluded, in order; examples that are the same are together. They are told by their beginnings and their length, which
 * lie in the first page of each: what only seems to be the same loses nothing by staying together.
 */
function alikeIn(database: Database): number[][] {
  const groups = database
    .prepare<[], string>(
      `SELECT json_group_array(e.id) FROM examples e JOIN contents c ON c.id = e.id WHERE e.excluded = 0
       GROUP BY c.asked, c.answer, octet_length(c.content) ORDER BY min(e.id)`,
    )
    .pluck()
    .all() as string[];
  return groups.map((ids) => JSON.parse(ids) as number[]);
}

function exampleRow({ validation, excluded, edits, ...row }: Row): ExampleRow {
  return { ...row, validation: validation === 1, excluded: excluded === 1, edited: edits > 0 };
}

function flag(value: boolean | undefined): number | null {
  return value === undefined ? null : Number(value);
}

function notFound(id: number): PunaError {
  return new PunaError('not-found', `The dataset has no example ${id}.`, 'Load the table of examples again.');
}

function tooLongToEdit(id: number): PunaError {
  return new PunaError(
    'invalid-input',
    `Example ${id} has more than the ${shownCharacters} characters that can be edited.`,
    'Shorten it in the file that it came from and import that again, or exclude it.',
  );
}
