import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { type FileHandle, open } from 'node:fs/promises';
import { PunaError } from '../../../shared/error.ts';
import { printable } from '../../weights/formats/printable.ts';
import { fileError } from '../../storage/index.ts';
import type { Found, Importer, ImportOptions } from './importer.ts';
import { boundedCompressors, rowSteps } from './parquet-steps.ts';
import { foundInRow, tableReader } from './table.ts';

const mark = 'PAR1';

/** Descriptions of columns and row groups; those of a file of many gigabytes have some megabytes. */
const maxMetadataBytes = 64 * 2 ** 20;

/** Tables of Apache Parquet, as Hugging Face, pandas and DuckDB write them. Only the columns that are needed are read. */
export const parquet: Importer = {
  name: 'parquet',
  recognises: ({ bytes }) => Buffer.from(bytes.subarray(0, mark.length)).toString('latin1') === mark,
  read: readTable,
  async columns(path) {
    await using table = await openTable(path);
    return table.columns;
  },
};

interface OpenTable extends AsyncDisposable {
  size: number;
  source: Source;
  metadata: FileMetaData;
  columns: string[];
}

async function openTable(path: string): Promise<OpenTable> {
  const file = await open(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  const close = () => file.close();
  try {
    return { ...(await described(path, file)), [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function described(path: string, file: FileHandle): Promise<Omit<OpenTable, keyof AsyncDisposable>> {
  const { size } = await file.stat();
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    // Before room is made for what a damaged description says.
    if (!(start >= 0 && end <= size)) throw new Error('something is said to lie beyond the end of the file');
    const bytes = new Uint8Array(Math.max(0, end - start));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw new Error('the file ends too early');
    return bytes.buffer;
  };
  const source = {
    byteLength: size,
    slice(start: number, end = size): Promise<ArrayBuffer> {
      const piece = read(start, end);
      // The library reads ahead, and does not wait for all of it where something else has failed.
      piece.catch(() => undefined);
      return piece;
    },
  };
  const metadata = await metadataOf(path, size, source);
  // A damaged description may leave out names.
  const names = parquetSchema(metadata).children.map(({ element }): unknown => element.name);
  return { size, source, metadata, columns: names.filter((name) => typeof name === 'string') };
}

async function* readTable(path: string, options: ImportOptions): AsyncGenerator<Found> {
  await using opened = await openTable(path);
  const { size, source, metadata, columns } = opened;
  const table = tableReader(columns, options.columns, path);
  const compressors = await boundedCompressors();
  for (const { rowStart, rowEnd, bytesBefore } of rowSteps(metadata, table.columns, path)) {
    options.signal?.throwIfAborted();
    options.onProgress?.(bytesBefore);
    const where = `rows ${rowStart + 1} to ${rowEnd}`;
    try {
      const rows = await parquetReadObjects({
        ...{ file: source, metadata, compressors, rowStart, rowEnd },
        columns: [...table.columns],
        useOffsetIndex: true,
      });
      for (const [index, row] of rows.entries())
        yield* foundInRow(table, row, `row ${rowStart + index + 1}`, path);
    } catch (thrown) {
      if (thrown instanceof PunaError) throw thrown;
      yield { kind: 'skipped', reason: 'parts of the table that are damaged', where };
    }
  }
  options.onProgress?.(size);
}

type Source = Parameters<typeof parquetMetadataAsync>[0];

async function metadataOf(path: string, size: number, source: Source): Promise<FileMetaData> {
  try {
    const end = Buffer.from(await source.slice(Math.max(0, size - 2 * mark.length)));
    if (end.toString('latin1', mark.length) !== mark) throw new Error(`it does not end with ${mark}`);
    if (end.readUInt32LE(0) > maxMetadataBytes) throw new Error('its description is too large');
    const metadata = await parquetMetadataAsync(source);
    if (!isConsistent(metadata)) throw new Error('its columns are not those of its rows');
    return metadata;
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PunaError(
      'invalid-input',
      `${path} is a Parquet file whose description of columns cannot be read: ${printable(detail)}.`,
      'Download or export it again; the end of the file is missing or damaged.',
      { cause: thrown },
    );
  }
}

/**
 * Whether rows are as many as columns have, and each row group has each column once. A column that is there twice, or that no name leads to, would be read by the library without
 * anyone waiting for it, so that its failure would be nobody's.
 */
function isConsistent(metadata: FileMetaData): boolean {
  const leaves = new Set(leavesOf(parquetSchema(metadata)));
  const rows = metadata.row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n);
  if (rows !== metadata.num_rows) return false;
  return metadata.row_groups.every(({ columns, num_rows }) => {
    const paths = columns.map(({ meta_data: data }) => data?.path_in_schema.join('.') ?? '');
    const counted = columns.every(({ meta_data: data }) => data !== undefined && isPlausible(data, num_rows));
    return counted && new Set(paths).size === paths.length && paths.every((path) => leaves.has(path));
  });
}

/** Values that a byte of a column can stand for: runs of equal ones are packed, but no real table is nothing else. */
const maxValuesInByte = 4096n;

/** Whether a column can have as many values as it says; the library would go through all of them, however few bytes there are. */
function isPlausible(
  { path_in_schema: path, num_values: values, total_uncompressed_size: bytes }: ColumnMetaData,
  rows: bigint,
): boolean {
  if (values < 0n || bytes < 0n || values > bytes * maxValuesInByte) return false;
  return path.length > 1 || values === rows;
}

function leavesOf({ path, children }: ReturnType<typeof parquetSchema>): string[] {
  return children.length === 0 ? [path.join('.')] : children.flatMap(leavesOf);
}
