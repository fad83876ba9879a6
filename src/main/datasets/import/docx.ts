import { readFile } from 'node:fs/promises';
import { PunaError } from '../../../shared/error.ts';
import { type ExportFiles, openExport } from '../export-files.ts';
import { textOfPage } from './html-text.ts';
import type { ImportOptions } from './importer.ts';
import { documents } from './whole-document.ts';

const mebibyte = 2 ** 20;

/** With its pictures, which are not read but lie in memory with the rest. */
const maxFileBytes = 200 * mebibyte;

/** Texts in a document become trees in memory, of some twenty times the size; a long novel has 5 MiB. */
const maxPartBytes = 24 * mebibyte;

const mainPart = 'word/document.xml';

/** Documents of Word and of all that saves such, with headings, lists and tables as plain text. */
export const docx = documents(
  'docx',
  ({ archive }) => archive?.names.includes(mainPart) ?? false,
  readDocument,
);

async function readDocument(path: string, { signal, onProgress }: ImportOptions): Promise<string> {
  await using files = await openExport(path);
  await checkSizes(files, signal);
  const buffer = await readFile(path, { signal });
  onProgress?.(buffer.length);
  // Only now, as few read such documents.
  const { default: mammoth } = await import('mammoth');
  try {
    const { value } = await mammoth.convertToHtml(
      { buffer },
      {
        externalFileAccess: false,
        includeEmbeddedStyleMap: false,
        // What stands in a list of pictures has no text.
        convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
      },
    );
    return textOfPage(value);
  } catch (thrown) {
    throw new PunaError(
      'invalid-input',
      `${path} is a Word document that is damaged.`,
      'Open it in Word or LibreOffice, and save it again.',
      { cause: thrown },
    );
  }
}

/** Unpacks what will be read once, only to count it: what an archive says of its sizes may be wrong. */
async function checkSizes({ path, files }: ExportFiles, signal: AbortSignal | undefined): Promise<void> {
  const size = files.reduce((bytes, file) => bytes + file.size, 0);
  if (size > maxFileBytes) throw tooLarge(path, `has more than ${maxFileBytes / mebibyte} MiB`);
  let unpacked = 0;
  for (const file of files) {
    if (!/\.(?:xml|rels)$/i.test(file.name)) continue;
    for await (const piece of file.pieces(undefined, signal)) {
      unpacked += piece.length;
      if (unpacked > maxPartBytes) {
        throw tooLarge(path, `unpacks to more than ${maxPartBytes / mebibyte} MiB of text and its formats`);
      }
    }
  }
}

function tooLarge(path: string, what: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} ${what}, as no document that a person writes does.`,
    'Split it into several documents, or save it as text.',
  );
}
