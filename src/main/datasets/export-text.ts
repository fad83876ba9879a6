import { PunaError } from '../../shared/error.ts';
import { quoted } from '../weights/formats/printable.ts';
import { decodeStream } from './encoding.ts';
import type { ExportFile, ExportFiles } from './export-files.ts';
import { type JsonFound, type JsonPath, JsonScanner } from './json-scanner.ts';
import { maxRecordBytes, tooLong } from './limits.ts';

/** What readers of exports are told about the reading. */
export interface ReadingOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** How dates are written, where a person has described them. */
  readonly dates?: string | null | undefined;
}

/** Where a file stands, as it begins a sentence: its path, and its name in an archive. */
export function nameOf({ path }: ExportFiles, file: ExportFile): string {
  return file.name === '' ? path : `${path}, ${quoted(file.name)}`;
}

/** Where something stands in an export, for what was left out. */
export function placeOf(file: ExportFile, place: string): string {
  return file.name === '' ? place : `${quoted(file.name)}, ${place}`;
}

export function lineOf(file: ExportFile, line: number): string {
  return placeOf(file, `line ${line}`);
}

/** Tells the bytes of all files that are read one after the other. */
export function progressOf(options: ReadingOptions): { of(file: ExportFile): (bytes: number) => void } {
  let before = 0;
  return {
    of(file) {
      const base = before;
      before += file.size;
      return (bytes) => options.onProgress?.(base + bytes);
    },
  };
}

/** The text of a file in pieces, decoded. Errors: `invalid-input` (it is not text). */
async function* textOf(
  exported: ExportFiles,
  file: ExportFile,
  { signal, onProgress }: ReadingOptions,
): AsyncGenerator<string> {
  for await (const text of decodeStream(file.pieces(onProgress, signal))) {
    if (text === null) {
      throw new PunaError(
        'invalid-input',
        `${nameOf(exported, file)} is not a text.`,
        'Export the data again, as text or JSON.',
      );
    }
    yield text;
  }
}

/** The lines of a file without their ends, each with its number. Errors: `invalid-input` (not text, a line that is too long). */
export async function* linesOf(
  exported: ExportFiles,
  file: ExportFile,
  options: ReadingOptions,
): AsyncGenerator<{ text: string; line: number }> {
  let held = '';
  let line = 1;
  for await (const piece of textOf(exported, file, options)) {
    const lines = (held + piece).split('\n');
    held = lines.pop() ?? '';
    if (held.length > maxRecordBytes)
      throw tooLong(`${nameOf(exported, file)}, line ${line}`, maxRecordBytes);
    for (const text of lines) yield { text: text.endsWith('\r') ? text.slice(0, -1) : text, line: line++ };
  }
  if (held !== '') yield { text: held, line };
}

/** The elements of a list, or objects that stand alone, as where a person has cut one out. */
export function isElementOrWhole(path: JsonPath, opening: string): boolean {
  return path.join() === '*' || (path.length === 0 && opening === '{');
}

/** The values of a file of JSON that are wanted, and where it is broken. Errors: `invalid-input` (not text, broken everywhere). */
export async function* valuesOf(
  exported: ExportFiles,
  file: ExportFile,
  wants: (path: JsonPath, opening: string) => boolean,
  options: ReadingOptions,
): AsyncGenerator<JsonFound> {
  const scanner = new JsonScanner(nameOf(exported, file), wants);
  for await (const piece of textOf(exported, file, options)) yield* scanner.write(piece);
  yield* scanner.end();
}
