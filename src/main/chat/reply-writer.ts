import type { Message, ReplyStats } from '../../shared/contract/index.ts';
import { PunaError } from '../../shared/error.ts';
import type { Events } from '../events.ts';
import { databaseError, type History, type MessageChange } from '../history/index.ts';

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
  /** The last write, until it succeeds. */
  #ending: (MessageChange & Pick<Message, 'status'>) | null = null;
  /** An autosave has failed and was complained of: a full disk would say the same five times a second. */
  #refused = false;

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

  get messageId(): number {
    return this.#message.id;
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

  /** The last write, which says how the reply ended. False when the database refuses it, for `keep` to try again. */
  end(outcome: { status: Message['status']; error?: PunaError; stats?: ReplyStats }): boolean {
    if (this.#autosave) clearTimeout(this.#autosave);
    this.#autosave = null;
    const { status, error, stats } = outcome;
    this.#ending = {
      ...{ text: this.#text, thinking: this.#thinking, status, ...(stats && { stats }) },
      ...{ error: error ? `${error.message} ${error.remedy}`.trim() : null, errorCode: error?.code ?? null },
    };
    try {
      this.#keepEnding();
      return true;
    } catch (thrown) {
      this.#showUnsaved(thrown);
      return false;
    }
  }

  /** Tries the last write again; false when the database still refuses it. */
  keep(): boolean {
    try {
      this.#keepEnding();
      return true;
    } catch {
      return false;
    }
  }

  #keepEnding(): void {
    if (!this.#ending) return;
    this.#history.messages.write(this.#message.id, this.#ending);
    this.#ending = null;
    this.#publish();
  }

  /** Shows at least the whole of it with the reason, so that the person can make room, or copy it. */
  #showUnsaved(thrown: unknown): void {
    const { code, message: reason, remedy } = PunaError.from(databaseError(thrown));
    const unsaved: Message = {
      ...this.#message,
      ...{ text: this.#text, thinking: this.#thinking },
      status: 'interrupted',
      error: `${reason} ${remedy} This reply is saved as soon as that works again.`,
      errorCode: code,
    };
    this.#events.publish({ type: 'message', message: unsaved });
  }

  #save(): void {
    this.#autosave = null;
    try {
      this.#history.messages.write(this.#message.id, { text: this.#text, thinking: this.#thinking });
    } catch (thrown) {
      // The next piece tries again, and the last write reports what is still wrong then.
      if (!this.#refused) console.error(thrown);
      this.#refused = true;
    }
  }

  #publish(): void {
    this.#events.publish({ type: 'message', message: this.#history.messages.get(this.#message.id) });
  }
}
