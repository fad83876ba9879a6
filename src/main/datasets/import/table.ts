import { PunaError } from '../../../shared/error.ts';
import { quoted } from '../../weights/formats/printable.ts';
import type { Draft, DraftTurn } from '../draft.ts';
import { draftsOf } from './index.ts';
import type { ColumnMapping, Found } from './importer.ts';

/** A row of a table: its cells by the names of their columns. */
export type Row = Readonly<Record<string, unknown>>;

/** What the columns of a table are, and the drafts of its rows. */
export interface TableReader {
  /** The columns that are read; no other is needed. */
  readonly columns: readonly string[];
  /** What they are; empty where they hold whole conversations. */
  readonly mapping: ColumnMapping;
  /** Errors: `invalid-input` (a cell that holds a conversation in a way that is not known). */
  drafts(row: Row, where: string): Draft[];
}

type Part = 'prompt' | 'material' | 'reply' | 'system' | 'text';

/** Names that columns have in data sets that people share and in tables that they make; the first that is there is taken. */
const usualNames: Readonly<Record<Part, readonly string[]>> = {
  prompt: [
    ...['prompt', 'instruction', 'question', 'query', 'input', 'user', 'human', 'problem', 'request'],
    ...['질문', '프롬프트', '지시', '지시문', '명령', '명령어', '입력', '문제', '요청', '사용자'],
  ],
  // What a prompt is about, in a column of its own; it follows the prompt.
  material: ['input', 'context', 'passage', '입력', '문맥', '지문', '맥락'],
  reply: [
    ...['completion', 'response', 'output', 'answer', 'reply', 'assistant', 'solution', 'target', 'chosen'],
    ...['답변', '응답', '대답', '답', '출력', '정답', '완성', '해답'],
  ],
  system: ['system', 'system prompt', 'system message', '시스템', '시스템 프롬프트'],
  text: [
    ...['text', 'content', 'contents', 'body', 'document', 'article', 'story', 'essay', 'message', 'post'],
    ...['텍스트', '본문', '내용', '글', '문서'],
  ],
};

/** Columns that a sentence names: enough to choose from, in tables that people write by hand. */
const maxNamedColumns = 20;

/** Columns that hold a whole conversation, or several answers, and are read as objects of JSONL with the same keys are. */
const nestedNames = ['messages', 'conversations', 'instances'];

/** Case, hyphens and underscores do not tell columns apart. */
function simple(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ');
}

/** Whether one of these names is a usual one, so that they are names and not the first row of the data. */
export function namesColumns(names: readonly string[]): boolean {
  const usual = new Set([...Object.values(usualNames).flat(), ...nestedNames]);
  return names.some((name) => usual.has(simple(name)));
}

/** What the columns of a table would be taken for; empty where that cannot be told, or they hold whole conversations. */
export function usualMapping(columns: readonly string[]): ColumnMapping {
  return usualReader(columns)?.mapping ?? {};
}

/**
 * How the rows of a table with these columns are read: as the mapping says, else by their usual names. Errors: `invalid-input` (a column
 * of the mapping that is not there, or nothing that can be told; the sentence lists the columns).
 */
export function tableReader(
  columns: readonly string[],
  mapping: ColumnMapping | null,
  path: string,
): TableReader {
  const usual = usualReader(columns);
  // Who leaves columns as they were guessed means all that was guessed, which is more than a mapping can say.
  if (mapping && !(usual && isSame(mapping, usual.mapping))) return mapped(columns, mapping, path);
  if (usual) return usual;
  throw unknownColumns(columns, path);
}

function isSame(one: ColumnMapping, other: ColumnMapping): boolean {
  return (['prompt', 'reply', 'system', 'text'] as const).every((part) => one[part] === other[part]);
}

/** By the usual names; null where they do not tell. */
function usualReader(columns: readonly string[]): TableReader | null {
  const nested = nestedNames.find((name) => columns.includes(name));
  if (nested) return nestedReader(columns);
  const find = (part: Part, but?: string) =>
    usualNames[part]
      .map((usual) => columns.find((column) => simple(column) === usual && column !== but))
      .find((column) => column !== undefined);
  const [prompt, reply, text] = [find('prompt'), find('reply'), find('text')];
  if (prompt !== undefined && reply !== undefined) {
    return conversationReader({ prompt, material: find('material', prompt), reply, system: find('system') });
  }
  return text === undefined ? null : textReader(text);
}

function mapped(columns: readonly string[], mapping: ColumnMapping, path: string): TableReader {
  const { prompt, reply, system, text } = mapping;
  for (const name of [prompt, reply, system, text]) {
    if (name === undefined || columns.includes(name)) continue;
    throw new PunaError(
      'invalid-input',
      `${path} has no column ${quoted(name)}; it has ${named(columns)}.`,
      'Name columns as the table does, with the same capitals.',
    );
  }
  if (text !== undefined && prompt === undefined && reply === undefined) return textReader(text);
  if (text === undefined && prompt !== undefined && reply !== undefined) {
    return conversationReader({ prompt, reply, system });
  }
  throw new PunaError(
    'invalid-input',
    `The columns chosen for ${path} are neither a text alone nor a prompt with its reply.`,
    'Choose a column for the prompt and one for the reply, or only one for the text.',
  );
}

function conversationReader(parts: {
  prompt: string;
  material?: string | undefined;
  reply: string;
  system?: string | undefined;
}): TableReader {
  const { prompt, material, reply, system } = parts;
  const columns = [prompt, material, reply, system].filter((column) => column !== undefined);
  const drafts = (row: Row): Draft[] => {
    const asked = [prompt, material].map((column) => cell(row, column)).filter((text) => text.trim() !== '');
    const turns: DraftTurn[] = [
      { role: 'user', text: asked.join('\n\n') },
      { role: 'assistant', text: cell(row, reply) },
    ];
    const first = cell(row, system);
    if (first !== '') turns.unshift({ role: 'system', text: first });
    return [{ kind: 'conversation', turns }];
  };
  const mapping = { prompt, reply, ...(system !== undefined && { system }) };
  return { columns, mapping, drafts };
}

function textReader(column: string): TableReader {
  return {
    columns: [column],
    mapping: { text: column },
    drafts: (row) => [{ kind: 'text', text: cell(row, column) }],
  };
}

function nestedReader(columns: readonly string[]): TableReader {
  const wanted = [...nestedNames, 'instruction', 'system'].filter((name) => columns.includes(name));
  const drafts = (row: Row, where: string) =>
    draftsOf(Object.fromEntries(wanted.map((name) => [name, opened(row[name])])), where);
  return { columns: wanted, mapping: {}, drafts };
}

/** What a row holds; one that is not as its columns should be is passed over. */
export function* foundInRow(table: TableReader, row: Row, where: string, path: string): Generator<Found> {
  let drafts: Draft[];
  try {
    drafts = table.drafts(row, `${path}, ${where}`);
  } catch (thrown) {
    if (!(thrown instanceof PunaError)) throw thrown;
    yield { kind: 'skipped', reason: 'rows whose cells are not as their columns should be', where };
    return;
  }
  for (const draft of drafts) yield { kind: 'draft', draft, where };
}

/** In a table of texts, lists are written as JSON. */
function opened(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function cell(row: Row, column: string | undefined): string {
  const value = column === undefined ? undefined : row[column];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  return '';
}

function named(columns: readonly string[]): string {
  const shown = columns.slice(0, maxNamedColumns).map(quoted).join(', ');
  return columns.length > maxNamedColumns ? `${shown}, …` : shown;
}

function unknownColumns(columns: readonly string[], path: string): PunaError {
  return new PunaError(
    'invalid-input',
    `${path}: its columns ${named(columns)} do not tell which are a prompt and its reply, or a text.`,
    'Choose which column is the prompt and which the reply, or which is the text; columns without names are "column 1", "column 2" and so on.',
  );
}
