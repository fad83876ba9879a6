import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { PunaError } from '../../../shared/error.ts';
import { fileError, safeFileName } from '../../storage/index.ts';
import { quoted } from '../../weights/formats/printable.ts';
import {
  type ExportFile,
  type ExportFiles,
  isZip,
  openExport,
  startOf,
  startOfExport,
  startsAsZip,
} from '../export-files.ts';
import { docx } from './docx.ts';
import { type ImportFiles, nothingIn } from './import-files.ts';
import { isImported, isPlain, isShown, maxFiles } from './readable.ts';
import { isWhole } from './whole-archive.ts';

/**
 * What is unpacked of an archive at most, without the pictures and films in it. Google cuts what it exports at 2 GB packed, of which mails
 * make some 3; temporary folders lie in memory on some systems.
 */
export const mostUnpackedBytes = 4 * 2 ** 30;

interface UnpackOptions {
  readonly maxUnpackedBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Unpacks the files of a ZIP archive that can be read, in order of their names, as if it were a folder; archives in it are not opened. Gives
 * false where it is no archive, or an export as a whole: that is read as it stands. Errors: `invalid-input` (it cannot be opened, has too many
 * files, unpacks to too much, or has none that can be read), `disk-full`; the signal's reason.
 */
export async function addArchive(path: string, found: ImportFiles, options: UnpackOptions): Promise<boolean> {
  try {
    if (!(await isZip(path))) return false;
    await using exported = await openExport(path);
    if (await isWhole(exported, options.signal)) return false;
    await addAll(exported, found, options);
    return true;
  } catch (thrown) {
    options.signal?.throwIfAborted();
    throw fileError(thrown, path);
  }
}

async function addAll(
  { path: archive, files }: ExportFiles,
  found: ImportFiles,
  { maxUnpackedBytes, signal }: UnpackOptions,
): Promise<void> {
  const before = found.files.length;
  let failure: PunaError | null = null;
  /** A file that is broken costs no other. What the system says is of the disk, and ends all. */
  const attempt = async (file: ExportFile, work: () => Promise<void>): Promise<void> => {
    signal?.throwIfAborted();
    try {
      await work();
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!(thrown instanceof PunaError)) throw thrown;
      failure ??= thrown;
      found.addDamaged({ archive, name: file.name });
    }
  };
  const shown = files.filter(({ name }) => isShown(name)).toSorted(byName);
  if (shown.length > maxFiles) throw refused(archive, `has more than ${maxFiles} files`);
  const wanted: ExportFile[] = [];
  for (const file of shown) {
    await attempt(file, async () => {
      if (await canBeRead(file)) wanted.push(file);
      else found.passedOver++;
    });
  }
  const bytes = wanted.reduce((sum, { unpacked }) => sum + (unpacked?.bytes ?? 0), 0);
  if (bytes > maxUnpackedBytes) {
    throw refused(archive, `would unpack to more than ${(maxUnpackedBytes / 2 ** 30).toFixed(1)} GiB`);
  }
  const folder = await found.temporaryFolder();
  for (const [index, file] of wanted.entries()) {
    await attempt(file, async () => {
      // In folders of their own: some systems take names for the same that differ in an archive.
      const path = join(folder, String(index), safeFileName(file.name));
      await mkdir(join(folder, String(index)));
      await unpack(file, path, { archive, signal });
      if (!isWord(file.name) || docx.recognises(await startOfExport(path))) {
        return found.add(path, { archive, name: file.name });
      }
      await rm(path);
      found.passedOver++;
    });
  }
  if (found.files.length === before) throw failure ?? nothingIn(archive);
}

/** As folders are read: the files and folders of each by their names. */
function byName({ name: one }: ExportFile, { name: other }: ExportFile): number {
  const [left, right] = [one.split('/'), other.split('/')];
  const at = left.findIndex((part, index) => part !== right[index]);
  return (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}

/** Documents of Word are archives too, which can only be looked into when they are unpacked. */
function isWord(name: string): boolean {
  return /\.(?:docx|docm|dotx|dotm)$/i.test(name);
}

async function canBeRead(file: ExportFile): Promise<boolean> {
  const start = await startOf(file, file.name);
  if (startsAsZip(start.bytes)) return isWord(file.name);
  return isPlain(file.name) || isImported(start);
}

/** Errors: `invalid-input` (encrypted, damaged), those of the system, and the signal's reason. */
async function unpack(
  file: ExportFile,
  path: string,
  { archive, signal }: { archive: string; signal: AbortSignal | undefined },
): Promise<void> {
  // Only for its owner, as what it holds may be private.
  await using handle = await open(path, 'wx', 0o600);
  let checksum = 0;
  for await (const piece of file.pieces(undefined, signal)) {
    checksum = crc32(piece, checksum);
    await handle.writeFile(piece);
  }
  if (checksum !== file.unpacked?.checksum) {
    throw new PunaError(
      'invalid-input',
      `${archive} has the file ${quoted(file.name)} damaged.`,
      'Download or pack it again.',
    );
  }
}

function refused(archive: string, what: string): PunaError {
  return new PunaError('invalid-input', `${archive} ${what}.`, 'Unpack it, and choose folders of it.');
}
