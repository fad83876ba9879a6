import { stat } from 'node:fs/promises';
import { PunaError } from '../../shared/error.ts';
import { startOfExport } from './export-files.ts';
import type { ColumnMapping, FileStart, Importer, Speakers } from './import/importer.ts';
import { importers } from './import/importers.ts';
import { usualMapping } from './import/table.ts';
import { type FileForm, recogniseForm } from './recognise.ts';

/** How a file, an archive or a folder is read: by an importer, or by the form of its text. */
export type Reader = { importer: Importer } | { importer: null; form: FileForm };

/** Errors: `file-missing`, `invalid-input` (nothing of it can be read). */
export async function readerOf(path: string, signal?: AbortSignal): Promise<Reader> {
  await checkIsThere(path);
  const start = await startOfExport(path);
  const importer = importers.find((known) => known.recognises(start));
  if (importer) return { importer };
  checkIsPlain(start);
  return { importer: null, form: await recogniseForm(path, signal) };
}

/** Who speaks in a chat between people; null where it is no such chat. Errors: those of `readerOf`, `StrangeDates`. */
export async function speakersIn(
  { importer }: Reader,
  path: string,
  { signal, dates }: { signal?: AbortSignal | undefined; dates: string | null },
): Promise<Speakers | null> {
  return (await importer?.speakers?.(path, signal, dates)) ?? null;
}

/** The columns of a table, and what they would be taken for; null where it is no table. Errors: those of `readerOf`. */
export async function columnsIn(
  { importer }: Reader,
  path: string,
  signal?: AbortSignal,
): Promise<{ names: string[]; mapping: ColumnMapping } | null> {
  if (!importer?.columns) return null;
  const names = await importer.columns(path, signal);
  return { names: [...names], mapping: usualMapping(names) };
}

/** Before it is opened: opening a named pipe would wait for its writer, possibly for ever. */
async function checkIsThere(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile() || found.isDirectory()) return;
  throw new PunaError('invalid-input', `${path} is not a file.`, 'Choose a file with training data.');
}

/** What no importer knows must be a single file of text. */
function checkIsPlain({ path, bytes, text, archive }: FileStart): void {
  if (!archive) {
    if (text !== null || !bytes.includes(0)) return;
    throw new PunaError(
      'invalid-input',
      `${path} is not a text: it has NUL bytes, as only binary files do.`,
      'Choose a text file, JSONL or JSON; unpack an archive, export a table or document as text.',
    );
  }
  const [what, remedy] =
    bytes.length === 0
      ? ['is a folder', 'Choose a file with training data.']
      : [
          'is a ZIP archive without an export that is known',
          'Unpack it, and choose a file with training data.',
        ];
  throw new PunaError('invalid-input', `${path} ${what}.`, remedy);
}
