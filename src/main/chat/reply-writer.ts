import type { Message, ReplyStats } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Events } from '../events.ts';
import { databaseError, type History } from '../history/index.ts';

/** How often a reply that streams is saved. The promise is a quarter of a second; this leaves time for the write itself. */
const autosaveMilliseconds = 200;

/** One reply on its way into the history: every piece is told to the windows at once and saved within a quarter second. */
export class ReplyWriter {
  readonly #message: Message;
  readonly #history: History;
  readonly #events: Events;
  #text: string;
  #thinking: string;
  #autosave: NodeJS.Timeout | null = null;

  constructor(message: Message, { history, events }: { history: History; events: Events }) {
    this.#message = message;
    this.#history = history;
    this.#events = events;
    this.#text = message.text;
    this.#thinking = message.thinking;
  }

  get empty(): boolean {
    return this.#text === '' && this.#thinking === '';
  }

  begin(): void {
    this.#history.messages.write(this.#message.id, { status: 'streaming', error: null });
    this.#publish();
  }

  add(part: 'text' | 'thinking', piece: string): void {
    const offset = part === 'text' ? this.#text.length : this.#thinking.length;
    if (part === 'text') this.#text += piece;
    else this.#thinking += piece;
    const { id: messageId, conversationId } = this.#message;
    this.#events.publish({ type: 'delta', conversationId, messageId, part, offset, piece });
    this.#autosave ??= setTimeout(() => this.#save(), autosaveMilliseconds);
  }

  /** Saves at once what waits for its turn, so that the database says what the windows have been told. */
  flush(): void {
    if (!this.#autosave) return;
    clearTimeout(this.#autosave);
    this.#save();
  }

  /** The last write; says how the reply ended. */
  end(outcome: { status: Message['status']; error?: string; stats?: ReplyStats }): void {
    if (this.#autosave) clearTimeout(this.#autosave);
    this.#autosave = null;
    const { status, error = null, stats } = outcome;
    const words = { text: this.#text, thinking: this.#thinking };
    try {
      this.#history.messages.write(this.#message.id, { ...words, status, error, ...(stats && { stats }) });
      this.#publish();
    } catch (thrown) {
      // It cannot be kept (a full disk): show at least the whole of it with the reason, so that the person can copy it.
      const { message: reason, remedy } = PunaError.from(databaseError(thrown));
      const unsaved = {
        ...this.#message,
        ...words,
        status: 'interrupted',
        error: `${reason} ${remedy}`.trim(),
      } as const;
      this.#events.publish({ type: 'message', message: unsaved });
    }
  }

  #save(): void {
    this.#autosave = null;
    try {
      this.#history.messages.write(this.#message.id, { text: this.#text, thinking: this.#thinking });
    } catch (thrown) {
      // The next piece tries again, and the last write reports what is still wrong then.
      console.error(thrown);
    }
  }

  #publish(): void {
    this.#events.publish({ type: 'message', message: this.#history.messages.get(this.#message.id) });
  }
}
