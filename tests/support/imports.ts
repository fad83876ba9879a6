import { join } from 'node:path';
import type { ColumnMapping, Importer } from '../../src/main/datasets/import/importer.ts';
import { importers } from '../../src/main/datasets/import/importers.ts';
import { startOfExport } from '../../src/main/datasets/export-files.ts';

/** A file of `tests/fixtures/datasets/documents`. */
export function documentFixture(name: string): string {
  return join(import.meta.dirname, '../fixtures/datasets/documents', name);
}

/** What a file gave, in short: a text as itself, a conversation as its turns, and where what was left out. */
export interface Imported {
  importer: string;
  drafts: (string | string[])[];
  skipped: [where: string, reason: string][];
}

/** Reads a file with the importer that recognises it. */
export async function importFile(
  path: string,
  options: {
    me?: string;
    columns?: ColumnMapping;
    signal?: AbortSignal;
    onProgress?: (bytes: number) => void;
  } = {},
): Promise<Imported> {
  const start = await startOfExport(path);
  const importer = importers.find((known) => known.recognises(start));
  if (!importer) throw new Error(`Nothing recognises ${path}.`);
  return read(importer, path, options);
}

async function read(
  importer: Importer,
  path: string,
  { me, columns, ...others }: Parameters<typeof importFile>[1] & object,
): Promise<Imported> {
  const imported: Imported = { importer: importer.name, drafts: [], skipped: [] };
  for await (const found of importer.read(path, { me: me ?? null, columns: columns ?? null, ...others })) {
    if (found.kind === 'skipped') imported.skipped.push([found.where, found.reason]);
    else if (found.draft.kind === 'text') imported.drafts.push(found.draft.text);
    else imported.drafts.push(found.draft.turns.map(({ role, text }) => `${role}: ${text}`));
  }
  return imported;
}
