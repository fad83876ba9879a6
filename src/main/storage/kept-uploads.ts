import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { moveDurably } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import type { Uploads } from './uploads.ts';

/**
 * Files whose bytes a browser sent, kept until nothing needs them any more: each in a folder of its own, so that its name
 * stays what it was.
 */
export class KeptUploads {
  readonly #folder: string;
  readonly #uploads: Uploads;

  constructor(folder: string, uploads: Uploads) {
    this.#folder = folder;
    this.#uploads = uploads;
  }

  /** Takes over a group that has arrived; gives its folder, or its only file. Errors: those of `takeGroup`, `disk-full`. */
  async keep(groupId: string): Promise<string> {
    const { folder, files } = this.#uploads.takeGroup(groupId);
    const kept = join(this.#folder, groupId);
    const [only] = files;
    try {
      await mkdir(this.#folder, { recursive: true });
      await moveDurably(dirname(folder), kept);
    } catch (thrown) {
      throw fileError(thrown, kept);
    }
    const path = join(kept, relative(dirname(folder), folder));
    return files.length === 1 && only !== undefined ? join(path, only) : path;
  }

  /** Removes the one that holds this path; other paths are left as they are. */
  async forget(path: string): Promise<void> {
    const name = this.#nameOf(path);
    if (name !== null) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  /** Removes all but those that hold one of these paths. */
  async clear(needed: readonly string[]): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const keep = new Set(needed.map((path) => this.#nameOf(path)));
    for (const name of names) {
      if (!keep.has(name)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** The folder of the group that a path lies in; null for paths elsewhere. */
  #nameOf(path: string): string | null {
    const [name] = relative(this.#folder, path).split(sep);
    return name && name !== '..' && join(this.#folder, name) !== path && path.startsWith(this.#folder + sep)
      ? name
      : null;
  }
}
