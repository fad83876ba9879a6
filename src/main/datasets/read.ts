import { stat } from 'node:fs/promises';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import { finished } from './conversation.ts';
import type { Example, ReadReport } from './example.ts';
import { draftsOf } from './import/index.ts';
import { readDocument } from './json-document.ts';
import { readJsonLines } from './json-lines.ts';
import { type FileForm, recogniseForm } from './recognise.ts';
import { Tally } from './tally.ts';
import { readText } from './whole-text.ts';

/**
 * Reads the examples of a file, recognised by content, as a stream. The report is brought up to date while they are read.
 * Errors: `invalid-input` (empty, not text, broken JSON, of no known kind, too long, nothing to learn from), `file-missing`;
 * the signal's reason when it aborts.
 */
export async function* readExamples(
  path: string,
  options: { signal?: AbortSignal; report?: ReadReport } = {},
): AsyncIterable<Example> {
  const { signal, report = { examples: 0, skipped: [] } } = options;
  const tally = new Tally(report);
  try {
    await checkIsFile(path);
    const form = await recogniseForm(path, signal);
    let found = 0;
    for await (const example of examplesIn(form, path, tally, signal)) {
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

async function* examplesIn(
  form: FileForm,
  path: string,
  tally: Tally,
  signal?: AbortSignal,
): AsyncGenerator<Example> {
  if (form === 'text') {
    yield { kind: 'text', text: await readText(path, signal) };
    return;
  }
  const records = form === 'lines' ? readJsonLines(path, signal) : readDocument(path, signal);
  for await (const { value, where } of records) {
    signal?.throwIfAborted();
    for (const draft of draftsOf(value, `${path}, ${where}`)) {
      const example = finished(draft, tally);
      if (example) yield example;
    }
  }
}

/** Before it is opened: opening a named pipe would wait for its writer, possibly for ever. */
async function checkIsFile(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile()) return;
  const what = found.isDirectory() ? 'is a folder' : 'is not a file';
  throw new PunaError('invalid-input', `${path} ${what}.`, 'Choose a file with training data.');
}

function nothingToLearn(path: string, { skipped }: ReadReport): PunaError {
  const reasons = skipped.map(({ reason, count }) => `${reason} (${count})`).join(', ');
  return new PunaError(
    'invalid-input',
    `${path} has no example to learn from${reasons && `; left out: ${reasons}`}.`,
    'Each example needs a text, or a user turn with a reply.',
  );
}
