import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { open } from 'node:fs/promises';
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
};

async function* readTable(path: string, options: ImportOptions): AsyncGenerator<Found> {
  await using file = await open(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  const { size } = await file.stat();
  const source = {
    byteLength: size,
    async slice(start: number, end = size): Promise<ArrayBuffer> {
      // Before room is made for what a damaged description says.
      if (start < 0 || end > size) throw new Error('something is said to lie beyond the end of the file');
      const bytes = new Uint8Array(Math.max(0, end - start));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error('the file ends too early');
      return bytes.buffer;
    },
  };
  const metadata = await described(path, size, source);
  // A damaged description may leave out names.
  const names = parquetSchema(metadata).children.map(({ element }): unknown => element.name);
  const columns = names.filter((name) => typeof name === 'string');
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

async function described(path: string, size: number, source: Source): Promise<FileMetaData> {
  try {
    const end = Buffer.from(await source.slice(Math.max(0, size - 2 * mark.length)));
    if (end.toString('latin1', mark.length) !== mark) throw new Error(`it does not end with ${mark}`);
    if (end.readUInt32LE(0) > maxMetadataBytes) throw new Error('its description is too large');
    return await parquetMetadataAsync(source);
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
