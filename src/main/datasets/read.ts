import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { finished } from './conversation.ts';
import type { Draft } from './draft.ts';
import type { Example, ReadReport } from './example.ts';
import { type FoundRecord, isJsonObject, placeKey } from './found-record.ts';
import type { ColumnMapping, Importer, Person } from './import/importer.ts';
import { draftsOf, NotAnExample } from './import/index.ts';
import { wholeFile } from './import/whole-document.ts';
import { readDocument } from './json-document.ts';
import { readJsonLines } from './json-lines.ts';
import type { FileForm } from './recognise.ts';
import { readerOf, speakersIn } from './survey.ts';
import { Tally } from './tally.ts';
import { readText } from './whole-text.ts';

/** Where an example stands in a file. */
export interface Place {
  /** Null: it is the whole file. */
  at: string | null;
  /** What the file itself calls it; null: nothing. */
  name: string | null;
}

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** Brought up to date while examples are read. */
  report?: ReadReport | undefined;
  /** Whose messages become the assistant's turns, in chats between people; null: whoever exported it, where that can be told. */
  me?: string | null | undefined;
  /** Null: by the names that columns usually have. */
  columns?: ColumnMapping | null | undefined;
  /** How a chat's dates are written, where that is not known, such as `D/M/YYYY, h:m - `. */
  dates?: string | null | undefined;
  /** Called before each example with where it stands. */
  onPlace?: ((place: Place) => void) | undefined;
  /** Called now and then with the bytes of the file that have been read. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Reads the examples of a file, an archive or a folder, recognised by content, as a stream. Errors: `invalid-input` (empty, not
 * text, nothing but broken JSON or what is of no known kind, too long, nothing to learn from, a chat of which it cannot be told whose messages are to
 * be learnt), `file-missing`; the signal's reason when it aborts.
 */
export async function* readExamples(path: string, options: ReadOptions = {}): AsyncIterable<Example> {
  const { signal, report = { examples: 0, skipped: [] } } = options;
  const tally = new Tally(report);
  try {
    const reader = await readerOf(path, signal);
    let found = 0;
    const examples = reader.importer
      ? imported(reader.importer, path, tally, options)
      : plainExamples(path, reader.form, tally, options);
    for await (const example of examples) {
      signal?.throwIfAborted();
      found++;
      report.examples++;
      yield example;
    }
    if (found === 0) throw nothingToLearn(path, report);
  } catch (thrown) {
    signal?.throwIfAborted();
    throw fileError(thrown, path);
  }
}

/** Who speaks in a chat between people, most messages first; null where it is no such chat. Errors: those of `readExamples`. */
export async function peopleIn(
  path: string,
  { signal, dates = null }: Pick<ReadOptions, 'signal' | 'dates'> = {},
): Promise<Person[] | null> {
  try {
    const speakers = await speakersIn(await readerOf(path, signal), path, { signal, dates });
    return speakers && [...speakers.people];
  } catch (thrown) {
    signal?.throwIfAborted();
    throw fileError(thrown, path);
  }
}

async function* imported(
  importer: Importer,
  path: string,
  tally: Tally,
  { signal, me = null, columns = null, dates = null, onPlace, onProgress }: ReadOptions,
): AsyncGenerator<Example> {
  const options = { me, columns, dates, ...(signal && { signal }), ...(onProgress && { onProgress }) };
  for await (const found of importer.read(path, options)) {
    signal?.throwIfAborted();
    tally.where = found.where;
    if (found.kind === 'skipped') tally.skip(found.reason);
    else {
      const example = finished(found.draft, tally);
      if (!example) continue;
      onPlace?.({ at: found.where === wholeFile ? null : found.where, name: null });
      yield example;
    }
  }
}

/**
 * Of files whose examples stand in the ways that programs for training use, or whose words are one text. What is broken is left out;
 * where nothing else is there, the first of it is the error.
 */
async function* plainExamples(
  path: string,
  form: FileForm,
  tally: Tally,
  { signal, onPlace, onProgress }: ReadOptions,
): AsyncGenerator<Example> {
  if (form === 'text') {
    onPlace?.({ at: null, name: null });
    yield { kind: 'text', text: await readText(path, signal) };
    return;
  }
  const read = form === 'lines' ? readJsonLines : readDocument;
  let first: PunaError | null = null;
  let found = 0;
  for await (const record of read(path, signal, onProgress)) {
    signal?.throwIfAborted();
    const sound = 'error' in record ? record : draftsIn(record, path);
    if ('error' in sound) {
      tally.skipAt(sound.reason, record.where);
      first ??= sound.error;
      continue;
    }
    for (const draft of sound.drafts) {
      const example = finished(draft, tally);
      if (!example) continue;
      found++;
      onPlace?.({ at: record.where, name: sound.name });
      yield example;
    }
  }
  if (found === 0 && first) throw first;
}

/** The drafts of a record, or why it has none. */
function draftsIn(
  { value, where }: FoundRecord,
  path: string,
): { drafts: Draft[]; name: string | null } | { reason: string; error: PunaError } {
  try {
    const name = isJsonObject(value) ? value[placeKey] : null;
    return { drafts: draftsOf(value, `${path}, ${where}`), name: typeof name === 'string' ? name : null };
  } catch (thrown) {
    if (thrown instanceof NotAnExample) return { reason: thrown.reason, error: thrown };
    throw thrown;
  }
}

function nothingToLearn(path: string, { skipped }: ReadReport): PunaError {
  const reasons = skipped.map(({ reason, count }) => `${reason} (${count})`).join(', ');
  return new PunaError(
    'invalid-input',
    `${path} has no example to learn from${reasons && `; left out: ${reasons}`}.`,
    'Each example needs a text, or a user turn with a reply.',
  );
}
