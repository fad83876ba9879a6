import { setImmediate } from 'node:timers/promises';
import { PunaError } from '../../shared/error.ts';
import { clean, type CleanReport, emptyCleanReport } from '../datasets/clean/index.ts';
import { type Example, type Place, readExamples, type ReadReport } from '../datasets/index.ts';
import { DatasetWriter } from './dataset-writer.ts';
import { contentOf } from './example-content.ts';
import { filesOf, type SourceFile } from './import-files.ts';
import { LeftOutList } from './left-out.ts';
import type { ImportEvent, ImportInput, ImportResult } from './messages.ts';

/** Other jobs get a turn at least so often, in milliseconds: a person who looks at a table does not notice it. */
const turnEvery = 20;
/** How often progress is told, in milliseconds. */
const tellEvery = 100;

/**
 * Reads sources into a new dataset file, in memory that does not grow with them. A source that cannot be read is left out and told.
 * Errors: `nothing-to-learn` (there are none), `invalid-input` or `file-missing` (none of them can be read), `invalid-input` (nothing is
 * left after cleaning), `disk-full`; the signal's reason when it aborts. Then nothing is left behind.
 */
export async function runImport(
  { sources, clean: settings, validation, seed, out }: ImportInput,
  { signal, emit }: { signal: AbortSignal; emit: (event: ImportEvent) => void },
): Promise<ImportResult> {
  const leftOut = new LeftOutList();
  const cleaned = settings && emptyCleanReport();
  await using opened = new AsyncDisposableStack();
  const reading = new Reading(await filesOf(sources, leftOut, { signal, opened }), {
    ...{ leftOut, cleaned, signal, emit },
  });
  const examples = settings && cleaned ? clean(reading.examples(), settings, cleaned) : reading.examples();
  await using writer = await DatasetWriter.create(out, { validation, seed });
  for await (const example of examples) {
    writer.append({ content: contentOf(example), source: reading.source });
  }
  signal.throwIfAborted();
  // Without sources, it is for examples that a person writes.
  if (sources.length > 0 && reading.found === 0) throw leftOut.firstFailure ?? nothingFound();
  if (sources.length > 0 && writer.kept === 0) throw nothingLeft(reading.found);
  const counts = await writer.finish();
  return { counts, leftOut: leftOut.entries, cleaned, sampledFrom: writer.sampledFrom };
}

interface ReadingParts {
  leftOut: LeftOutList;
  /** Null where nothing is cleaned. */
  cleaned: CleanReport | null;
  signal: AbortSignal;
  emit: (event: ImportEvent) => void;
}

/** The reading of files, one after the other. */
class Reading {
  /** Examples so far. */
  found = 0;
  readonly #files: readonly SourceFile[];
  readonly #parts: ReadingParts;
  readonly #bytes: number;
  #label = '';
  #place: Place = { at: null, name: null };
  #bytesBefore = 0;
  #toldAt = 0;
  #turnAt = performance.now();

  constructor(files: readonly SourceFile[], parts: ReadingParts) {
    this.#files = files;
    this.#parts = parts;
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What the last example comes from: what the file itself calls it, or the file's label and the place in it. */
  get source(): string {
    const { at, name } = this.#place;
    if (name !== null) return name;
    return at === null ? this.#label : `${this.#label}, ${at}`;
  }

  async *examples(): AsyncGenerator<Example> {
    for (const file of this.#files) {
      this.#label = file.label;
      this.#tell(0);
      yield* this.#examplesOf(file);
      this.#bytesBefore += file.bytes;
    }
  }

  async *#examplesOf({ path, label, me, columns, dates }: SourceFile): AsyncGenerator<Example> {
    const { signal, leftOut } = this.#parts;
    const report: ReadReport = { examples: 0, skipped: [] };
    const onProgress = (bytes: number) => this.#tell(bytes);
    const onPlace = (place: Place) => void (this.#place = place);
    try {
      const reading = readExamples(path, { ...{ signal, report, me, columns, dates, onPlace, onProgress } });
      for await (const example of reading) {
        if (performance.now() - this.#turnAt >= turnEvery) await this.#giveTurn();
        this.found++;
        yield example;
      }
    } catch (thrown) {
      signal.throwIfAborted();
      leftOut.fail(thrown, { path, label });
    }
    leftOut.add(report.skipped, this.#files.length > 1 ? label : null);
  }

  async #giveTurn(): Promise<void> {
    await setImmediate();
    this.#parts.signal.throwIfAborted();
    this.#turnAt = performance.now();
  }

  #tell(bytes: number): void {
    const now = performance.now();
    if (now - this.#toldAt < tellEvery) return;
    this.#toldAt = now;
    const { cleaned, emit } = this.#parts;
    const share = Math.min(1, (this.#bytesBefore + bytes) / Math.max(1, this.#bytes));
    emit({ type: 'progress', share, examples: cleaned?.kept ?? this.found, current: this.#label });
  }
}

function nothingFound(): PunaError {
  return new PunaError('nothing-to-learn', 'There is nothing to learn from.', 'Choose other files.');
}

function nothingLeft(found: number): PunaError {
  return new PunaError(
    'invalid-input',
    `Cleaning has left nothing of ${found} ${found === 1 ? 'example' : 'examples'}.`,
    'Keep more languages or shorter examples, or switch cleaning off.',
  );
}
