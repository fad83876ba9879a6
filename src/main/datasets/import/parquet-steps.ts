import type { Compressors, FileMetaData } from 'hyparquet';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { PunaError } from '../../../shared/error.ts';

const mebibyte = 2 ** 20;

/**
 * Rows are read in steps of about so many bytes. Each step decodes its pages anew, which have about a megabyte; larger steps would hold more
 * texts at once.
 */
const stepBytes = 32 * mebibyte;

/** A row group is in memory as it lies in the file, and as a whole where its columns are lists. Usual ones have up to 128 MiB. */
const maxGroupBytes = 256 * mebibyte;

/** A page is unpacked as a whole. Writers make pages of one megabyte; a single text can be longer. */
const maxPageBytes = 64 * mebibyte;

/** Rows that are read at once. */
export interface RowStep {
  readonly rowStart: number;
  readonly rowEnd: number;
  /** Bytes of the file before their row group, or so. */
  readonly bytesBefore: number;
}

/** The rows of a table in steps that fit into memory. Errors: `invalid-input` (a row group that does not). */
export function* rowSteps(
  metadata: FileMetaData,
  columns: readonly string[],
  path: string,
): Generator<RowStep> {
  let rowStart = 0;
  let bytesBefore = 0;
  for (const { columns: chunks, num_rows } of metadata.row_groups) {
    const rows = Number(num_rows);
    const wanted = chunks.filter(({ meta_data: data }) => columns.includes(data?.path_in_schema[0] ?? ''));
    const sum = (of: (chunk: (typeof chunks)[number]) => bigint | undefined) =>
      wanted.reduce((bytes, chunk) => bytes + Number(of(chunk) ?? 0n), 0);
    const unpacked = sum(({ meta_data: data }) => data?.total_uncompressed_size);
    // Only a simple column without an index can be read in steps at the cost of its packed bytes alone.
    const isList = wanted.some(({ meta_data: data }) => (data?.path_in_schema.length ?? 0) > 1);
    const indexed = wanted.every(({ offset_index_offset: offset }) => offset !== undefined);
    const held = isList ? unpacked : sum(({ meta_data: data }) => data?.total_compressed_size);
    if (held > maxGroupBytes && !(indexed && !isList)) throw groupTooLarge(path, rowStart);
    const steps = isList ? 1 : Math.max(1, Math.ceil(unpacked / stepBytes));
    const stepRows = Math.max(1, Math.ceil(rows / steps));
    for (let from = 0; from < rows; from += stepRows) {
      yield { rowStart: rowStart + from, rowEnd: rowStart + Math.min(rows, from + stepRows), bytesBefore };
    }
    rowStart += rows;
    bytesBefore += chunks.reduce(
      (bytes, { meta_data: data }) => bytes + Number(data?.total_compressed_size ?? 0n),
      0,
    );
  }
}

/** Unpacks pages, never to more than a page says that it has, nor to more than any page needs. */
export async function boundedCompressors(): Promise<Compressors> {
  // Only now: it compiles WebAssembly.
  const { compressors } = await import('hyparquet-compressors');
  const bounded = (unpack: (input: Uint8Array, length: number) => Uint8Array) => {
    return (input: Uint8Array, length: number) => {
      if (length > maxPageBytes) throw new Error(`a page of ${length} bytes is too large`);
      return unpack(input, length);
    };
  };
  // Those of Node are quicker, and stop where they should.
  const unpackers: Compressors = {
    ...compressors,
    GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
    BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
    ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  };
  return Object.fromEntries(Object.entries(unpackers).map(([codec, unpack]) => [codec, bounded(unpack)]));
}

function groupTooLarge(path: string, row: number): PunaError {
  return new PunaError(
    'invalid-input',
    `${path}: the group of rows from row ${row + 1} on is larger than the ${maxGroupBytes / mebibyte} MiB that are read at once.`,
    'Write the table again with smaller row groups, such as row_group_size=10000 in pandas or pyarrow.',
  );
}
