import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { openExport } from '../datasets/export-files.ts';
import { importFiles } from '../datasets/import/folder.ts';
import { damagedInArchive } from '../datasets/import/import-files.ts';
import { fileError } from '../storage/index.ts';
import type { LeftOutList } from './left-out.ts';
import type { FileSource } from './messages.ts';

/** A file that is to be read, or a folder that is one export. */
export interface SourceFile extends FileSource {
  bytes: number;
}

/**
 * The files that sources stand for, each once; sources that cannot be opened are told. What is unpacked of archives is there until `opened` is
 * disposed of. Errors: the signal's reason.
 */
export async function filesOf(
  sources: readonly FileSource[],
  leftOut: LeftOutList,
  { signal, opened }: { signal: AbortSignal; opened: AsyncDisposableStack },
): Promise<SourceFile[]> {
  const files = new Map<string, SourceFile>();
  for (const source of sources) {
    try {
      const found = opened.use(await importFiles([source.path], signal));
      for (const path of found.files) {
        const name = found.fullName(path);
        if (files.has(name)) continue;
        files.set(name, { ...source, path, label: labelIn(source, name), bytes: await bytesOf(path) });
      }
      const damaged = found.damaged.map(({ fullName }) => labelIn(source, fullName));
      if (damaged.length > 0) {
        leftOut.add([{ reason: damagedInArchive, count: damaged.length, where: damaged }], null);
      }
      if (found.passedOver > 0) {
        leftOut.add([{ reason: 'files of kinds that cannot be read', count: found.passedOver }], null);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      leftOut.fail(fileError(thrown, source.path), source);
    }
  }
  return [...files.values()];
}

/** Bytes of a file, or of all files below a folder. */
export async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  await using exported = await openExport(path);
  return exported.files.reduce((sum, { size }) => sum + size, 0);
}

/** A file of a folder or an archive is called after both. */
function labelIn({ path: folder, label }: FileSource, path: string): string {
  return path === folder ? label : `${label}/${relative(folder, path).split(sep).join('/')}`;
}
