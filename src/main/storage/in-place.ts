import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Soon enough to be told before much is written in vain, and one question of the system each time. */
const usualPauseMs = 5_000;

/**
 * Looks now and then whether a file that is open is still in its place. Systems let a program go on writing into a file that was deleted:
 * nothing fails, and all of it is gone with the program. One that was moved counts as gone, too, and one in whose place lies another.
 * `onChange` is told only of changes.
 */
export class InPlace {
  readonly #file: string;
  readonly #first: BigIntStats;
  readonly #timer: NodeJS.Timeout;
  readonly #onChange: (isThere: boolean) => void;
  #isThere = true;
  #isClosed = false;
  #looking: Promise<void> | null = null;

  /** Errors: those of the system, where the file is not there to begin with. */
  constructor(
    file: string,
    { onChange, pauseMs = usualPauseMs }: { onChange: (isThere: boolean) => void; pauseMs?: number },
  ) {
    this.#file = file;
    this.#first = statSync(file, { bigint: true });
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.look(), pauseMs).unref();
  }

  /** As it was when it was looked last. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** Looks at once, or waits for the look that is under way: a disk of a network may take its time. */
  async look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    await this.#looking;
    return this.#isThere;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const now = await stat(this.#file, { bigint: true }).catch(() => null);
    const isThere = now?.ino === this.#first.ino && now.dev === this.#first.dev;
    if (this.#isClosed || isThere === this.#isThere) return;
    this.#isThere = isThere;
    this.#onChange(isThere);
  }
}
