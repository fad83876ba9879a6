import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetJobs, Snapshot } from '../dataset-engine/messages.ts';
import type { HelperEngine } from '../engine/index.ts';

/** Copies of datasets as they were at one moment, as JSONL: what runs learn from, and what is exported. */
export class Snapshots {
  readonly #helper: HelperEngine<DatasetJobs>;
  readonly #folder: string;
  /** Folders that hold what is being exported. */
  readonly #exports = new Set<string>();
  #cleared: Promise<void> = Promise.resolve();

  /** `folder`: made when the first one comes. */
  constructor(helper: HelperEngine<DatasetJobs>, folder: string) {
    this.#helper = helper;
    this.#folder = folder;
  }

  /** Writes a dataset's file for runs, unless that is there already. Errors: those of the job. */
  async write(file: string): Promise<Snapshot> {
    // Or a file that is found there would be removed a moment later.
    await this.#cleared;
    return this.#helper.run('snapshot', { file, folder: this.#folder });
  }

  /** All that is not excluded in pieces; they are those of one moment, whatever a person changes meanwhile. Errors: those of the job. */
  async *pieces(file: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
    const own = join(this.#folder, `.export-${randomUUID()}`);
    this.#exports.add(own);
    try {
      const input = { file, folder: own };
      const { data, validationData } = await this.#helper.run('snapshot', input, signal && { signal });
      for (const path of [data, validationData]) {
        if (path === null) continue;
        const pieces = createReadStream(path, { encoding: 'utf8', signal }) as AsyncIterable<string>;
        for await (const piece of pieces) yield piece;
      }
    } finally {
      await rm(own, { recursive: true, force: true });
      this.#exports.delete(own);
    }
  }

  /** Removes all but the files at these paths, and what is being exported. */
  clear(needed: readonly string[]): Promise<void> {
    const cleared = this.#cleared.then(() => this.#clear(needed));
    this.#cleared = cleared.catch(() => undefined);
    return cleared;
  }

  async #clear(needed: readonly string[]): Promise<void> {
    const keep = new Set(needed);
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name);
      if (keep.has(path) || this.#exports.has(path)) continue;
      await rm(path, { recursive: true, force: true });
    }
  }
}
