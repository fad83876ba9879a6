import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { moveDurably, writeAtomically } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { whileLocked } from './resumable-lock.ts';

/** A stretch of a large file that is made as a whole: after a crash, writing goes on behind the last whole one. */
export interface Unit {
  /** Exactly so many bytes are made; null where that shows only when they are made, which only last units may be. */
  readonly bytes: number | null;
  /**
   * Makes them. `earlier` are the results of all units before this one, also of those that were written before a crash. What is
   * returned at the end is this unit's own result.
   */
  pieces(earlier: readonly string[]): AsyncGenerator<Uint8Array, string>;
}

export interface ResumableOptions {
  /** Tells what is being made of what: writing goes on only where this is the same as before. */
  signature: string;
  signal?: AbortSignal;
  /** Called with the bytes that are there, after each piece. */
  onProgress?: (bytes: number) => void;
  /** As much may have to be made again after a crash. */
  flushEvery?: number;
}

/** Bytes that are written over those at a place once all units are there, such as a header that tells their sizes. */
export type Patch = (results: readonly string[]) => { position: number; bytes: Uint8Array };

/** Enough that flushing costs little. */
const usualFlush = 256 * 1024 * 1024;

const journalSchema = z.object({
  signature: z.string(),
  results: z.array(z.string()),
});
type Journal = z.infer<typeof journalSchema>;

/**
 * Writes a large file unit by unit, so that it appears under its name only when it is whole, and that a process that dies
 * loses little: the next one that writes the same file (`signature`) goes on behind the last unit that was flushed. What was
 * begun stays where it is when the signal is aborted or a unit throws; `discardBegun` removes it. Gives the results of all units.
 * Errors: `disk-full`, `file-missing` (the folder), `invalid-input` (it cannot be written), `already-running` (another process
 * writes the same file), and whatever the units throw.
 */
export function writeResumably(
  path: string,
  units: readonly Unit[],
  options: ResumableOptions,
  patch?: Patch,
): Promise<string[]> {
  return whileLocked(path, () => writeLocked(path, units, options, patch));
}

async function writeLocked(
  path: string,
  units: readonly Unit[],
  options: ResumableOptions,
  patch: Patch | undefined,
): Promise<string[]> {
  const begun = begunNames(path);
  try {
    const there = await whatIsThere(begun, units, options.signature);
    await using handle = await open(begun.part, there.results.length > 0 ? 'r+' : 'w');
    await handle.truncate(there.position);
    const keep = (results: readonly string[]) =>
      writeJournal(begun.journal, { signature: options.signature, results: [...results] });
    await keep(there.results);
    const results = await writeUnits(handle, units, { ...there, keep }, options);
    if (patch) {
      const { position, bytes } = patch(results);
      await writeFully(handle, bytes, position);
    }
    await handle.sync();
    await handle.close();
    await moveDurably(begun.part, path);
    await rm(begun.journal, { force: true });
    return results;
  } catch (thrown) {
    throw fileError(thrown, path);
  }
}

/** Writes the units that are not there yet. `keep` is told, after a flush, what is there for good. Gives all results. */
async function writeUnits(
  handle: FileHandle,
  units: readonly Unit[],
  there: { results: string[]; position: number; keep: (results: readonly string[]) => Promise<void> },
  { signal, onProgress, flushEvery = usualFlush }: ResumableOptions,
): Promise<string[]> {
  const { results, keep } = there;
  let { position } = there;
  onProgress?.(position);
  const flush = async (whole: readonly string[]) => {
    await handle.datasync();
    await keep(whole);
  };
  // Flushing takes the disk seconds, in which more is computed and written.
  const flushing = new Background();
  let unflushed = 0;
  try {
    for (const unit of units.slice(results.length)) {
      const before = position;
      const result = await drained(unit.pieces(results), async (piece) => {
        signal?.throwIfAborted();
        await writeFully(handle, piece, position);
        position += piece.byteLength;
        onProgress?.(position);
      });
      if (unit.bytes !== null && position - before !== unit.bytes) {
        throw new Error(`A unit has ${position - before} bytes instead of ${unit.bytes}.`);
      }
      results.push(result);
      unflushed += position - before;
      if (unflushed < flushEvery || unit.bytes === null || flushing.busy) continue;
      const whole = [...results];
      flushing.start(() => flush(whole));
      unflushed = 0;
    }
    await flushing.ended();
    return results;
  } catch (thrown) {
    // Whoever stops, or frees some space, goes on behind all that was made, but for ends whose size is not known.
    await flushing.ended().catch(() => undefined);
    await flush(results.filter((_, index) => units[index]?.bytes !== null)).catch(() => undefined);
    throw thrown;
  }
}

/** One thing that is done beside everything else. */
class Background {
  #work: Promise<void> = Promise.resolve();
  busy = false;

  start(work: () => Promise<void>): void {
    this.busy = true;
    this.#work = work().finally(() => (this.busy = false));
    // Whoever waits for the end hears of it.
    this.#work.catch(() => undefined);
  }

  /** Errors: those of the work. */
  ended(): Promise<void> {
    return this.#work;
  }
}

/** Results of units that are there, and where writing goes on behind them; none where what was begun is something else or damaged. */
async function whatIsThere(
  { part, journal: journalPath }: { part: string; journal: string },
  units: readonly Unit[],
  signature: string,
): Promise<{ results: string[]; position: number }> {
  const journal = await readJournal(journalPath);
  const results = journal?.signature === signature ? journal.results.slice(0, units.length) : [];
  const position = units.slice(0, results.length).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  // A process that dies between giving the file its name and removing the journal leaves the journal alone.
  const size = await stat(part).then(
    (found) => found.size,
    () => -1,
  );
  return size < position || size < 0 ? { results: [], position: 0 } : { results, position };
}

/** Takes pieces one by one; gives what their generator returns. It is ended also where taking one fails: it may hold files open. */
async function drained(
  pieces: AsyncGenerator<Uint8Array, string>,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<string> {
  try {
    for (;;) {
      const step = await pieces.next();
      if (step.done) return step.value;
      await take(step.value);
    }
  } finally {
    await pieces.return('');
  }
}

/** How much of a file has been begun and can be gone on with; null where nothing was. In bytes. */
export async function begunBytes(path: string): Promise<number | null> {
  const { part } = begunNames(path);
  return stat(part).then(
    ({ size }) => size,
    () => null,
  );
}

/** Removes what `writeResumably` has begun and not finished. */
export async function discardBegun(path: string): Promise<void> {
  const { part, journal } = begunNames(path);
  // A folder of that name may have been begun (resumable-folder.ts).
  await rm(part, { recursive: true, force: true });
  await rm(journal, { force: true });
}

/** Hidden, beside the file. */
function begunNames(path: string): { part: string; journal: string } {
  const hidden = join(dirname(path), `.${basename(path)}`);
  return { part: `${hidden}.part`, journal: `${hidden}.journal` };
}

async function readJournal(path: string): Promise<Journal | null> {
  try {
    return journalSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Not there, or not whole: then there is nothing to go on with.
    return null;
  }
}

async function writeJournal(path: string, journal: Journal): Promise<void> {
  await writeAtomically(path, [JSON.stringify(journal)]);
}

async function writeFully(
  handle: Awaited<ReturnType<typeof open>>,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(
      bytes,
      written,
      bytes.byteLength - written,
      position + written,
    );
    written += bytesWritten;
  }
}
