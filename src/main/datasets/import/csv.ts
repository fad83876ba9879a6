import { parse } from 'csv-parse/sync';
import { maxRecordBytes } from '../limits.ts';
import { type CsvRecord, csvRecords } from './csv-records.ts';
import { type Delimiter, delimiterOf } from './csv-delimiter.ts';
import { extensionOf, textLines } from './file-text.ts';
import type { Found, Importer, ImportOptions } from './importer.ts';
import { foundInRow, namesColumns, type TableReader, tableReader } from './table.ts';

/** Rows that are parsed at once: few enough to be held, and enough that starting the parser does not count. */
const batchRows = 200;
const batchCharacters = 2 ** 20;

/** Of a name that people give a column. */
const longestColumnName = 40;

/** The first lines, by which the delimiter is told. */
const probedLines = 20;

const extensions = new Set(['.csv', '.tsv', '.tab', '.psv']);

/** Tables as text: with commas, semicolons (as Excel writes them in half of Europe), tabs or bars between the cells. */
export const csv: Importer = {
  name: 'csv',
  recognises: ({ path, text, archive }) =>
    text !== null && !archive && (extensions.has(extensionOf(path)) || looksLikeTable(path, text)),
  read: readTable,
  columns: columnsOf,
};

/** Of files whose names do not tell: those whose first line names a prompt and a reply. */
function looksLikeTable(path: string, text: string): boolean {
  if (!['', '.txt'].includes(extensionOf(path))) return false;
  const [first = '', second = ''] = text.split(/\r?\n/, 2);
  const { delimiter } = delimiterOf([first, second], path);
  const [names, cells] = [cellsOf(first, delimiter), cellsOf(second, delimiter)];
  if (names.length < 2 || names.length !== cells.length) return false;
  try {
    // A text alone is no sign: many first lines have such a word.
    return tableReader(names, null, path).columns.length > 1;
  } catch {
    return false;
  }
}

async function* readTable(path: string, options: ImportOptions): AsyncGenerator<Found> {
  const { delimiter, linesBefore } = await probe(path, options);
  const records = csvRecords(linesFrom(path, linesBefore, options), delimiter, maxRecordBytes);
  let rows: Rows | null = null;
  let [batch, characters]: [batch: CsvRecord[], characters: number] = [[], 0];
  for await (const record of records) {
    if (!rows) {
      const first = cellsOf(record.text, delimiter);
      rows = new Rows(first, delimiter, path, options);
      if (rows.hasNames) continue;
    }
    batch.push(record);
    characters += record.text.length;
    if (batch.length < batchRows && characters < batchCharacters) continue;
    options.signal?.throwIfAborted();
    yield* rows.found(batch);
    [batch, characters] = [[], 0];
  }
  if (rows) yield* rows.found(batch);
}

/** As the first row names them; numbers where it has data, as far as that can be told. */
async function columnsOf(path: string, signal?: AbortSignal): Promise<readonly string[]> {
  const options = { ...(signal && { signal }), me: null, columns: null };
  const { delimiter, linesBefore } = await probe(path, options);
  const records = csvRecords(linesFrom(path, linesBefore, options), delimiter, maxRecordBytes);
  for await (const { text } of records) {
    const first = cellsOf(text, delimiter);
    const { named, numbered } = namesOf(first);
    const isHeader = new Set(first).size === first.length && first.every((cell) => looksLikeName(cell));
    return namesColumns(named) || isHeader ? named : numbered;
  }
  return [];
}

/** Names are short, and no numbers; what people say to each other mostly ends like a sentence. */
function looksLikeName(cell: string): boolean {
  const name = cell.trim();
  return name !== '' && name.length <= longestColumnName && !/^[\d\s.,:+-]+$|[.?!。？！]$/.test(name);
}

function namesOf(first: readonly string[]): { named: string[]; numbered: string[] } {
  const numbered = first.map((_, index) => `column ${index + 1}`);
  return { numbered, named: first.map((name, index) => name.trim() || (numbered[index] ?? '')) };
}

async function probe(path: string, { signal }: ImportOptions): Promise<Delimiter> {
  const start: string[] = [];
  for await (const { text } of textLines(path, maxRecordBytes, { signal })) {
    start.push(text ?? '');
    if (start.length === probedLines) break;
  }
  return delimiterOf(start, path);
}

async function* linesFrom(path: string, linesBefore: number, options: ImportOptions) {
  for await (const line of textLines(path, maxRecordBytes, options)) if (line.line > linesBefore) yield line;
}

class Rows {
  /** Whether the first row has the names of the columns. */
  readonly hasNames: boolean;
  readonly #names: readonly string[];
  readonly #delimiter: string;
  readonly #path: string;
  readonly #table: TableReader;

  constructor(first: readonly string[], delimiter: string, path: string, { columns }: ImportOptions) {
    const { named, numbered } = namesOf(first);
    const chosen = columns ? Object.values(columns).filter((name) => name !== undefined) : [];
    // Who chooses columns by number has seen a table without names.
    const byNumber = chosen.some((name) => numbered.includes(name) && !named.includes(name));
    this.hasNames = !byNumber && (columns !== null || namesColumns(named));
    this.#names = byNumber ? numbered : named;
    this.#delimiter = delimiter;
    this.#path = path;
    this.#table = tableReader(this.#names, columns, path);
  }

  *found(batch: readonly CsvRecord[]): Generator<Found> {
    for (const { record, cells } of cellsOfAll(batch, this.#delimiter)) {
      const where = `line ${record.line}`;
      if (!cells) yield { kind: 'skipped', reason: 'rows with quotes that do not fit together', where };
      else if (!this.#fits(cells)) {
        yield { kind: 'skipped', reason: 'rows with more or fewer cells than columns', where };
      } else {
        yield* foundInRow(this.#table, this.#row(cells), where, this.#path);
      }
    }
  }

  /** Programs leave out empty cells at the end, or write too many. */
  #fits(cells: readonly string[]): boolean {
    const needed = Math.max(...this.#table.columns.map((name) => this.#names.indexOf(name)));
    return cells.length > needed && cells.slice(this.#names.length).every((cell) => cell.trim() === '');
  }

  #row(cells: readonly string[]): Record<string, string> {
    const pairs = this.#table.columns.map((name) => [name, cells[this.#names.indexOf(name)] ?? '']);
    return Object.fromEntries(pairs) as Record<string, string>;
  }
}

/** The cells of each row; null where its quotes do not fit together. */
function cellsOfAll(
  batch: readonly CsvRecord[],
  delimiter: string,
): { record: CsvRecord; cells: string[] | null }[] {
  const whole = batch.filter(({ broken }) => !broken);
  const parsed = parseCsv(whole.map(({ text }) => text).join('\n'), delimiter);
  // Should the parser see other rows than we do, each is parsed alone.
  const agreed = parsed.length === whole.length ? parsed : whole.map(({ text }) => cellsOf(text, delimiter));
  let next = 0;
  return batch.map((record) => {
    if (!record.broken) return { record, cells: agreed[next++] ?? null };
    // With tabs, many programs write quotes as they stand.
    return { record, cells: delimiter === '\t' ? record.text.split(delimiter) : null };
  });
}

function cellsOf(text: string, delimiter: string): string[] {
  return parseCsv(text, delimiter)[0] ?? [];
}

function parseCsv(text: string, delimiter: string): string[][] {
  return parse(text, {
    ...{ delimiter, record_delimiter: '\n', max_record_size: 0 },
    ...{ relax_quotes: true, relax_column_count: true, skip_records_with_error: true },
  });
}
