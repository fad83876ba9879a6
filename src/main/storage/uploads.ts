import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError } from './file-error.ts';
import { safeFileName } from './paths.ts';

interface Upload {
  name: string;
  /** Size of the whole file. */
  bytes: number;
  received: number;
  handle: FileHandle;
  /** A piece is being written. */
  busy: boolean;
  /** When the last piece came, in ms. */
  touchedAt: number;
}

/** A tab that was closed does not say so; what it left half sent is removed after this time. */
const abandonedAfterMs = 60 * 60 * 1000;

/**
 * Files whose bytes come in pieces, because a browser does not tell their paths. Each is a file of its own in one folder
 * until somebody takes it.
 */
export class Uploads {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #uploads = new Map<string, Upload>();
  /** Whole files that nobody has taken yet. */
  readonly #complete = new Map<string, { name: string; touchedAt: number }>();

  /** Makes the folder and removes what an earlier run left in it. Errors: `disk-full`, `invalid-input`. */
  constructor(folder: string, { now = Date.now }: { now?: () => number } = {}) {
    this.#folder = folder;
    this.#now = now;
    try {
      mkdirSync(folder, { recursive: true });
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
    } catch (thrown) {
      throw fileError(thrown, folder);
    }
  }

  /** Starts a file of exactly so many bytes. Errors: `disk-full` at once if it can never fit. */
  async begin({ name, bytes }: { name: string; bytes: number }): Promise<{ uploadId: string }> {
    await this.#discardAbandoned();
    await this.#checkSpace(name, bytes);
    const uploadId = randomUUID();
    try {
      const handle = await open(this.#path(uploadId), 'wx');
      this.#uploads.set(uploadId, {
        ...{ name: safeFileName(name), bytes, received: 0, handle, busy: false, touchedAt: this.#now() },
      });
    } catch (thrown) {
      throw fileError(thrown, this.#path(uploadId));
    }
    if (bytes === 0) await this.#finish(uploadId);
    return { uploadId };
  }

  /**
   * Adds a piece where the last one ended. Errors: `not-found` (no such upload, or it was abandoned), `invalid-input`
   * (another offset, or more than was announced), `disk-full`.
   */
  async append(uploadId: string, offset: number, piece: Uint8Array): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    if (!upload) throw unknownUpload();
    if (upload.busy || offset !== upload.received) {
      throw new PunaError(
        'invalid-input',
        `A piece of ${upload.name} came for byte ${offset} instead of ${upload.received}.`,
        'Send the file again.',
      );
    }
    if (offset + piece.byteLength > upload.bytes) {
      throw new PunaError(
        'invalid-input',
        `${upload.name} is longer than the ${upload.bytes} bytes that were announced.`,
        'Send the file again.',
      );
    }
    upload.busy = true;
    try {
      await upload.handle.writeFile(piece);
      upload.received += piece.byteLength;
      upload.touchedAt = this.#now();
      if (upload.received === upload.bytes) await this.#finish(uploadId);
    } catch (thrown) {
      // Half a piece may be there: no later one would fit.
      await this.discard(uploadId);
      throw fileError(thrown, this.#path(uploadId));
    } finally {
      upload.busy = false;
    }
  }

  /**
   * Hands over a file that is whole: whoever takes it moves it away or discards it. Its name is safe as a file name.
   * Errors: `not-found`, `invalid-input` (pieces are missing).
   */
  take(uploadId: string): { uploadPath: string; name: string } {
    const complete = this.#complete.get(uploadId);
    if (complete) {
      this.#complete.delete(uploadId);
      return { uploadPath: this.#path(uploadId), name: complete.name };
    }
    const upload = this.#uploads.get(uploadId);
    if (!upload) throw unknownUpload();
    throw new PunaError(
      'invalid-input',
      `Only ${upload.received} of the ${upload.bytes} bytes of ${upload.name} have arrived.`,
      'Send the file again.',
    );
  }

  /** Removes what has come, whole or not; also what was taken and is still there. */
  async discard(uploadId: string): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    this.#uploads.delete(uploadId);
    this.#complete.delete(uploadId);
    await upload?.handle.close();
    await rm(this.#path(uploadId), { force: true });
  }

  #path(uploadId: string): string {
    return join(this.#folder, uploadId);
  }

  async #finish(uploadId: string): Promise<void> {
    const upload = this.#uploads.get(uploadId);
    if (!upload) return;
    await upload.handle.sync();
    await upload.handle.close();
    this.#uploads.delete(uploadId);
    this.#complete.set(uploadId, { name: upload.name, touchedAt: this.#now() });
  }

  async #discardAbandoned(): Promise<void> {
    const since = this.#now() - abandonedAfterMs;
    for (const [uploadId, { touchedAt }] of [...this.#uploads, ...this.#complete]) {
      if (touchedAt < since) await this.discard(uploadId);
    }
  }

  async #checkSpace(name: string, bytes: number): Promise<void> {
    // Some file systems do not tell; then the writing itself will.
    const disk = await statfs(this.#folder).catch(() => null);
    if (!disk || bytes <= disk.bavail * disk.bsize) return;
    throw new PunaError(
      'disk-full',
      `${name} does not fit on the disk: it has ${bytes} bytes, and ${disk.bavail * disk.bsize} are free.`,
      'Free some space, or keep the file where it is and add it by its path.',
    );
  }
}

function unknownUpload(): PunaError {
  return new PunaError('not-found', 'This upload has ended or never began.', 'Send the file again.');
}
