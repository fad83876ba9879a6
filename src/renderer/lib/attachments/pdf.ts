import type { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { TextContent } from 'pdfjs-dist/types/src/display/api';
import { AttachmentError } from './problem.ts';

/** What reading needs of pdf.js, so that the window and the tests can each bring their own. */
export interface PdfLibrary {
  getDocument: typeof getDocument;
  /** Gives pdf.js the tables of Asian encodings, which a PDF names and does not hold. */
  BinaryDataFactory: new () => { fetch(request: { kind: string; filename: string }): Promise<Uint8Array> };
}

/** What pdf.js throws has a name, and no class that could be imported on its own. */
function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : '';
}

/** Text of a page, line by line as it is set. */
function pageText({ items }: TextContent): string {
  return items
    .map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
    .join('')
    .replace(/[ \t]+\n/g, '\n')
    .trim();
}

/**
 * The text of a PDF, page by page, each after a line with its number if there are several. Throws an AttachmentError if it is damaged, locked or
 * holds pictures only.
 */
export async function readPdf(name: string, bytes: Uint8Array, library: PdfLibrary): Promise<string> {
  const task = library.getDocument({
    data: bytes,
    BinaryDataFactory: library.BinaryDataFactory,
    // Asks for the tables through the factory; the address is only there because pdf.js wants one.
    cMapUrl: 'cmaps/',
    standardFontDataUrl: 'fonts/',
    useWorkerFetch: false,
    // Nothing is drawn: neither pictures nor fonts are needed.
    useWasm: false,
    disableFontFace: true,
    useSystemFonts: true,
    // Only errors; a damaged font is no news to the person.
    verbosity: 0,
  });
  try {
    const pdf = await task.promise;
    const pages: string[] = [];
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number);
      const content = await page.getTextContent();
      pages.push(pageText(content));
      page.cleanup();
    }
    if (pages.every((page) => page === '')) throw new AttachmentError('pdf-without-text', { name });
    if (pages.length === 1) return pages[0] ?? '';
    return pages.map((page, index) => `[${index + 1} / ${pages.length}]\n${page}`).join('\n\n');
  } catch (error) {
    if (error instanceof AttachmentError) throw error;
    const problem = nameOf(error) === 'PasswordException' ? 'pdf-password' : 'pdf-damaged';
    throw new AttachmentError(problem, { name }, { cause: error });
  } finally {
    await task.destroy();
  }
}
