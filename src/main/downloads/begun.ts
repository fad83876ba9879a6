import { constants, type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { fileError, moveDurably, writeAtomically } from '../storage/index.ts';
import { type Range, Ranges } from './ranges.ts';

/** Tells the versions of a file apart that a server has: its ETag or its date, which only that server knows. */
export interface Validator {
  origin: string;
  /** As it is sent in If-Range. */
  value: string;
}

const position = z.int().nonnegative();
const journalSchema = z.object({
  /** What is downloaded: bytes of another file are of no use. */
  identity: z.string(),
  /** Size of the whole file in bytes, once a server has told it. */
  total: position.nullable(),
  validator: z.object({ origin: z.string(), value: z.string() }).nullable(),
  /** What is on the disk for good. */
  ranges: z.array(z.tuple([position, position])),
});
type Journal = z.infer<typeof journalSchema>;

/** After so many bytes or so long a time what has arrived is flushed; that much may have to be fetched again after a power cut. */
const flushEveryBytes = 64 * 1024 * 1024;
const flushEveryMs = 1_000;
/** A journal has some hundred bytes; disks give them out in blocks, of which folders want some, too. */
const journalRoomBytes = 256 * 1024;

/**
 * A file that is being downloaded, hidden beside its place, with a journal of what of it is there. The journal tells only of bytes that
 * were flushed before, so that it can be trusted whatever has happened since.
 */
export class BegunFile {
  readonly path: string;
  readonly ranges: Ranges;
  /** Whether an earlier download has left something. */
  readonly isResumed: boolean;
  total: number | null;
  validator: Validator | null;
  readonly #handle: FileHandle;
  readonly #out: string;
  readonly #identity: string;
  #unflushed = 0;
  #flushedAt = performance.now();
  #flushing: Promise<void> | null = null;

  private constructor(out: string, handle: FileHandle, journal: Journal) {
    this.#out = out;
    this.path = begunNames(out).part;
    this.#handle = handle;
    this.#identity = journal.identity;
    this.ranges = new Ranges(journal.ranges);
    this.total = journal.total;
    this.validator = journal.validator;
    this.isResumed = journal.ranges.length > 0;
  }

  /** Goes on with what was begun of the same file, or begins it. Errors: `file-missing` (the folder), `invalid-input`, `disk-full`. */
  static async open(out: string, identity: string): Promise<BegunFile> {
    const begun = begunNames(out);
    try {
      const journal = await readJournal(begun, identity);
      // What lies there without a journal may be anything.
      if (!journal) await rm(begun.part, { force: true });
      const handle = await open(begun.part, constants.O_RDWR | constants.O_CREAT, 0o666);
      return new BegunFile(out, handle, journal ?? { identity, total: null, validator: null, ranges: [] });
    } catch (thrown) {
      throw fileError(thrown, out);
    }
  }

  /** Writes pieces one behind the other at their place. Errors: those of the system. */
  async write(pieces: readonly Uint8Array[], start: number): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const { bytesWritten } = await this.#handle.writev(pieces, start);
    // Of the last bytes of a disk the system may take a part; when it is asked for the rest, it says why.
    const all = bytesWritten < bytes ? Buffer.concat(pieces) : null;
    for (let written = bytesWritten; all && written < bytes;) {
      const step = await this.#handle.write(all, written, bytes - written, start + written);
      written += step.bytesWritten;
    }
    this.ranges.add([start, start + bytes]);
    this.#unflushed += bytes;
    const isTime = performance.now() - this.#flushedAt > flushEveryMs || this.#unflushed >= flushEveryBytes;
    if (isTime && !this.#flushing) this.#flushBeside();
  }

  /** Forgets what is there: it belongs to another version of the file. */
  async reset(): Promise<void> {
    await this.#flushing;
    this.ranges.cut(0);
    this.total = null;
    this.validator = null;
    await this.#writeJournal([]);
    await this.#handle.truncate(0);
  }

  /** Makes what has arrived last and closes the file; whatever comes of it, it is closed. */
  async close(): Promise<void> {
    try {
      await this.#flushing;
      await this.#flush().catch(() => this.#makeRoom());
    } finally {
      await this.#handle.close();
    }
  }

  /** Gives the whole file its name, for good. Errors: those of the system. */
  async finish(): Promise<void> {
    const begun = begunNames(this.#out);
    await this.#flushing;
    await this.#handle.truncate(this.ranges.end);
    await this.#handle.sync();
    await this.#handle.close();
    await moveDurably(begun.part, this.#out);
    await rm(begun.journal, { force: true });
  }

  /** Whole seconds pass on slow disks, in which more arrives. A failure shows again when the file is closed. */
  #flushBeside(): void {
    this.#flushing = this.#flush()
      .catch(() => undefined)
      .finally(() => (this.#flushing = null));
  }

  async #flush(): Promise<void> {
    const ranges = this.ranges.list();
    this.#unflushed = 0;
    await this.#handle.datasync();
    await this.#writeJournal(ranges);
    this.#flushedAt = performance.now();
  }

  /** On a full disk the last bytes make way for the journal, without which all of them would be lost. */
  async #makeRoom(): Promise<void> {
    this.ranges.cut(this.ranges.end - journalRoomBytes);
    await this.#handle.truncate(this.ranges.end);
    await this.#flush();
  }

  async #writeJournal(ranges: readonly Range[]): Promise<void> {
    const journal: Journal = {
      identity: this.#identity,
      total: this.total,
      validator: this.validator,
      ranges: ranges.map(([start, end]) => [start, end]),
    };
    await writeAtomically(begunNames(this.#out).journal, [JSON.stringify(journal)]);
  }
}

/** Removes what a download of this file has begun and not finished. */
export async function discardDownload(out: string): Promise<void> {
  for (const path of namesOf(out)) await rm(path, { force: true });
}

/** How much of a file has been begun and can be gone on with, in bytes. */
export async function begunDownloadBytes(out: string): Promise<number> {
  const journal = await readJournal(begunNames(out));
  return journal ? new Ranges(journal.ranges).bytes : 0;
}

/** The paths of what is begun of a file. */
export function namesOf(out: string): string[] {
  return Object.values(begunNames(out));
}

/** Hidden, beside the file; the ending says that no other writer of Puna can go on with it. */
function begunNames(out: string): { part: string; journal: string } {
  const hidden = join(dirname(out), `.${basename(out)}`);
  return { part: `${hidden}.download`, journal: `${hidden}.download.journal` };
}

/** Null where nothing can be gone on with: no journal, not a whole one, that of another file, or one without its file. */
async function readJournal(
  { part, journal: path }: { part: string; journal: string },
  identity?: string,
): Promise<Journal | null> {
  try {
    const journal = journalSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    const { size } = await stat(part);
    const isWhole = size >= new Ranges(journal.ranges).end;
    const isSame = identity === undefined || journal.identity === identity;
    return isSame && isWhole ? journal : null;
  } catch {
    return null;
  }
}
