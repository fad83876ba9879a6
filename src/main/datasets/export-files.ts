import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { openFileSource } from '../weights/formats/byte-source.ts';
import { decodeStart } from './encoding.ts';
import { maxFilesOfExport } from './limits.ts';
import type { FileStart } from './import/importer.ts';
import { openZip } from './zip-files.ts';

/** One file of an export. */
export interface ExportFile {
  /** Its path in the export, with `/`; where the export is one file, empty. */
  readonly name: string;
  /** In bytes, as they are on the disk. */
  readonly size: number;
  /** What an archive says of it: its bytes, of which there are never more, and their CRC-32. */
  readonly unpacked?: { readonly bytes: number; readonly checksum: number };
  /** Its bytes from the beginning. `onRead` is told how many of `size` have been read. */
  pieces(onRead?: (bytes: number) => void, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What somebody exported: one file, or the files of a ZIP archive or a folder. */
export interface ExportFiles extends AsyncDisposable {
  readonly path: string;
  readonly files: readonly ExportFile[];
}

/** Enough for every importer to know its files by: an account's details can stand before its first chat. */
const startBytes = 64 * 1024;
/** So many texts of an archive are looked into, to know what it is. */
const maxStarts = 40;

/**
 * Opens an export. Errors: `file-missing`; `invalid-input` (an archive that cannot be read, whose paths lead out of it, or that
 * would unpack to far more than it is).
 */
export async function openExport(path: string): Promise<ExportFiles> {
  if ((await stat(path)).isDirectory()) {
    return { path, files: await filesOfFolder(path), [Symbol.asyncDispose]: async () => undefined };
  }
  if (await isZip(path)) {
    const source = await openFileSource(path);
    try {
      const files = await openZip(source, path);
      return { path, files, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
    } catch (thrown) {
      await source[Symbol.asyncDispose]();
      throw thrown;
    }
  }
  const { size } = await stat(path);
  return { path, files: [fileOnDisk(path, '', size)], [Symbol.asyncDispose]: async () => undefined };
}

/** The beginning of an export, for importers to recognise. Errors: those of `openExport`. */
export async function startOfExport(path: string): Promise<FileStart> {
  await using opened = await openExport(path);
  const [only] = opened.files;
  if (only?.name === '') return startOf(only, path);
  const files: FileStart[] = [];
  for (const file of leastDeep(opened)) files.push(await startOf(file, file.name));
  const bytes = (await stat(path)).isDirectory() ? new Uint8Array() : await firstBytes(path);
  return { path, bytes, text: null, archive: { names: opened.files.map(({ name }) => name), files } };
}

/** The texts that an export is known by: a few, which stand least deep in it. */
export function leastDeep({ files }: ExportFiles): ExportFile[] {
  const texts = files.filter(({ name }) => isText(name));
  return texts.toSorted((one, other) => depth(one.name) - depth(other.name)).slice(0, maxStarts);
}

/** Its beginning, read anew. */
export async function startOf(file: ExportFile, path: string): Promise<FileStart> {
  const held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of file.pieces()) {
    held.push(piece);
    length += piece.length;
    if (length >= startBytes) break;
  }
  const bytes = Buffer.concat(held).subarray(0, startBytes);
  return { path, bytes, text: decodeStart(bytes) };
}

/** Names that exports give to texts; pictures and recordings are not looked into. */
export function isText(name: string): boolean {
  return /\.(?:jsonl?|ndjson|txt|csv)$/i.test(name) && !/(?:^|\/)(?:__MACOSX\/|\._)/.test(name);
}

function depth(name: string): number {
  return name.split('/').length;
}

export async function isZip(path: string): Promise<boolean> {
  return startsAsZip(await firstBytes(path, 4));
}

export function startsAsZip(bytes: Uint8Array): boolean {
  const mark = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  return mark === 'PK\x03\x04' || mark === 'PK\x05\x06';
}

export async function firstBytes(path: string, count = startBytes): Promise<Buffer> {
  await using handle = await open(path);
  const bytes = Buffer.alloc(count);
  const { bytesRead } = await handle.read(bytes, 0, count, 0);
  return bytes.subarray(0, bytesRead);
}

function fileOnDisk(path: string, name: string, size: number): ExportFile {
  return {
    name,
    size,
    async *pieces(onRead, signal) {
      let read = 0;
      for await (const piece of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
        yield piece;
        read += piece.length;
        onRead?.(read);
      }
    },
  };
}

/** All files below a folder, without links, which could lead anywhere. */
async function filesOfFolder(folder: string): Promise<ExportFile[]> {
  const files: ExportFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    if (files.length === maxFilesOfExport) throw tooManyFiles(folder);
    const path = join(entry.parentPath, entry.name);
    const name = path
      .slice(folder.length)
      .replace(/^[/\\]+/, '')
      .replaceAll(sep, '/');
    files.push(fileOnDisk(path, name, (await stat(path)).size));
  }
  return files.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function tooManyFiles(folder: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${folder} has more than ${maxFilesOfExport} files.`,
    'Choose the folder of an export, or a file.',
  );
}
