import type { Database } from 'better-sqlite3';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Model, Verified, VerifyProgress } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import { fileError } from '../storage/index.ts';
import type { ModelFacts } from '../weights/messages.ts';
import type { Library } from './library.ts';
import { namedSha256 } from './sha256.ts';

/** What a check needs of the process that reads. */
export interface Hasher {
  facts(path: string, signal: AbortSignal): Promise<ModelFacts>;
  hash(path: string, signal: AbortSignal, onProgress: (bytes: number) => void): Promise<string>;
}

export interface VerifierOptions {
  /** With the table `file_hashes`. */
  database: Database;
  library: Library;
  hasher: Hasher;
  /** ms since 1970 */
  now?: () => number;
}

interface KnownHash {
  expected: string | null;
  sha256: string | null;
  bytes: number | null;
  modified_at: number | null;
}

interface FileToCheck {
  path: string;
  bytes: number;
  modifiedAt: number;
}

/** Reads all of a model's files and compares them with what is known of them. */
export class Verifier {
  readonly #options: VerifierOptions;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /**
   * Checks a model, an adapter or a folder of weights; tells how far it is, and at last what came of it. A caller that leaves ends it.
   * Errors: `not-found`, `file-missing`, `file-damaged` (the disk fails, or it is no model any more), `invalid-input` (it changes meanwhile).
   */
  async *verify(
    id: number,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<VerifyProgress> {
    const { library, now = Date.now } = this.#options;
    const model = await library.item(id);
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      const files = await this.#filesOf(model, both);
      const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
      const outcomes: { file: FileToCheck; sha256: string; result: Verified['result'] }[] = [];
      let before = 0;
      for (const file of files) {
        const hashing = progressOf<string>((tell) =>
          this.#options.hasher.hash(file.path, both, (bytes) => tell(bytes)),
        );
        let sha256 = '';
        for (;;) {
          const { value, done } = await hashing.next();
          if (done) {
            sha256 = value;
            break;
          }
          yield { bytes: Math.min(before + value, total), total, verified: null };
        }
        before += file.bytes;
        await refuseChanged(file);
        outcomes.push({ file, sha256, result: await this.#compare(file, sha256) });
      }
      const [first] = outcomes;
      const verified: Verified = {
        result: worst(outcomes.map(({ result }) => result)),
        sha256: outcomes.length === 1 && first ? first.sha256 : null,
        damaged: outcomes.flatMap(({ file, result }) => (result === 'damaged' ? [basename(file.path)] : [])),
        at: now(),
      };
      await library.setVerified(id, verified);
      yield { bytes: total, total, verified };
    } finally {
      stop.abort();
    }
  }

  async #filesOf({ kind, path }: Model, signal: AbortSignal): Promise<FileToCheck[]> {
    if (kind !== 'weights') {
      // What is so damaged that it cannot be read has one file, as far as anybody knows; its hash tells.
      const facts = await this.#options.hasher.facts(path, signal).catch(() => null);
      signal.throwIfAborted();
      return facts?.files ?? [await fileAt(path)];
    }
    const names = await readdir(path).catch((thrown: unknown) => {
      throw fileError(thrown, path);
    });
    const files = await Promise.all(
      names
        .filter((name) => !name.startsWith('.'))
        .toSorted()
        .map((name) => fileAt(join(path, name)).catch(() => null)),
    );
    return files.filter((file) => file !== null);
  }

  /** What is expected of a file by its publisher comes first, then what it was when it had this size and time. */
  async #compare({ path, bytes, modifiedAt }: FileToCheck, sha256: string): Promise<Verified['result']> {
    const { database } = this.#options;
    const known = database
      .prepare<[string], KnownHash>(
        'SELECT expected, sha256, bytes, modified_at FROM file_hashes WHERE path = ?',
      )
      .get(path);
    const expected = known?.expected ?? namedSha256(await realpath(path));
    const isSame = known?.bytes === bytes && known.modified_at === modifiedAt;
    const earlier = isSame ? known.sha256 : null;
    const result =
      expected != null
        ? expected === sha256
          ? 'confirmed'
          : 'damaged'
        : earlier === null
          ? 'recorded'
          : earlier === sha256
            ? 'unchanged'
            : 'damaged';
    // What a damaged file is now is not what a later check should find unchanged.
    if (result !== 'damaged') this.#keep({ path, bytes, modifiedAt }, sha256);
    return result;
  }

  #keep({ path, bytes, modifiedAt }: FileToCheck, sha256: string): void {
    this.#options.database
      .prepare(
        `INSERT INTO file_hashes (path, sha256, bytes, modified_at) VALUES (?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes,
           modified_at = excluded.modified_at`,
      )
      .run(path, sha256, bytes, modifiedAt);
  }
}

/** What a job tells while it runs, the newest only, and at last its result. */
async function* progressOf<Result>(
  run: (tell: (bytes: number) => void) => Promise<Result>,
): AsyncGenerator<number, Result> {
  let newest: number | null = null;
  let wake = (): void => undefined;
  const running = run((bytes) => {
    newest = bytes;
    wake();
  });
  const ended = running.then(
    () => true,
    () => true,
  );
  for (;;) {
    const told = new Promise<boolean>((resolve) => (wake = () => resolve(false)));
    if (newest === null && (await Promise.race([ended, told]))) return running;
    if (newest === null) continue;
    const bytes: number = newest;
    newest = null;
    yield bytes;
  }
}

async function fileAt(path: string): Promise<FileToCheck> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  if (!found.isFile()) throw new PunaError('invalid-input', `${path} is no file.`, 'Choose a file.');
  return { path, bytes: found.size, modifiedAt: found.mtimeMs };
}

async function refuseChanged(file: FileToCheck): Promise<void> {
  const now = await fileAt(file.path);
  if (now.bytes === file.bytes && now.modifiedAt === file.modifiedAt) return;
  throw new PunaError(
    'invalid-input',
    `${file.path} was changed while it was checked.`,
    'Wait until nothing writes to it any more, and check it again.',
  );
}

/** From best to worst. */
const results = ['confirmed', 'unchanged', 'recorded', 'damaged'] as const;

function worst(found: readonly Verified['result'][]): Verified['result'] {
  return results.findLast((result) => found.includes(result)) ?? 'recorded';
}
