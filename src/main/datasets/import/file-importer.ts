import { type ExportFile, type ExportFiles, isText, openExport, startOf } from '../export-files.ts';
import { progressOf } from '../export-text.ts';
import type { FileStart, Found, Importer, ImportOptions } from './importer.ts';

/** How one file of an export is read, wherever it stands. */
interface FileKind {
  readonly name: string;
  recognises(start: FileStart): boolean;
  read(exported: ExportFiles, file: ExportFile, options: ImportOptions): AsyncIterable<Found>;
}

/** An importer of files that each stand for themselves: alone, in a ZIP archive, or in a folder. */
export function fileImporter({ name, recognises, read }: FileKind): Importer {
  return {
    name,
    recognises: (start) => startsIn(start).some(recognises),
    async *read(path, options) {
      await using exported = await openExport(path);
      const progress = progressOf(options);
      for (const file of await recognised(exported, recognises)) {
        yield* read(exported, file, { ...options, onProgress: progress.of(file) });
      }
    },
  };
}

/** The beginnings that importers of files look at: of the file, or of those in an archive. Files in a folder stand for themselves. */
export function startsIn(start: FileStart): readonly FileStart[] {
  if (!start.archive) return [start];
  return isFolder(start) ? [] : start.archive.files;
}

/** A folder has no bytes of its own. */
export function isFolder({ bytes, archive }: FileStart): boolean {
  return !!archive && bytes.length === 0;
}

/** The files of an export that are of a kind. */
export async function recognised(
  exported: ExportFiles,
  recognises: (start: FileStart) => boolean,
): Promise<ExportFile[]> {
  const found: ExportFile[] = [];
  for (const file of exported.files) {
    if (file.name !== '' && !isText(file.name)) continue;
    if (recognises(await startOf(file, file.name || exported.path))) found.push(file);
  }
  return found;
}
