import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Enough for the starts and troubles of months; with the file before it, a log takes twice as much of the disk. */
const usualBytes = 512 * 1024;

/**
 * Lines at the end of a file. A full one takes the place of the one before it (`.old`). Each line is in the hands of the system before
 * `write` returns, so that the last words before a crash are there; a disk that takes none loses lines, and nothing else fails by it.
 */
export class LogFile {
  readonly #path: string;
  readonly #mostBytes: number;
  #bytes: number;

  constructor(path: string, { mostBytes = usualBytes }: { mostBytes?: number } = {}) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#bytes = sizeOf(path);
  }

  write(line: string): void {
    const text = `${line}\n`;
    const bytes = Buffer.byteLength(text);
    try {
      // No folder above it: a data folder that is gone must not seem to be back.
      if (this.#bytes === 0 && !existsSync(dirname(this.#path))) mkdirSync(dirname(this.#path));
      if (this.#bytes > 0 && this.#bytes + bytes > this.#mostBytes) {
        renameSync(this.#path, oldOf(this.#path));
        this.#bytes = 0;
      }
      appendFileSync(this.#path, text, { mode: ownersOnly });
      this.#bytes += bytes;
    } catch {
      this.#bytes = sizeOf(this.#path);
    }
  }
}

const ownersOnly = 0o600;

/** The last lines of a log, oldest first; none where there is no log. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  const texts = await Promise.all([oldOf(path), path].map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .slice(-count);
}

function oldOf(path: string): string {
  return `${path}.old`;
}

/** 0 also where nobody is allowed to look, as after a start as another user. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
