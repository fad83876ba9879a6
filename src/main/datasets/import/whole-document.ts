import type { Found, Importer, ImportOptions, FileStart } from './importer.ts';

/** Where the example of a document stands. */
export const wholeFile = 'the whole file';

/**
 * Documents that are one text each. A long one stays whole: training cuts it where the context ends, which only it knows, and learns
 * every piece.
 */
export function documents(
  name: string,
  recognises: (start: FileStart) => boolean,
  textOf: (path: string, options: ImportOptions) => Promise<string>,
): Importer {
  async function* read(path: string, options: ImportOptions): AsyncGenerator<Found> {
    const text = await textOf(path, options);
    options.signal?.throwIfAborted();
    yield { kind: 'draft', draft: { kind: 'text', text }, where: wholeFile };
  }
  return { name, recognises, read };
}
