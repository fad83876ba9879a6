import { JSONParser } from '@streamparser/json';
import type { Database } from 'better-sqlite3';
import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { PunaError } from '../../shared/error.ts';
import type { Conversations } from './conversations.ts';
import {
  type ExportedConversation,
  exportedConversationSchema,
  type ExportedMessage,
  exportFormat,
  exportVersion,
} from './export-format.ts';
import type { SearchIndex } from './search-index.ts';

/** Messages written in one transaction, before others may write again. */
const sliceSize = 500;

export interface ImportParts {
  database: Database;
  conversations: Conversations;
  index: SearchIndex;
}

/**
 * Adds what `exportPieces` wrote as JSON, all or nothing: conversations are written out of sight (deleted_at = 0), slice by
 * slice, and come into sight together when the last one is there. What a failed import wrote is cleared away; what the
 * death of the process left, `Conversations.purge` clears at the next start. Errors: `invalid-input` (not such a file, says
 * where), `file-missing`, `disk-full`.
 */
export async function importFile(
  parts: ImportParts,
  file: string,
  { name = file, signal }: { name?: string; signal?: AbortSignal } = {},
): Promise<{ conversations: number; messages: number }> {
  const written: number[] = [];
  let messages = 0;
  try {
    for await (const conversation of readConversations(file, name)) {
      signal?.throwIfAborted();
      const id = insertConversation(parts, conversation);
      written.push(id);
      await insertMessages(parts, id, conversation, signal);
      messages += conversation.messages.length;
    }
    reveal(parts.database, written);
    return { conversations: written.length, messages };
  } catch (thrown) {
    for (const id of written) await parts.conversations.destroy(id);
    throw thrown;
  }
}

/** The conversations of an exported file, one at a time, whatever the file's size. */
async function* readConversations(file: string, name: string): AsyncGenerator<ExportedConversation> {
  const parser = new JSONParser({ paths: ['$.format', '$.version', '$.conversations.*'], keepStack: false });
  const arrived: { key: unknown; value: unknown }[] = [];
  parser.onValue = ({ key, value }) => arrived.push({ key, value });
  const head = new Map<unknown, unknown>();
  let number = 0;
  const take = function* () {
    for (const { key, value } of arrived.splice(0)) {
      if (typeof key === 'string') head.set(key, value);
      else yield parseConversation(value, ++number, head, name);
    }
  };
  try {
    for await (const chunk of createReadStream(file)) {
      parser.write(chunk as Buffer);
      yield* take();
    }
    if (!parser.isEnded) throw new Error('It ends in the middle.');
    yield* take();
    checkHead(head, name);
  } catch (thrown) {
    if (thrown instanceof PunaError || isSystemError(thrown)) throw thrown;
    throw notAnExport(name, thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}

function parseConversation(
  value: unknown,
  number: number,
  head: Map<unknown, unknown>,
  file: string,
): ExportedConversation {
  checkHead(head, file);
  const parsed = exportedConversationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw notAnExport(file, `Conversation ${number}: ${z.prettifyError(parsed.error)}`, parsed.error);
}

/** Format and version come first in what Puna writes, so they are known before the first conversation. */
function checkHead(head: Map<unknown, unknown>, file: string): void {
  const version = head.get('version');
  if (head.get('format') !== exportFormat) throw notAnExport(file, `Its format is not "${exportFormat}".`);
  if (version === exportVersion) return;
  throw new PunaError(
    'invalid-input',
    `${file} was exported by a newer Puna (format version ${String(version)}).`,
    'Install that newer Puna to import it.',
  );
}

function insertConversation({ database, index }: ImportParts, conversation: ExportedConversation): number {
  return database.transaction(() => {
    const { lastInsertRowid } = database
      .prepare(
        `INSERT INTO conversations (title, folder_id, pinned, archived, created_at, updated_at, deleted_at, model_id, adapters, system_prompt, sampling)
         VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`,
      )
      .run(
        conversation.title,
        conversation.folder === null ? null : folderNamed(database, conversation.folder),
        Number(conversation.pinned),
        Number(conversation.archived),
        conversation.createdAt,
        conversation.updatedAt,
        conversation.model === null ? null : modelNamed(database, conversation.model, 'model'),
        JSON.stringify(
          conversation.adapters.flatMap(({ name, ...use }) => {
            const adapterId = modelNamed(database, name, 'adapter');
            return adapterId === null ? [] : [{ adapterId, ...use }];
          }),
        ),
        conversation.systemPrompt,
        JSON.stringify(conversation.sampling),
      );
    const id = Number(lastInsertRowid);
    index.putTitle(id, conversation.title);
    return id;
  })();
}

async function insertMessages(
  { database, index }: ImportParts,
  conversationId: number,
  { messages, leaf }: ExportedConversation,
  signal: AbortSignal | undefined,
): Promise<void> {
  const insert = database.prepare(
    `INSERT INTO messages (conversation_id, parent_id, role, text, thinking, status, error, error_code, stats, rating, correction, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const attach = database.prepare('INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?)');
  const ids: number[] = [];
  const idAt = (place: number | null) => (place === null ? null : (ids[place] ?? null));
  const add = (message: ExportedMessage) => {
    const { role, text, thinking, status, error, errorCode, stats, feedback, createdAt, attachments } =
      message;
    // A reply that was being written when it was exported is not being written here.
    const kept = status === 'waiting' || status === 'streaming' ? 'interrupted' : status;
    const { lastInsertRowid } = insert.run(
      ...[conversationId, idAt(message.parent), role, text, thinking, kept, error, errorCode],
      ...[stats && JSON.stringify(stats), feedback.rating, feedback.correction, createdAt],
    );
    const id = Number(lastInsertRowid);
    ids.push(id);
    attachments.forEach((file, position) =>
      attach.run(id, position, file.name, file.mimeType, file.bytes, file.text),
    );
    index.putMessage(id, text);
  };
  const addSlice = database.transaction((slice: ExportedMessage[]) => slice.forEach(add));
  for (let start = 0; start < messages.length; start += sliceSize) {
    signal?.throwIfAborted();
    addSlice(messages.slice(start, start + sliceSize));
    await setImmediate();
  }
  database.prepare('UPDATE conversations SET leaf_id = ? WHERE id = ?').run(idAt(leaf), conversationId);
}

function reveal(database: Database, ids: number[]): void {
  const show = database.prepare('UPDATE conversations SET deleted_at = NULL WHERE id = ?');
  database.transaction(() => ids.forEach((id) => show.run(id)))();
}

function folderNamed(database: Database, name: string): number {
  const found = database.prepare<[string], { id: number }>('SELECT id FROM folders WHERE name = ?').get(name);
  return (
    found?.id ?? Number(database.prepare('INSERT INTO folders (name) VALUES (?)').run(name).lastInsertRowid)
  );
}

function modelNamed(database: Database, name: string, kind: 'model' | 'adapter'): number | null {
  const row = database
    .prepare<[string, string], { id: number }>('SELECT id FROM models WHERE name = ? AND kind = ?')
    .get(name, kind);
  return row?.id ?? null;
}

function notAnExport(file: string, detail: string, cause?: unknown): PunaError {
  const sentence = `${file} is not a history that Puna exported as JSON: ${detail.replaceAll(/\s+/g, ' ')}`;
  return new PunaError('invalid-input', sentence, 'Nothing was imported.', { cause });
}

function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}
