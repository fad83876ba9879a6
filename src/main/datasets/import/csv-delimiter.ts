import { extensionOf } from './file-text.ts';
import { namesColumns } from './table.ts';

/** What stands between the cells of a table. */
export interface Delimiter {
  readonly delimiter: string;
  /** Lines before the table that only tell how it is written. */
  readonly linesBefore: number;
}

const delimiters = [',', ';', '\t', '|'];

/** What Excel puts before a table, and wants to find there. */
const declaration = /^sep=(.)$/i;

/**
 * The delimiter of a table by its first lines: the one that it declares, that its name tells, that gives usual names of columns,
 * or that stands most often in the first line outside of quotes.
 */
export function delimiterOf(lines: readonly string[], path: string): Delimiter {
  const declared = declaration.exec(lines[0] ?? '')?.[1];
  if (declared !== undefined) return { delimiter: declared, linesBefore: 1 };
  const first = (lines.find((line) => line.trim() !== '') ?? '').replaceAll(/"(?:[^"]|"")*"/g, (quoted) =>
    delimiters.reduce((text, delimiter) => text.replaceAll(delimiter, ' '), quoted),
  );
  const found = delimiters
    .map((delimiter) => ({
      delimiter,
      cells: first.split(delimiter).map((cell) => cell.replaceAll('"', '')),
    }))
    .filter(({ cells }) => cells.length > 1)
    .sort((one, other) => other.cells.length - one.cells.length);
  const usual = extensionOf(path) === '.csv' || extensionOf(path) === '' ? ',' : '\t';
  const best =
    found.find(({ delimiter, cells }) => delimiter === usual && namesColumns(cells)) ??
    found.find(({ cells }) => namesColumns(cells)) ??
    (usual === '\t' ? found.find(({ delimiter }) => delimiter === usual) : undefined) ??
    found[0];
  return { delimiter: best?.delimiter ?? usual, linesBefore: 0 };
}
