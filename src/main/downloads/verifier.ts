import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** What a file must be: its SHA-256 or, for small files that the hub keeps in git itself, the SHA-1 of git's blob. In hex. */
export type Digest = { sha256: string } | { gitBlob: string };

/** Of a file that is read; few calls, and little enough that everything else gets its turn between two of them. */
const pieceBytes = 1024 * 1024;

/** Hashes a file from its beginning while it is written: what it reads has just been written, and is still in memory. */
export class Verifier {
  readonly #handle: FileHandle;
  readonly #hash: Hash | null;
  readonly #buffer: Buffer;
  #head = 0;
  #goal = 0;
  #work: Promise<void> | null = null;

  /** `bytes`: of the whole file, which git hashes, too. Null for a file of which no digest is known. */
  constructor(handle: FileHandle, digest: Digest | null, bytes: number | null) {
    this.#handle = handle;
    this.#hash = digest && hashFor(digest, bytes ?? 0);
    this.#buffer = Buffer.allocUnsafe(digest ? pieceBytes : 0);
  }

  /** Everything before this position is there. Hashes what is whole pieces of it, beside everything else. */
  advance(position: number): void {
    this.#goal = position;
    if (this.#hash && !this.#work && position - this.#head >= pieceBytes) this.#follow(pieceBytes);
  }

  /** The digest of all up to this position, in hex; null where none is made. Errors: those of reading. */
  async finish(position: number): Promise<string | null> {
    if (!this.#hash) return null;
    await this.#work;
    this.#goal = position;
    await this.#read(this.#hash, 1);
    return this.#hash.digest('hex');
  }

  /** Ends reading, so that the file can be closed. */
  async stop(): Promise<void> {
    this.#goal = 0;
    await this.#work?.catch(() => undefined);
  }

  #follow(least: number): void {
    const hash = this.#hash;
    if (!hash) return;
    this.#work = this.#read(hash, least).finally(() => (this.#work = null));
    // Whoever finishes hears of it.
    this.#work.catch(() => undefined);
  }

  async #read(hash: Hash, least: number): Promise<void> {
    while (this.#goal - this.#head >= least) {
      const wanted = Math.min(pieceBytes, this.#goal - this.#head);
      const { bytesRead } = await this.#handle.read(this.#buffer, 0, wanted, this.#head);
      if (bytesRead === 0) throw new Error('The file is shorter than what was written to it.');
      hash.update(this.#buffer.subarray(0, bytesRead));
      this.#head += bytesRead;
    }
  }
}

/** The digest that a file is to have, in lower case. */
export function expected(digest: Digest): string {
  return ('sha256' in digest ? digest.sha256 : digest.gitBlob).toLowerCase();
}

function hashFor(digest: Digest, bytes: number): Hash {
  return 'sha256' in digest ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}
