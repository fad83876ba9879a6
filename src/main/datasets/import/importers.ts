import type { Importer } from './importer.ts';

/** Every kind of export and document, asked in this order; the first that recognises a file reads it. */
export const importers: readonly Importer[] = [];
