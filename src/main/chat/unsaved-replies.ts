import type { ReplyWriter } from './reply-writer.ts';

/** Soon enough for a person who has just made room; seldom, because a locked database holds up main for two seconds. */
const retryMilliseconds = 5_000;

/** Replies that have ended, but whose end the database would not take: a full disk, a lock. Tried again until it does. */
export class UnsavedReplies {
  readonly #writers = new Map<number, ReplyWriter>();
  #retries: NodeJS.Timeout | null = null;

  add(writer: ReplyWriter): void {
    this.#writers.set(writer.messageId, writer);
    this.#retries ??= setInterval(() => this.keep(), retryMilliseconds);
  }

  has(messageId: number): boolean {
    return this.#writers.has(messageId);
  }

  /** Tries again at once. */
  keep(): void {
    for (const [messageId, writer] of this.#writers) if (writer.keep()) this.#writers.delete(messageId);
    if (this.#writers.size === 0) this.#stopTrying();
  }

  /** The last try. */
  close(): void {
    this.keep();
    this.#stopTrying();
  }

  #stopTrying(): void {
    if (this.#retries) clearInterval(this.#retries);
    this.#retries = null;
  }
}
