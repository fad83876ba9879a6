import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

/** What a file must be: its SHA-256 or, for small files that the hub keeps in git itself, the SHA-1 of git's blob. In hex. */
export type Digest = { sha256: string } | { gitBlob: string };

/** Nearer behind what arrives the thread need not follow; a file that is no larger is not worth a thread. */
const followBytes = 4 * 1024 * 1024;

/**
 * Hashes a file from its beginning while it is written, in a thread of its own: what it reads has just been written, and is still
 * in memory, and everything else goes on.
 */
export class Verifier {
  readonly #path: string;
  readonly #plan: HashPlan | null;
  #told = 0;
  #thread: { worker: Worker; result: Promise<string> } | null = null;

  /** `bytes`: of the whole file, which git hashes, too. Without a digest nothing is hashed. */
  constructor(path: string, digest: Digest | null, bytes: number | null) {
    this.#path = path;
    this.#plan = digest && planFor(digest, bytes ?? 0);
  }

  /** Everything before this position is there. */
  advance(position: number): void {
    if (!this.#plan || position - this.#told < followBytes) return;
    this.#told = position;
    this.#thread ??= startThread(this.#path, this.#plan);
    this.#thread.worker.postMessage({ goal: position, isLast: false } satisfies HashGoal);
  }

  /**
   * The digest of all up to this position, in hex; null where none is made. What has arrived at an earlier time takes a minute to hash
   * where it is large: the signal ends that. Errors: those of reading, the signal's reason.
   */
  async finish(position: number, signal?: AbortSignal): Promise<string | null> {
    if (!this.#plan) return null;
    this.advance(position);
    if (!this.#thread) {
      const content = (await readFile(this.#path)).subarray(0, position);
      return hash(this.#plan.algorithm, Buffer.concat([Buffer.from(this.#plan.prefix), content]));
    }
    const { worker, result } = this.#thread;
    worker.postMessage({ goal: position, isLast: true } satisfies HashGoal);
    const end = () => void worker.terminate();
    signal?.addEventListener('abort', end, { once: true });
    try {
      signal?.throwIfAborted();
      return await result;
    } catch (thrown) {
      signal?.throwIfAborted();
      throw thrown;
    } finally {
      signal?.removeEventListener('abort', end);
      await this.stop();
    }
  }

  /** Ends reading. */
  async stop(): Promise<void> {
    await this.#thread?.worker.terminate();
    this.#thread = null;
  }
}

/** The digest that a file is to have, in lower case. */
export function expected(digest: Digest): string {
  return ('sha256' in digest ? digest.sha256 : digest.gitBlob).toLowerCase();
}

interface HashPlan {
  algorithm: 'sha256' | 'sha1';
  /** What is hashed before the file. */
  prefix: string;
}

interface HashGoal {
  goal: number;
  isLast: boolean;
}

function planFor(digest: Digest, bytes: number): HashPlan {
  return 'sha256' in digest
    ? { algorithm: 'sha256', prefix: '' }
    : { algorithm: 'sha1', prefix: `blob ${bytes}\0` };
}

function startThread(path: string, plan: HashPlan): { worker: Worker; result: Promise<string> } {
  // From its text, so that the build need not know of one more file.
  const worker = new Worker(`(${followFile.toString()})()`, { eval: true, workerData: { path, ...plan } });
  const result = new Promise<string>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', () => reject(new Error('Hashing was ended.')));
  });
  // Whoever finishes hears of it.
  result.catch(() => undefined);
  return { worker, result };
}

/** The thread: it has nothing but what it asks Node for. */
function followFile(): void {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { openSync, readSync } = process.getBuiltinModule('node:fs');
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const { path, algorithm, prefix } = workerData as HashPlan & { path: string };
  const file = openSync(path, 'r');
  const made = createHash(algorithm).update(prefix);
  const buffer = Buffer.allocUnsafe(1024 * 1024);
  let head = 0;
  parentPort?.on('message', ({ goal, isLast }: HashGoal) => {
    while (head < goal) {
      const read = readSync(file, buffer, 0, Math.min(buffer.length, goal - head), head);
      if (read === 0) throw new Error('The file is shorter than what was written to it.');
      made.update(buffer.subarray(0, read));
      head += read;
    }
    if (isLast) parentPort?.postMessage(made.digest('hex'));
  });
}
