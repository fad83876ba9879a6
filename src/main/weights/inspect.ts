import { resolve } from 'node:path';
import { count, size } from './figures.ts';
import { type GgmlTypeName, printable, showMetadata, type ShownMetadata } from './formats/gguf.ts';
import { readModelFile, typeSummary } from './model-file.ts';

/** What a model or adapter file holds, as plain data. */
export interface Inspection {
  path: string;
  kind: 'model' | 'adapter';
  architecture: string | null;
  title: string | null;
  parameters: number | null;
  quantization: string | null;
  /** In tokens. */
  contextLength: number | null;
  hasChatTemplate: boolean;
  bytes: number;
  parts: number;
  ggufVersion: number;
  metadata: ShownMetadata[];
  /** Most bytes first. */
  tensorTypes: { type: GgmlTypeName; tensors: number; parameters: number; bytes: number }[];
  tensors: { name: string; type: GgmlTypeName; shape: number[]; bytes: number }[];
}

/** Says what a GGUF file holds without loading it. Errors: those of `readModelFile`. */
export async function inspect(path: string): Promise<Inspection> {
  const { metadata, tensors, ...file } = await readModelFile(resolve(path));
  const { kind, architecture, title, parameters, quantization, contextLength, hasChatTemplate } = file;
  return {
    ...{ path: file.path, kind, architecture, title, parameters, quantization, contextLength },
    ...{ hasChatTemplate, bytes: file.bytes, parts: file.parts, ggufVersion: file.ggufVersion },
    metadata: showMetadata(metadata),
    tensorTypes: typeSummary(tensors),
    tensors: tensors.map(({ name, type, shape, bytes }) => ({
      name,
      type: type.name,
      shape: [...shape],
      bytes,
    })),
  };
}

/** Longest value in the table of metadata; `--json` has it whole. */
const maxValueCharacters = 80;

/** The inspection as text for a terminal. */
export function formatInspection(inspection: Inspection): string {
  const { metadata, tensors, tensorTypes } = inspection;
  const summary = table([
    ['File', inspection.path],
    ['Kind', inspection.kind === 'adapter' ? 'adapter (LoRA)' : 'model'],
    ['Name', inspection.title ?? '–'],
    ['Architecture', inspection.architecture ?? '–'],
    ['Parameters', inspection.parameters === null ? '–' : count(inspection.parameters)],
    ['Quantization', inspection.quantization ?? '–'],
    ['Context', inspection.contextLength === null ? '–' : `${inspection.contextLength} tokens`],
    ['Chat template', inspection.hasChatTemplate ? 'yes' : 'no'],
    ['Size', size(inspection.bytes) + (inspection.parts > 1 ? ` in ${inspection.parts} files` : '')],
    ['Format', `GGUF version ${inspection.ggufVersion}`],
  ]);
  const entries = table(metadata.map(({ key, type, value }) => [key, type, cut(value)]));
  const types = table(
    tensorTypes.map((line) => [
      line.type,
      `${line.tensors} tensors`,
      `${count(line.parameters)} parameters`,
      size(line.bytes),
    ]),
  );
  return [
    summary,
    `Metadata (${metadata.length})\n${indent(entries)}`,
    `Tensors (${tensors.length})\n${indent(types)}`,
  ].join('\n\n');
}

/** Columns as wide as their widest cell. */
function table(cells: string[][]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  const line = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function cut(text: string): string {
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters)}…` : text;
}
