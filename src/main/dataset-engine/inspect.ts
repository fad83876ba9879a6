import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DataSource } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { openExport } from '../datasets/export-files.ts';
import { StrangeDates } from '../datasets/import/date-pattern.ts';
import type { Speakers } from '../datasets/import/importer.ts';
import { importFiles } from '../datasets/import/folder.ts';
import { readExamples } from '../datasets/index.ts';
import { columnsIn, type Reader, readerOf, speakersIn } from '../datasets/survey.ts';
import { fileError } from '../storage/index.ts';
import { bytesOf } from './import-files.ts';

/** Files of a folder that are looked into, to know what it is and who speaks in it: more would take minutes. */
const maxLookedInto = 500;
/** Bytes of a file in which an example is looked for. */
const maxProbedBytes = 4 * 2 ** 20;

/** What is asked of a person. */
type Questions = Pick<DataSource, 'people' | 'me' | 'columns' | 'strangeDates'>;
const noQuestions: Questions = { people: null, me: null, columns: null, strangeDates: null };

/** Says what a file, archive or folder is that examples are to be read from. Why it cannot be read is part of that. Errors: the signal's reason. */
export async function inspect(
  { path, dates }: { path: string; dates: string | null },
  signal: AbortSignal,
): Promise<DataSource> {
  const source: DataSource = {
    ...{ path, name: basename(path) || path, bytes: 0, files: 1, kind: 'unknown', ...noQuestions },
    failure: null,
  };
  try {
    const isFolder = (await stat(path)).isDirectory();
    if (isFolder) Object.assign(source, { kind: 'folder', files: 0 });
    else source.bytes = await bytesOf(path);
    await lookIntoAll(source, { isFolder, dates, signal });
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message, remedy, stack } = PunaError.from(fileError(thrown, path));
    if (code === 'internal') process.stderr.write(`${stack}\n`);
    source.failure = { code, message, remedy };
  }
  return source;
}

async function lookIntoFile(source: DataSource, dates: string | null, signal: AbortSignal): Promise<void> {
  const { path } = source;
  const reader = await readerOf(path, signal);
  source.kind = kindOf(reader);
  Object.assign(source, await questionsOf(reader, path, { dates, signal }));
  if (!reader.importer) await findExample(path, signal);
}

/** A folder or an archive is an export as a whole, or one of files that each stand for themselves. */
async function lookIntoAll(
  source: DataSource,
  { isFolder, dates, signal }: { isFolder: boolean; dates: string | null; signal: AbortSignal },
): Promise<void> {
  const { path } = source;
  await using found = await importFiles([path], signal);
  const { files } = found;
  if (files.length === 1 && files[0] === path) {
    if (isFolder) {
      await using exported = await openExport(path);
      source.files = exported.files.length;
      source.bytes = await bytesOf(path);
    }
    return await lookIntoFile(source, dates, signal);
  }
  source.kind = 'folder';
  source.files = files.length;
  if (isFolder) for (const file of files) source.bytes += await bytesOf(file);
  const seen: { kind: string; questions: Questions }[] = [];
  for (const file of files.slice(0, maxLookedInto)) {
    signal.throwIfAborted();
    const found = await lookInto(file, dates, signal);
    if (found) seen.push(found);
  }
  Object.assign(source, together(seen));
}

/** What cannot be read of a folder is told when it is imported. */
async function lookInto(
  path: string,
  dates: string | null,
  signal: AbortSignal,
): Promise<{ kind: string; questions: Questions } | null> {
  try {
    const reader = await readerOf(path, signal);
    return { kind: kindOf(reader), questions: await questionsOf(reader, path, { dates, signal }) };
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** One answer is for all files of a folder; what is asked of some kinds alone is asked where all are of that kind. */
function together(seen: readonly { kind: string; questions: Questions }[]): Partial<DataSource> {
  const kinds = new Set(seen.map(({ kind }) => kind));
  const [only] = kinds;
  const isOne = kinds.size === 1 && only !== undefined;
  const questions = seen.flatMap(({ kind, questions }) => (isOne || kind !== 'mbox' ? [questions] : []));
  const asked = questions.filter(({ people }) => people !== null);
  const exporters = new Set(asked.map(({ me }) => me));
  const [me = null] = exporters;
  return {
    kind: isOne ? only : 'folder',
    people: asked.length === 0 ? null : summedUp(asked.flatMap(({ people }) => people ?? [])),
    me: exporters.size === 1 ? me : null,
    columns: isOne ? (questions[0]?.columns ?? null) : null,
    strangeDates: questions.find(({ strangeDates }) => strangeDates !== null)?.strangeDates ?? null,
  };
}

function summedUp(people: readonly { name: string; messages: number }[]): DataSource['people'] {
  const messages = new Map<string, number>();
  for (const person of people) {
    messages.set(person.name, (messages.get(person.name) ?? 0) + person.messages);
  }
  return [...messages]
    .map(([name, count]) => ({ name, messages: count }))
    .sort((one, other) => other.messages - one.messages);
}

function kindOf(reader: Reader): string {
  if (reader.importer) return reader.importer.name;
  return reader.form === 'text' ? 'text' : 'examples';
}

async function questionsOf(
  reader: Reader,
  path: string,
  { dates, signal }: { dates: string | null; signal: AbortSignal },
): Promise<Questions> {
  const columns = await columnsIn(reader, path, signal);
  const found = await speakersOrDates(reader, path, { dates, signal });
  if (found === null) return { ...noQuestions, columns };
  if ('lines' in found) return { ...noQuestions, strangeDates: [...found.lines] };
  return { ...noQuestions, people: [...found.people], me: found.me };
}

/** Who speaks, or the lines of which nobody knows the dates; a description of them that is wrong, or fits no line, is none. */
async function speakersOrDates(
  reader: Reader,
  path: string,
  { dates, signal }: { dates: string | null; signal: AbortSignal },
): Promise<Speakers | StrangeDates | null> {
  try {
    const speakers = await speakersIn(reader, path, { dates, signal });
    if (dates === null || speakers === null || speakers.people.length > 0) return speakers;
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof StrangeDates) return thrown;
    if (dates === null) throw thrown;
  }
  return speakersOrDates(reader, path, { dates: null, signal });
}

/** Whether anything can be read from a file of examples, as far as its beginning tells. Errors: those of `readExamples`. */
async function findExample(path: string, signal: AbortSignal): Promise<void> {
  let read = 0;
  const enough = new AbortController();
  const onProgress = (bytes: number) => {
    read = bytes;
    if (read > maxProbedBytes) enough.abort();
  };
  const reading = readExamples(path, { signal: AbortSignal.any([signal, enough.signal]), onProgress });
  try {
    for await (const example of reading) {
      void example;
      return;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (!enough.signal.aborted) throw thrown;
  }
}
