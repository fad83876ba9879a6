import type { Database } from 'better-sqlite3';
import { setImmediate } from 'node:timers/promises';
import type { Attachment, Conversation, Message } from '../../shared/contract/index.ts';
import type { Conversations } from './conversations.ts';
import type { ExportedConversation } from './export-format.ts';
import { exportFormat, exportVersion } from './export-format.ts';
import { toMessage, type MessageRow } from './message-row.ts';
import { Tree } from './tree.ts';

export interface ExportOptions {
  /** Absent: all that are not deleted. */
  conversationId?: number | undefined;
  format: 'markdown' | 'json';
}

/** The history as pieces of one text file, a conversation at a time. Errors: `not-found`. */
export async function* exportPieces(
  database: Database,
  conversations: Conversations,
  { conversationId, format }: ExportOptions,
): AsyncGenerator<string> {
  const ids =
    conversationId === undefined
      ? database
          .prepare<[], { id: number }>('SELECT id FROM conversations WHERE deleted_at IS NULL ORDER BY id')
          .all()
          .map(({ id }) => id)
      : [conversations.get(conversationId).id];
  const reader = new ConversationReader(database);
  if (format === 'json') {
    yield `{"format":"${exportFormat}","version":${exportVersion},"conversations":[`;
  }
  let first = true;
  for (const id of ids) {
    // One conversation is read at once, so that it is consistent; others may write between two.
    const conversation = conversations.get(id);
    const separator = format === 'json' ? (first ? '\n' : ',\n') : first ? '' : '\n---\n\n';
    yield (
      separator +
      (format === 'json' ? JSON.stringify(reader.whole(conversation)) : reader.markdown(conversation))
    );
    first = false;
    await setImmediate();
  }
  if (format === 'json') yield '\n]}\n';
}

class ConversationReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  whole(conversation: Conversation): ExportedConversation {
    const messages = this.#messages(conversation.id);
    const places = new Map(messages.map(({ id }, place) => [id, place]));
    const place = (id: number | null) => (id === null ? null : (places.get(id) ?? null));
    const { title, pinned, archived, createdAt, updatedAt, systemPrompt, sampling } = conversation;
    return {
      ...{ title, pinned, archived, createdAt, updatedAt, systemPrompt, sampling },
      folder: this.#name('folders', conversation.folderId),
      model: this.#name('models', conversation.modelId),
      adapters: conversation.adapters.flatMap(({ adapterId, ...use }) => {
        const name = this.#name('models', adapterId);
        return name === null ? [] : [{ name, ...use }];
      }),
      leaf: place(conversation.leafId),
      messages: messages.map((message) => {
        const { role, text, thinking, status, error, errorCode, stats, feedback } = message;
        return {
          ...{ parent: place(message.parentId), role, text, thinking, status, error, errorCode },
          ...{ attachments: this.#files(message.id), stats, feedback, createdAt: message.createdAt },
        };
      }),
    };
  }

  /** The branch in view, as a person would read it. */
  markdown({ id, title, leafId }: Conversation): string {
    const messages = new Map(this.#messages(id).map((message) => [message.id, message]));
    const path = leafId === null ? [] : new Tree(messages.values()).pathTo(leafId);
    const turns = path.flatMap((at) => messages.get(at) ?? []).map((message) => this.#turn(message));
    return [`# ${title || 'Untitled'}`, ...turns].join('\n\n') + '\n';
  }

  #turn({ id, role, text, stats, createdAt }: Message): string {
    const model = stats?.server ? `${stats.model} on ${stats.server.name}` : stats?.model;
    const who = role === 'user' ? 'You' : (model ?? 'Model');
    const files = this.#files(id).map(({ name }) => `*${name}*`);
    return [`## ${who}`, `<sub>${new Date(createdAt).toISOString()}</sub>`, ...files, text].join('\n\n');
  }

  #messages(conversationId: number): Message[] {
    return this.#database
      .prepare<[number], MessageRow>('SELECT * FROM messages WHERE conversation_id = ? ORDER BY id')
      .all(conversationId)
      .map((row) => toMessage(row, []));
  }

  #files(messageId: number): Attachment[] {
    return this.#database
      .prepare<[number], Attachment>(
        'SELECT name, mime_type AS mimeType, bytes, text FROM attachments WHERE message_id = ? ORDER BY position',
      )
      .all(messageId);
  }

  #name(table: 'folders' | 'models', id: number | null): string | null {
    if (id === null) return null;
    const row = this.#database
      .prepare<[number], { name: string }>(`SELECT name FROM ${table} WHERE id = ?`)
      .get(id);
    return row?.name ?? null;
  }
}
