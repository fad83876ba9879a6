import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PunaError } from '../../../shared/error.ts';
import { fileError } from '../../storage/index.ts';
import { type PdfLine, linesOfPage } from './pdf-lines.ts';
import { joinPages } from './pdf-pages.ts';
import type { ImportOptions } from './importer.ts';
import { documents } from './whole-document.ts';

const mark = '%PDF-';

/** The mark may stand a little behind the beginning. */
const markWithin = 1024;

/** In memory as a whole. Its pictures count, but only its text is read: larger ones are scanned books. */
const maxFileBytes = 200 * 2 ** 20;

/** PDF with text in it; what is a picture of text is not read. */
export const pdf = documents(
  'pdf',
  // The first file of an archive may be a PDF that is not packed.
  ({ bytes, archive }) => !archive && Buffer.from(bytes.subarray(0, markWithin)).includes(mark),
  readPdf,
);

async function readPdf(path: string, { signal, onProgress }: ImportOptions): Promise<string> {
  const bytes = await bytesOf(path);
  // Only now: it is large.
  const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const task = getDocument({
    data: new Uint8Array(bytes),
    // Tables of Asian encodings, which a PDF names and does not hold.
    cMapUrl: fileURLToPath(new URL('cmaps/', import.meta.resolve('pdfjs-dist/package.json'))),
    // Nothing is drawn: neither pictures nor fonts are needed.
    ...{ useWasm: false, disableFontFace: true, useSystemFonts: false, isEvalSupported: false },
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    const document = await task.promise;
    const pages: PdfLine[][] = [];
    for (let number = 1; number <= document.numPages; number++) {
      signal?.throwIfAborted();
      const page = await document.getPage(number);
      pages.push(linesOfPage(await page.getTextContent()));
      page.cleanup();
      onProgress?.(Math.round((bytes.length * number) / document.numPages));
    }
    const text = joinPages(pages);
    if (text === '') throw withoutText(path);
    return text;
  } catch (thrown) {
    signal?.throwIfAborted();
    throw thrown instanceof PunaError ? thrown : unreadable(path, thrown);
  } finally {
    await task.destroy();
  }
}

async function bytesOf(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= maxFileBytes) return await readFile(path);
    throw new PunaError(
      'invalid-input',
      `${path} is larger than the ${maxFileBytes / 2 ** 20} MiB that a PDF may have.`,
      'Split it, or save it with smaller pictures.',
    );
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** What pdf.js throws has a name, and no class that could be imported on its own. */
function unreadable(path: string, cause: unknown): PunaError {
  if (cause instanceof Error && cause.name === 'PasswordException') {
    const remedy = 'Open it with the password, and print it into a new PDF.';
    return new PunaError('invalid-input', `${path} is a PDF locked with a password.`, remedy, { cause });
  }
  const remedy = 'Download it again, or open it in a viewer and print it into a new PDF.';
  return new PunaError('invalid-input', `${path} is a PDF that is damaged.`, remedy, { cause });
}

function withoutText(path: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path} is a PDF without text; its pages are pictures.`,
    'Let a program for text recognition (OCR) add the text.',
  );
}
