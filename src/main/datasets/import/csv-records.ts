import type { TextLine } from './file-text.ts';

/** A row of a table as it is written, over one line or several. */
export interface CsvRecord {
  readonly text: string;
  /** That it begins on, from 1. */
  readonly line: number;
  /** Its quotes do not fit together: it cannot be read, or only with quotes as signs like any others. */
  readonly broken: boolean;
}

/**
 * Puts lines together to rows, since a cell in quotes may have several. What is broken costs one line: after a quote that never ends, reading
 * goes on with the next line, not with the end of the file. `maxCharacters` is the most that a row may have.
 */
export async function* csvRecords(
  lines: AsyncIterable<TextLine>,
  delimiter: string,
  maxCharacters: number,
): AsyncGenerator<CsvRecord> {
  const rows = new RowBuilder(delimiter, maxCharacters);
  for await (const line of lines) yield* rows.add(line);
  yield* rows.end();
}

class RowBuilder {
  readonly #delimiter: string;
  readonly #maxCharacters: number;
  /** The lines of a row that has not ended. */
  #held: TextLine[] = [];
  #length = 0;
  /** Lines to be read again, the next one last. */
  readonly #waiting: TextLine[] = [];

  constructor(delimiter: string, maxCharacters: number) {
    this.#delimiter = delimiter;
    this.#maxCharacters = maxCharacters;
  }

  *add(line: TextLine): Generator<CsvRecord> {
    this.#waiting.push(line);
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) yield* this.#read(next);
  }

  *end(): Generator<CsvRecord> {
    while (this.#held.length > 0) {
      yield this.#giveUp();
      for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) yield* this.#read(next);
    }
  }

  *#read(line: TextLine): Generator<CsvRecord> {
    const isOpen = this.#held.length > 0;
    const { text } = line;
    if (text?.trim() === '' && !isOpen) return;
    this.#held.push(line);
    this.#length += text?.length ?? 0;
    const state = text === null ? 'broken' : stateAfter(text, this.#delimiter, isOpen);
    if (state === 'broken' || this.#length > this.#maxCharacters) yield this.#giveUp();
    else if (state === 'whole') yield this.#take();
  }

  #take(): CsvRecord {
    const [first] = this.#held;
    const text = this.#held.map((line) => line.text).join('\n');
    [this.#held, this.#length] = [[], 0];
    return { text, line: first?.line ?? 0, broken: false };
  }

  /** Gives up the first line alone. */
  #giveUp(): CsvRecord {
    const [first, ...others] = this.#held;
    [this.#held, this.#length] = [[], 0];
    for (const line of others.toReversed()) this.#waiting.push(line);
    return { text: first?.text ?? '', line: first?.line ?? 0, broken: true };
  }
}

/** Whether a row ends with a line, goes on because a quote is open, or has a quote that ends in the middle of a cell. */
function stateAfter(line: string, delimiter: string, isOpen: boolean): 'whole' | 'open' | 'broken' {
  let at = 0;
  let quoted = isOpen;
  for (;;) {
    if (!quoted && line[at] !== '"') {
      const next = line.indexOf(delimiter, at);
      if (next < 0) return 'whole';
      at = next + 1;
      continue;
    }
    const end = line.indexOf('"', quoted ? at : at + 1);
    quoted = true;
    if (end < 0) return 'open';
    if (line[end + 1] === '"') {
      at = end + 2;
      continue;
    }
    if (end + 1 === line.length) return 'whole';
    if (line[end + 1] !== delimiter) return 'broken';
    quoted = false;
    at = end + 2;
  }
}
