import type {
  CleanSettings,
  DataSource,
  ImportOrder,
  ImportSource,
} from '../../../../shared/contract/index.ts';

/** Which column of a table is what, as a person has said. */
export type Columns = NonNullable<DataSource['columns']>['mapping'];

/** What a person has answered about a source. Null: nothing yet. */
export interface Answers {
  me: string | null;
  columns: Columns | null;
  /** How the dates of a chat are written. */
  dates: string | null;
}

/** What has to be asked of a person before a source can be read. */
export type Question = 'me' | 'columns' | 'dates';

/** Columns that hold whole conversations need no mapping (src/main/datasets/import/table.ts). */
const wholeConversations = ['messages', 'conversations', 'instances'];

/** What still has to be answered; null: nothing. */
export function openQuestion(source: DataSource, answers: Answers): Question | null {
  if (source.strangeDates) return 'dates';
  if (source.people && source.people.length > 0 && answers.me === null) return 'me';
  return source.columns && !areKnown(source.columns, answers.columns) ? 'columns' : null;
}

/** Whether it is clear what the columns of a table are. `chosen`: by the person; null: as they were guessed. */
export function areKnown(
  { names, mapping }: NonNullable<DataSource['columns']>,
  chosen: Columns | null,
): boolean {
  if (chosen) return isComplete(chosen);
  return isComplete(mapping) || names.some((name) => wholeConversations.includes(name));
}

/** A text alone, or a question with its answer. */
function isComplete({ prompt, reply, text }: Columns): boolean {
  return text === undefined
    ? prompt !== undefined && reply !== undefined
    : prompt === undefined && reply === undefined;
}

/** Whoever is probably meant: the one who exported it, whoever was said elsewhere, or the one of last time. */
export function probableMe(source: DataSource, known: readonly (string | null)[]): string | null {
  const names = source.people?.map(({ name }) => name) ?? [];
  return [source.me, ...known].find((name) => name !== null && names.includes(name)) ?? null;
}

/** Columns that are as they were guessed are left to the reader, which knows more than four kinds. */
export function fileSource(path: string, { me, columns, dates }: Answers): ImportSource {
  return { from: 'file', path, me, columns, dates };
}

/** Cleaning with everything switched off is none. */
export function cleaningOf(settings: CleanSettings): ImportOrder['clean'] {
  return Object.values(settings).some(({ on }) => on) ? settings : null;
}

/** What a dataset is called unless a person gives it a name: the first source without its ending. */
export function plainName(label: string): string {
  return label.replace(/\.[A-Za-z0-9]{1,8}$/, '') || label;
}
