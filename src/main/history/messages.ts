import type { Database, Statement } from 'better-sqlite3';
import type {
  Attachment,
  Conversation,
  Feedback,
  Message,
  PathMessage,
  ReplyStats,
} from '../../shared/contract/index.ts';
import type { Conversations } from './conversations.ts';
import { type AttachmentRow, type MessageRow, toMessage } from './message-row.ts';
import { notFound } from './not-found.ts';
import type { SearchIndex } from './search-index.ts';
import { Tree } from './tree.ts';

export interface NewMessage {
  conversationId: number;
  parentId: number | null;
  role: Message['role'];
  text: string;
  thinking?: string;
  attachments?: Attachment[];
  status: Message['status'];
}

/** A message as the prompt needs it: with the texts of its files. */
export interface BranchMessage extends Pick<Message, 'id' | 'role' | 'text' | 'thinking' | 'status'> {
  attachments: Attachment[];
}

export interface MessageChange {
  text?: string;
  thinking?: string;
  status?: Message['status'];
  /** With its kind. */
  error?: string | null;
  errorCode?: Message['errorCode'];
  stats?: ReplyStats;
}

/** What is written of a change; what is null stays as it is. */
interface WrittenRow {
  id: number;
  text: string | null;
  thinking: string | null;
  status: Message['status'] | null;
  /** The error and its kind are written, also where they are null. */
  hasError: 0 | 1;
  error: string | null;
  errorCode: Message['errorCode'];
  stats: string | null;
}

/** A disk takes some milliseconds to be certain, a slow one some dozens: too long for every autosave. */
const waitMilliseconds = 1_000;

export class Messages {
  readonly #database: Database;
  readonly #conversations: Conversations;
  readonly #index: SearchIndex;
  readonly #now: () => number;
  /** When a write last waited for the disk, by a clock that nobody sets; it takes along all that were written before it. */
  #waitedAt = -Infinity;
  readonly #get: Statement<[number], MessageRow>;
  readonly #attachments: Statement<[number], AttachmentRow>;
  readonly #write: Statement<[WrittenRow]>;

  constructor(
    database: Database,
    parts: { conversations: Conversations; index: SearchIndex; now: () => number },
  ) {
    this.#database = database;
    this.#conversations = parts.conversations;
    this.#index = parts.index;
    this.#now = parts.now;
    this.#get = database.prepare('SELECT * FROM messages WHERE id = ?');
    this.#attachments = database.prepare(
      `SELECT name, mime_type AS mimeType, bytes, length(text) AS characters FROM attachments
       WHERE message_id = ? ORDER BY position`,
    );
    this.#write = database.prepare(
      `UPDATE messages SET text = coalesce(@text, text), thinking = coalesce(@thinking, thinking),
         status = coalesce(@status, status), error = CASE WHEN @hasError THEN @error ELSE error END,
         error_code = CASE WHEN @hasError THEN @errorCode ELSE error_code END, stats = coalesce(@stats, stats)
       WHERE id = @id`,
    );
  }

  /** Errors: `not-found`. */
  get(id: number): Message {
    return toMessage(this.#row(id), this.#attachments.all(id));
  }

  /**
   * A page of the branch in view: up to `limit` messages before `before` (absent: the last ones), oldest first.
   * Errors: `not-found`.
   */
  path(page: { conversationId: number; before?: number | undefined; limit: number }): {
    messages: PathMessage[];
    hasMore: boolean;
  } {
    const { leafId } = this.#conversations.get(page.conversationId);
    if (leafId === null) return { messages: [], hasMore: false };
    const tree = this.#tree(page.conversationId);
    const path = tree.pathTo(leafId);
    const before = page.before === undefined ? -1 : path.indexOf(page.before);
    const end = before < 0 ? path.length : before;
    const start = Math.max(0, end - page.limit);
    const messages = path.slice(start, end).map((id) => ({ ...this.get(id), siblings: tree.siblings(id) }));
    return { messages, hasMore: start > 0 };
  }

  /** Shows the branch that the message lies on, down to its newest end. Errors: `not-found`. */
  select(id: number): Conversation {
    const { conversation_id: conversationId } = this.#row(id);
    const leaf = this.#tree(conversationId).newestLeaf(id);
    this.#database.prepare('UPDATE conversations SET leaf_id = ? WHERE id = ?').run(leaf, conversationId);
    return this.#conversations.get(conversationId);
  }

  /** Adds a message, which becomes the end of the branch in view. Errors: `not-found` (conversation or parent). */
  append(message: NewMessage): Message {
    const { conversationId, parentId, role, text, thinking = '', attachments = [], status } = message;
    return this.#database.transaction(() => {
      this.#conversations.get(conversationId);
      if (parentId !== null && this.#row(parentId).conversation_id !== conversationId)
        throw notFound('This message');
      const now = this.#now();
      const { lastInsertRowid } = this.#database
        .prepare(
          `INSERT INTO messages (conversation_id, parent_id, role, text, thinking, status, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(conversationId, parentId, role, text, thinking, status, now);
      const id = Number(lastInsertRowid);
      this.#attach(id, attachments);
      this.#database
        .prepare('UPDATE conversations SET leaf_id = ?, updated_at = ? WHERE id = ?')
        .run(id, now, conversationId);
      if (isFinal(status)) this.#index.putMessage(id, text);
      return this.get(id);
    })();
  }

  /**
   * Changes a reply while it streams and when it ends. Cheap while it streams: no index, and a wait for the disk only once a
   * second. What the system has been given survives the death of this process; a power cut costs what came after the wait.
   */
  write(id: number, { text, thinking, status, error, errorCode, stats }: MessageChange): void {
    const final = status !== undefined && isFinal(status);
    const now = performance.now();
    const waits = final || now - this.#waitedAt >= waitMilliseconds;
    if (waits) this.#waitedAt = now;
    this.#database.pragma(`synchronous = ${waits ? 'FULL' : 'NORMAL'}`);
    try {
      this.#database.transaction(() => {
        this.#write.run({
          ...{ id, text: text ?? null, thinking: thinking ?? null, status: status ?? null },
          ...{ hasError: error === undefined ? 0 : 1, error: error ?? null, errorCode: errorCode ?? null },
          stats: stats ? JSON.stringify(stats) : null,
        });
        if (final) this.#index.putMessage(id, this.#row(id).text);
      })();
    } finally {
      this.#database.pragma('synchronous = FULL');
    }
  }

  /** Everything from the first message to this one, with the texts of files. Errors: `not-found`. */
  branch(id: number): BranchMessage[] {
    const tree = this.#tree(this.#row(id).conversation_id);
    const files = this.#database.prepare<[number], Attachment>(
      'SELECT name, mime_type AS mimeType, bytes, text FROM attachments WHERE message_id = ? ORDER BY position',
    );
    return tree.pathTo(id).map((at) => {
      const { role, text, thinking, status } = this.#row(at);
      return { id: at, role, text, thinking, status, attachments: files.all(at) };
    });
  }

  /** Errors: `not-found`. */
  setFeedback(id: number, { rating, correction }: Feedback): Message {
    this.#row(id);
    this.#database
      .prepare('UPDATE messages SET rating = ?, correction = ? WHERE id = ?')
      .run(rating, correction, id);
    return this.get(id);
  }

  /** A file of a message with its text; `index` counts from 0. Errors: `not-found`. */
  attachment(id: number, index: number): Attachment {
    const file = this.#database
      .prepare<[number, number], Attachment>(
        'SELECT name, mime_type AS mimeType, bytes, text FROM attachments WHERE message_id = ? AND position = ?',
      )
      .get(id, index);
    if (!file) throw notFound('This file');
    return file;
  }

  /** To be called at the start: marks what the last run left unfinished, and makes it findable. Gives their number. */
  interruptUnfinished(): number {
    const unfinished = this.#database
      .prepare<[], { id: number }>("SELECT id FROM messages WHERE status IN ('waiting', 'streaming')")
      .all();
    for (const { id } of unfinished) this.write(id, { status: 'interrupted' });
    return unfinished.length;
  }

  #row(id: number): MessageRow {
    const row = this.#get.get(id);
    if (!row) throw notFound('This message');
    return row;
  }

  #tree(conversationId: number): Tree {
    const nodes = this.#database
      .prepare<[number], { id: number; parentId: number | null }>(
        'SELECT id, parent_id AS parentId FROM messages WHERE conversation_id = ?',
      )
      .all(conversationId);
    return new Tree(nodes);
  }

  #attach(id: number, attachments: Attachment[]): void {
    const insert = this.#database.prepare('INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?)');
    attachments.forEach(({ name, mimeType, bytes, text }, position) => {
      insert.run(id, position, name, mimeType, bytes, text);
    });
  }
}

function isFinal(status: Message['status']): boolean {
  return status !== 'waiting' && status !== 'streaming';
}
