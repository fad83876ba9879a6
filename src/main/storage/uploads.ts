import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PunaError } from '../../shared/error.ts';
import { fileError } from './file-error.ts';
import { safeFileName } from './paths.ts';

interface Upload {
  name: string;
  path: string;
  /** The one that it belongs to. */
  groupId: string | null;
  /** Size of the whole file. */
  bytes: number;
  received: number;
  handle: FileHandle;
  /** A piece is being written. */
  busy: boolean;
  /** When the last piece came, in ms. */
  touchedAt: number;
}

export interface NewUpload {
  name: string;
  bytes: number;
  groupId?: string | null | undefined;
}

/** A tab that was closed does not say so; what it left half sent is removed after this time. */
const abandonedAfterMs = 60 * 60 * 1000;

/** Files that belong together, each under its own name in a folder. */
interface Group {
  folder: string;
  /** What was begun, and whether it is whole. */
  files: Map<string, boolean>;
  touchedAt: number;
}

/**
 * Files whose bytes come in pieces, because a browser does not tell their paths. Each is a file of its own in one folder
 * until somebody takes it; those of a group lie together in `<folder>/<group>/<its name>`, in folders where their names say so.
 */
export class Uploads {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #uploads = new Map<string, Upload>();
  /** Whole files that nobody has taken yet. */
  readonly #complete = new Map<string, { name: string; touchedAt: number }>();
  readonly #groups = new Map<string, Group>();

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

  /**
   * Starts a file of exactly so many bytes, in a group where one is named. Errors: `disk-full` at once if it can never fit,
   * `not-found` (no such group), `invalid-input` (the group has a file of that name).
   */
  async begin({ name: given, bytes, groupId = null }: NewUpload): Promise<{ uploadId: string }> {
    await this.#discardAbandoned();
    await this.#checkSpace(given, bytes);
    const uploadId = randomUUID();
    const name = groupId === null ? safeFileName(given) : safePath(given);
    const path = groupId === null ? this.#path(uploadId) : this.#placeIn(groupId, name);
    try {
      if (groupId !== null) await mkdir(dirname(path), { recursive: true });
      const handle = await open(path, 'wx');
      this.#uploads.set(uploadId, {
        ...{ name, path, groupId, bytes, received: 0, handle, busy: false, touchedAt: this.#now() },
      });
    } catch (thrown) {
      throw fileError(thrown, path);
    }
    if (bytes === 0) await this.#finish(uploadId);
    return { uploadId };
  }

  /** Starts a group of files, which make a folder of that name. Errors: `disk-full`, `invalid-input`. */
  async beginGroup({ name }: { name: string }): Promise<{ groupId: string }> {
    const groupId = randomUUID();
    const folder = join(this.#path(groupId), safeFileName(name));
    await mkdir(folder, { recursive: true }).catch((thrown: unknown) => {
      throw fileError(thrown, folder);
    });
    this.#groups.set(groupId, { folder, files: new Map(), touchedAt: this.#now() });
    return { groupId };
  }

  /**
   * Hands over the folder of a group that is whole: whoever takes it moves it away. Errors: `not-found`, `invalid-input` (it has
   * no files, or pieces are missing).
   */
  takeGroup(groupId: string): { folder: string; files: string[] } {
    const { folder, files } = this.#group(groupId);
    const missing = [...files].find(([, whole]) => !whole);
    if (files.size === 0 || missing) {
      const what = missing ? `${missing[0]} has not arrived as a whole.` : 'No file has arrived.';
      throw new PunaError('invalid-input', what, 'Send the files again.');
    }
    this.#groups.delete(groupId);
    return { folder, files: [...files.keys()] };
  }

  /** Removes what has come of a group. */
  async discardGroup(groupId: string): Promise<void> {
    const own = [...this.#uploads].filter(([, upload]) => upload.groupId === groupId);
    this.#groups.delete(groupId);
    for (const [uploadId] of own) await this.discard(uploadId);
    await rm(this.#path(groupId), { recursive: true, force: true });
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
      this.#touch(upload);
      if (upload.received === upload.bytes) await this.#finish(uploadId);
    } catch (thrown) {
      // Half a piece may be there: no later one would fit.
      await this.discard(uploadId);
      throw fileError(thrown, upload.path);
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
    if (upload?.groupId) this.#groups.get(upload.groupId)?.files.delete(upload.name);
    await rm(upload?.path ?? this.#path(uploadId), { force: true });
  }

  /** The place of a file in its group, from now on its own. */
  #placeIn(groupId: string, name: string): string {
    const { folder, files } = this.#group(groupId);
    if (files.has(name)) {
      throw new PunaError(
        'invalid-input',
        `Two files of the folder are called ${name}.`,
        'Give them different names.',
      );
    }
    files.set(name, false);
    return join(folder, name);
  }

  #group(groupId: string): Group {
    const group = this.#groups.get(groupId);
    if (!group) throw unknownUpload();
    return group;
  }

  #touch(upload: Upload): void {
    upload.touchedAt = this.#now();
    const group = upload.groupId === null ? undefined : this.#groups.get(upload.groupId);
    if (group) group.touchedAt = upload.touchedAt;
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
    if (upload.groupId === null) {
      this.#complete.set(uploadId, { name: upload.name, touchedAt: this.#now() });
    } else {
      this.#groups.get(upload.groupId)?.files.set(upload.name, true);
    }
  }

  async #discardAbandoned(): Promise<void> {
    const since = this.#now() - abandonedAfterMs;
    for (const [uploadId, { touchedAt }] of [...this.#uploads, ...this.#complete]) {
      if (touchedAt < since) await this.discard(uploadId);
    }
    for (const [groupId, { touchedAt }] of [...this.#groups]) {
      if (touchedAt < since) await this.discardGroup(groupId);
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

/** A place below the group's folder, whatever a name claims: each part is the name of a file or folder, and `..` is none. */
function safePath(name: string): string {
  const parts = name.split(/[/\\]/).filter((part) => !/^\.*$/.test(part));
  return parts.map((part) => safeFileName(part)).join('/') || safeFileName(name);
}

function unknownUpload(): PunaError {
  return new PunaError('not-found', 'This upload has ended or never began.', 'Send the file again.');
}
