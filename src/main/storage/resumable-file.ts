import { open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import { moveDurably, writeAtomically } from './atomic-file.ts';
import { fileError } from './file-error.ts';

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

/** An engine whose program was killed notices that within a second, and ends; so long the next one waits for it. */
const patienceMs = 3_000;

const journalSchema = z.object({
  signature: z.string(),
  /** Who writes it. */
  process: z.int(),
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
export async function writeResumably(
  path: string,
  units: readonly Unit[],
  { signature, signal, onProgress, flushEvery = usualFlush }: ResumableOptions,
  patch?: Patch,
): Promise<string[]> {
  const begun = begunNames(path);
  const journal = await freedJournal(path);
  const results = journal?.signature === signature ? journal.results.slice(0, units.length) : [];
  try {
    await using handle = await open(begun.part, results.length > 0 ? 'r+' : 'w');
    let position = units.slice(0, results.length).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
    if ((await handle.stat()).size < position) {
      results.length = 0;
      position = 0;
    }
    await handle.truncate(position);
    const keep = () => writeJournal(begun.journal, { signature, process: process.pid, results });
    await keep();
    onProgress?.(position);

    let unflushed = 0;
    for (const unit of units.slice(results.length)) {
      const pieces = unit.pieces(results);
      const start = position;
      let step = await pieces.next();
      for (; !step.done; step = await pieces.next()) {
        signal?.throwIfAborted();
        const { byteLength } = step.value;
        await writeFully(handle, step.value, position);
        position += byteLength;
        onProgress?.(position);
      }
      if (unit.bytes !== null && position - start !== unit.bytes) {
        throw new Error(`${path}: a unit has ${position - start} bytes instead of ${unit.bytes}.`);
      }
      results.push(step.value);
      unflushed += position - start;
      if (unflushed >= flushEvery && unit.bytes !== null) {
        await handle.datasync();
        await keep();
        unflushed = 0;
      }
    }
    if (patch) {
      const { position: at, bytes } = patch(results);
      await writeFully(handle, bytes, at);
    }
    await handle.sync();
  } catch (thrown) {
    throw fileError(thrown, path);
  }
  await moveDurably(begun.part, path);
  await rm(begun.journal, { force: true });
  return results;
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

/** What is there of an earlier try that nobody goes on with. Errors: `already-running`. */
async function freedJournal(path: string): Promise<Journal | null> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const journal = await readJournal(begunNames(path).journal);
    if (!journal || journal.process === process.pid || !isAlive(journal.process)) return journal;
    if (performance.now() > until) {
      throw new PunaError(
        'already-running',
        `Another Puna is writing ${path}.`,
        'Wait until it has finished, or choose another name.',
      );
    }
    await wait(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
