import { GlobalWorkerOptions, getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';
import type { PdfLibrary } from './pdf.ts';

/** Tables of Asian encodings by name, as files of the program. */
const characterMaps = import.meta.glob<string>('../../../../node_modules/pdfjs-dist/cmaps/*.bcmap', {
  query: '?url&no-inline',
  import: 'default',
  eager: true,
});
const addresses = new Map(
  Object.entries(characterMaps).map(([path, url]) => [path.slice(path.lastIndexOf('/') + 1), url]),
);

class BundledData {
  async fetch({ filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    const address = addresses.get(filename);
    // Fonts that a PDF leaves out: they would only be drawn.
    if (address === undefined) throw new Error(`${filename} is not part of the program.`);
    const response = await fetch(address);
    return new Uint8Array(await response.arrayBuffer());
  }
}

GlobalWorkerOptions.workerSrc = workerUrl;

/** pdf.js with its worker. Import this module only when a PDF is there to be read: it is large. */
export const pdfLibrary: PdfLibrary = { getDocument, BinaryDataFactory: BundledData };
