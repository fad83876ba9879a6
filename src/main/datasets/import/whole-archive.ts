import { basename } from 'node:path';
import { fileEndings } from '../../../shared/file-endings.ts';
import { type ExportFile, type ExportFiles, firstBytes, leastDeep, startOf } from '../export-files.ts';
import { extensionOf } from './file-text.ts';
import type { FileStart, Importer } from './importer.ts';
import { importers } from './importers.ts';
import { isImported, isShown } from './readable.ts';

/** Documents and programs that are ZIP archives themselves: Office, OpenDocument and books, Java. Their parts are no files of people. */
const parts = new Set(['[Content_Types].xml', 'mimetype', 'META-INF/MANIFEST.MF']);

/** Where Telegram, Discord's exporter, ChatGPT and others put what was sent in a chat. */
const attachmentFolders = /^(?:files|media|attachments|photos|video_files|dalle-generations|.*_files)$/i;

/** What ChatGPT and WhatsApp call what was sent in a chat, and the page that ChatGPT puts beside its conversations. */
const attachmentNames = /^(?:file[-_][a-z\d]{16,}.*|0\d{7}-.*|.*-WA\d{4}\..*|chat\.html)$/i;

/**
 * Whether a ZIP archive is one thing: the export of a program with all that belongs to it, or a document. Otherwise its files stand each
 * for itself, an export among them too. Errors: those of the system, and the signal's reason.
 */
export async function isWhole(exported: ExportFiles, signal?: AbortSignal): Promise<boolean> {
  const { path, files } = exported;
  const names = files.map(({ name }) => name);
  if (names.some((name) => parts.has(name))) return true;
  const starts = new Map<string, FileStart>();
  for (const file of leastDeep(exported)) {
    signal?.throwIfAborted();
    const start = await soundStart(file);
    if (start) starts.set(file.name, start);
  }
  const archive = { names, files: [...starts.values()] };
  const asFolder = { path, bytes: new Uint8Array(), text: null, archive };
  if (isImported(asFolder)) return true;
  const asArchive = { ...asFolder, bytes: await firstBytes(path) };
  const importer = importers.find((known) => known.recognises(asArchive));
  if (!importer) return false;
  for (const file of files) {
    signal?.throwIfAborted();
    if (!(await belongsTo(importer, file, starts))) return false;
  }
  return true;
}

async function belongsTo(
  importer: Importer,
  file: ExportFile,
  starts: ReadonlyMap<string, FileStart>,
): Promise<boolean> {
  const { name } = file;
  if (!isShown(name) || !fileEndings.data.test(name) || isAttachment(name)) return true;
  const isJson = extensionOf(name) === '.json';
  // Accounts and settings stand beside conversations, and a chat of years is thousands of files.
  if (isJson && !starts.has(name)) return true;
  const start = starts.get(name) ?? (await soundStart(file));
  const kind = start && importers.find((known) => known.recognises(start));
  return kind === importer || (isJson && !kind);
}

function isAttachment(name: string): boolean {
  const folders = name.split('/').slice(0, -1);
  return attachmentNames.test(basename(name)) || folders.some((folder) => attachmentFolders.test(folder));
}

/** Of a file that is damaged or encrypted, none: whoever reads it says so. */
async function soundStart(file: ExportFile): Promise<FileStart | null> {
  return startOf(file, file.name).catch(() => null);
}
