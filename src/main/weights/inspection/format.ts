import { count, size } from '../figures.ts';
import type { Inspection } from './inspection.ts';
import { table } from './table.ts';

/** Longest value in the table of metadata; `--json` has it whole. */
const maxValueCharacters = 80;

/** The inspection as text for a terminal. */
export function formatInspection(inspection: Inspection): string {
  const { metadata, tensors, tensorTypes } = inspection;
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
    table(summary(inspection)),
    ...(metadata.length > 0 ? [`Metadata (${metadata.length})\n${indent(entries)}`] : []),
    ...(tensors.length > 0 ? [`Tensors (${tensors.length})\n${indent(types)}`] : []),
  ].join('\n\n');
}

function summary(inspection: Inspection): string[][] {
  const { kind, parameters, contextLength, hasChatTemplate, base, bytes, parts } = inspection;
  const hasTensors = kind !== 'recipe' && kind !== 'importance';
  const rows: [string, string | null][] = [
    ['File', inspection.path],
    ['Kind', kindNames[kind]],
    ['Name', inspection.title ?? '–'],
    ['Base', base],
    ['Architecture', hasTensors ? (inspection.architecture ?? '–') : null],
    ['Parameters', hasTensors ? (parameters === null ? '–' : count(parameters)) : null],
    ['Quantization', hasTensors ? (inspection.quantization ?? '–') : null],
    ['Context', contextLength === null ? (hasTensors ? '–' : null) : `${contextLength} tokens`],
    ['Chat template', hasChatTemplate === null ? null : hasChatTemplate ? 'yes' : 'no'],
    ['Size', size(bytes) + (parts > 1 ? ` in ${parts} files` : '')],
    ['Format', formatOf(inspection)],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

const kindNames: Record<Inspection['kind'], string> = {
  model: 'model',
  delta: 'delta (what was learnt on another model)',
  adapter: 'adapter (LoRA)',
  tensors: 'tensors without a description',
  importance: 'importance matrix',
  recipe: 'recipe of a merge',
};

function formatOf({ layout, ggufVersion }: Inspection): string | null {
  if (ggufVersion !== null) return `GGUF version ${ggufVersion}`;
  return layoutNames[layout];
}

const layoutNames: Record<Inspection['layout'], string | null> = {
  gguf: 'GGUF',
  'hugging-face': 'folder of Hugging Face',
  meta: "Meta's checkpoint",
  safetensors: 'safetensors',
  pytorch: 'PyTorch checkpoint',
  peft: 'folder of PEFT',
  other: null,
};

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function cut(text: string): string {
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters)}…` : text;
}
