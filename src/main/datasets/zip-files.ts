import { isUtf8 } from 'node:buffer';
import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { PunaError } from '../../shared/error.ts';
import type { ByteSource } from '../weights/formats/byte-source.ts';
import { printable, quoted } from '../weights/formats/printable.ts';
import { leadsOut, ZipReader } from '../weights/formats/zip-reader.ts';
import { detectEncoding } from './encoding.ts';
import type { ExportFile } from './export-files.ts';
import { maxFilesOfExport } from './limits.ts';

/**
 * Text is seldom packed to less than a twentieth, and logs of one line again and again to a hundredth. Deflate itself ends at
 * a thousandth, which only files that are made to fill memories and disks come near.
 */
const maxRatio = 200;
/** Below it nothing is harmed, whatever the ratio. */
const harmlessBytes = 64 * 2 ** 20;

/**
 * The files in a ZIP archive, which may come from a stranger: paths that lead out of it, two files of one name, and archives
 * that unpack to far more than they are, are refused. Links, which could lead anywhere, are left out. Errors: `invalid-input`.
 */
export async function openZip(source: ByteSource, path: string): Promise<ExportFile[]> {
  return await explained(path, async () => {
    const zip = await fromRandomAccessReaderPromise(new ZipReader(source), source.size, {
      // Names are decoded and checked here, so that one sentence says what is wrong with them.
      decodeStrings: false,
      autoClose: false,
    });
    const entries: Entry[] = [];
    let count = 0;
    for await (const entry of zip.eachEntry()) {
      if (!isNamedAsFolder(entry) && ++count > maxFilesOfExport)
        throw refused(path, `has more than ${maxFilesOfExport} files`);
      entries.push(entry);
    }
    const files = new Map<string, ExportFile>();
    let [packed, unpacked] = [0, 0];
    const encoding = encodingOfNames(entries);
    for (const entry of entries) {
      const name = nameOf(entry, encoding);
      if (leadsOut(name)) throw refused(path, `has a file whose path ${quoted(name)} leads out of it`);
      if (name.endsWith('/') || isLink(entry)) continue;
      if (files.has(name)) throw refused(path, `has the file ${quoted(name)} twice`);
      packed += entry.compressedSize;
      unpacked += entry.uncompressedSize;
      files.set(name, fileInZip(zip, entry, { name, path }));
    }
    // What overlaps in the archive counts more often than it is there.
    checkRatio(path, unpacked, Math.min(packed, source.size));
    return [...files.values()];
  });
}

function checkRatio(path: string, unpacked: number, packed: number): void {
  if (unpacked <= harmlessBytes || unpacked <= maxRatio * packed) return;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  throw refused(
    path,
    `would unpack from ${megabytes(packed)} to ${megabytes(unpacked)}, as no real export does`,
  );
}

/** Of the bits that describe a file: its name is UTF-8. */
const utf8Flag = 0x800;

/** Programs of Windows write names in the code page of its language, such as CP949 in Korean, and do not say which it is. */
function isForeign({ fileNameRaw: bytes, generalPurposeBitFlag: flags }: Entry): boolean {
  return (flags & utf8Flag) === 0 && !isUtf8(bytes) && !bytes.includes(0);
}

/** All such names are of one code page, which many of them tell better than one. */
function encodingOfNames(entries: readonly Entry[]): string {
  const foreign = entries.filter(isForeign).flatMap(({ fileNameRaw }) => [Buffer.from('\n'), fileNameRaw]);
  return detectEncoding(Buffer.concat(foreign)) ?? 'utf-8';
}

function nameOf(entry: Entry, encoding: string): string {
  return new TextDecoder(isForeign(entry) ? encoding : 'utf-8').decode(entry.fileNameRaw);
}

function isNamedAsFolder({ fileNameRaw: bytes }: Entry): boolean {
  return bytes.at(-1) === '/'.charCodeAt(0);
}

/** By the mode that Unix keeps in the upper half. */
function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;
}

function fileInZip(zip: ZipFile, entry: Entry, { name, path }: { name: string; path: string }): ExportFile {
  const size = entry.compressedSize;
  return {
    name,
    size,
    unpacked: { bytes: entry.uncompressedSize, checksum: entry.crc32 },
    async *pieces(onRead, signal) {
      if (entry.isEncrypted()) throw refused(path, `has the file ${quoted(name)} encrypted`);
      // The library ends a stream that gives more than the directory says.
      const stream = await explained(path, () => zip.openReadStreamPromise(entry));
      let read = 0;
      try {
        for await (const piece of stream as AsyncIterable<Buffer>) {
          signal?.throwIfAborted();
          yield piece;
          read += piece.length;
          onRead?.(Math.round((size * read) / entry.uncompressedSize));
        }
      } catch (thrown) {
        signal?.throwIfAborted();
        throw unreadable(path, thrown);
      } finally {
        stream.destroy();
      }
    },
  };
}

function refused(path: string, what: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} ${what}.`,
    'Export the data again, or unpack it and choose a file.',
  );
}

/** Longest sentence of the ZIP library that an error repeats. */
const maxReasonCharacters = 100;

async function explained<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

/** Whatever the library says of an archive, as an error that a person can read. */
function unreadable(path: string, thrown: unknown): unknown {
  // The system's errors and ours say already what is wrong.
  if (!(thrown instanceof Error) || thrown instanceof PunaError || 'syscall' in thrown) return thrown;
  const reason = printable(thrown.message.slice(0, maxReasonCharacters));
  return new PunaError(
    'invalid-input',
    `${path} is a ZIP archive that cannot be read (${reason}).`,
    'Download or export it again.',
    { cause: thrown },
  );
}
