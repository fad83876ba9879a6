import { type Entry, fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { printable, quoted } from './printable.ts';
import { leadsOut, ZipReader } from './zip-reader.ts';

/** Checkpoints have one file for each tensor and a few more; others would only fill the memory. */
const maxEntries = 200_000;
/** Longest sentence of the ZIP library that an error repeats. */
const maxReasonCharacters = 100;

/** A file in a ZIP archive, stored as it is. */
export interface ZipEntry {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Where its bytes begin in the archive, from the archive's start; all of them are there. Errors: `file-damaged`,
   * `unsupported-model` (it is compressed or encrypted).
   */
  start(): Promise<number>;
}

/**
 * The files in a ZIP archive (also ZIP64) by name, without folders. The archive may come from a stranger: names that would lead
 * out of it are refused. It reads from the source, which stays open. Errors: `file-damaged`.
 */
export async function readZip(source: ByteSource, name: string): Promise<ReadonlyMap<string, ZipEntry>> {
  return await explained(name, async () => {
    const zip = await fromRandomAccessReaderPromise(new ZipReader(source), source.size, {
      // Names are decoded and checked here, so that one sentence says what is wrong with them.
      decodeStrings: false,
      autoClose: false,
    });
    const entries = new Map<string, ZipEntry>();
    for await (const entry of zip.eachEntry()) {
      const path = entry.fileNameRaw.toString('utf8');
      if (leadsOut(path)) throw damagedFile(name, `the path ${quoted(path)} of a file in it leads out of it`);
      if (path.endsWith('/')) continue;
      if (entries.has(path)) throw damagedFile(name, `it has the file ${quoted(path)} twice`);
      if (entries.size === maxEntries) throw damagedFile(name, `it has more than ${maxEntries} files`);
      entries.set(path, zipEntry(zip, entry, { path, name }));
    }
    return entries;
  });
}

function zipEntry(zip: ZipFile, entry: Entry, { path, name }: { path: string; name: string }): ZipEntry {
  return {
    name: path,
    size: entry.uncompressedSize,
    start: () =>
      explained(name, async () => {
        if (entry.isEncrypted()) throw notStored(name, path, 'encrypted');
        if (entry.compressionMethod !== 0) throw notStored(name, path, 'compressed');
        const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
        return fileDataStart;
      }),
  };
}

function notStored(name: string, path: string, how: string): PunaError {
  return new PunaError(
    'unsupported-model',
    `The file ${quoted(path)} in ${name} is ${how}, which PyTorch's own files never are.`,
    'If it is an archive with models in it, unpack it and choose one of them.',
  );
}

/** Whatever the library says of an archive, as an error that a person can read. */
async function explained<Result>(name: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (thrown) {
    // The system's errors and ours say already what is wrong.
    if (!(thrown instanceof Error) || thrown instanceof PunaError || 'syscall' in thrown) throw thrown;
    const reason = printable(thrown.message.slice(0, maxReasonCharacters));
    throw damagedFile(name, `its ZIP directory cannot be read (${reason})`, thrown);
  }
}
