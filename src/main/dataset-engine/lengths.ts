import type { Database } from 'better-sqlite3';
import type { ExampleContent } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { wholeExamples } from './whole-examples.ts';

/** An example that has no length yet. `edits` tells whether it is still the same when it has. */
export interface Unmeasured {
  id: number;
  edits: number;
  content: ExampleContent;
}

/** In tokens, of all of an example and of what is learnt of it. */
export interface ExampleLength {
  tokens: number;
  learnt: number;
}

/** Lengths of examples by one tokenizer, kept with them. They are no part of what is learnt: no revision comes of them. */
export class Lengths {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Forgets what another tokenizer has measured. */
  begin(tokenizer: string): void {
    if (this.#measuredBy() === tokenizer) return;
    this.#database
      .transaction(() => {
        this.#database.exec('UPDATE examples SET tokens = NULL, learnt = NULL WHERE tokens IS NOT NULL');
        this.#database.prepare('UPDATE state SET measured = ?').run(tokenizer);
      })
      .immediate();
  }

  /** Some examples without a length behind one of them; none at the end. */
  missing(after: number): Unmeasured[] {
    const rows = this.#database
      .prepare<[number], { id: number; edits: number; content: string }>(
        `SELECT e.id, e.edits, c.content FROM examples e CROSS JOIN contents c ON c.id = e.id
         WHERE e.id > ? AND e.tokens IS NULL ORDER BY e.id`,
      )
      .iterate(after);
    return wholeExamples(rows);
  }

  /** Keeps lengths of examples that have not been edited meanwhile. Errors: `cancelled` when another tokenizer has come in between. */
  keep(tokenizer: string, measured: readonly (Unmeasured & ExampleLength)[]): void {
    const update = this.#database.prepare<[number, number, number, number]>(
      'UPDATE examples SET tokens = ?, learnt = ? WHERE id = ? AND edits = ?',
    );
    this.#database
      .transaction(() => {
        if (this.#measuredBy() !== tokenizer) throw measuredByAnother();
        for (const { id, edits, tokens, learnt } of measured) update.run(tokens, learnt, id, edits);
      })
      .immediate();
  }

  /** Those of all examples that are not excluded and have one, shortest first. */
  all(): ExampleLength[] {
    return this.#database
      .prepare<[], ExampleLength>(
        'SELECT tokens, learnt FROM examples WHERE excluded = 0 AND tokens IS NOT NULL ORDER BY tokens',
      )
      .all();
  }

  #measuredBy(): unknown {
    return this.#database.prepare('SELECT measured FROM state').pluck().get();
  }
}

function measuredByAnother(): PunaError {
  return new PunaError('cancelled', 'The dataset is being measured with another model.', 'Measure it again.');
}
