import type { Database, Statement } from 'better-sqlite3';
import { setImmediate } from 'node:timers/promises';
import {
  adapterChoiceSchema,
  type Conversation,
  type ConversationPatch,
  type ConversationSummary,
  samplingSchema,
} from '../../shared/contract/index.ts';
import { notFound } from './not-found.ts';
import type { SearchIndex } from './search-index.ts';
import type { StoredSettings } from './settings.ts';
import { newestTime } from './steady-clock.ts';

/** How long what was deleted can be brought back. */
const keptAfterDeletionMs = 30 * 24 * 60 * 60 * 1000;

/** A clock that is so far ahead of all that was ever written is perhaps wrong. */
const longAbsenceMs = 365 * 24 * 60 * 60 * 1000;

/** Messages that one slice of a purge removes before others may write again. */
const purgeSlice = 500;

interface Row {
  id: number;
  title: string;
  folder_id: number | null;
  pinned: 0 | 1;
  archived: 0 | 1;
  created_at: number;
  updated_at: number;
  model_id: number | null;
  adapters: string;
  system_prompt: string;
  sampling: string;
  leaf_id: number | null;
}

/** Where a page of the list ended: pinned, updated_at and id of its last conversation. */
type Position = [pinned: number, updatedAt: number, id: number];

export class Conversations {
  readonly #database: Database;
  readonly #index: SearchIndex;
  readonly #settings: StoredSettings;
  readonly #now: () => number;
  readonly #get: Statement<[number], Row>;

  constructor(
    database: Database,
    parts: { index: SearchIndex; settings: StoredSettings; now: () => number },
  ) {
    this.#database = database;
    this.#index = parts.index;
    this.#settings = parts.settings;
    this.#now = parts.now;
    this.#get = database.prepare('SELECT * FROM conversations WHERE id = ? AND deleted_at IS NULL');
  }

  /** Pinned first, then by last change, newest first. Errors: none; a cursor that is not one of ours begins anew. */
  list(page: { archived: boolean; folderId?: number | undefined; cursor: string | null; limit: number }): {
    conversations: ConversationSummary[];
    cursor: string | null;
  } {
    const { archived, folderId, cursor, limit } = page;
    const after = readPosition(cursor);
    const rows = this.#database
      .prepare<unknown[], Row>(
        `SELECT * FROM conversations
         WHERE deleted_at IS NULL AND archived = ?
           ${folderId === undefined ? '' : 'AND folder_id = ?'}
           ${after ? 'AND (pinned, updated_at, id) < (?, ?, ?)' : ''}
         ORDER BY pinned DESC, updated_at DESC, id DESC LIMIT ?`,
      )
      .all(Number(archived), ...(folderId === undefined ? [] : [folderId]), ...(after ?? []), limit + 1);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      conversations: shown.map(toSummary),
      cursor: last ? JSON.stringify([last.pinned, last.updated_at, last.id] satisfies Position) : null,
    };
  }

  /** Errors: `not-found`. */
  get(id: number): Conversation {
    const row = this.#get.get(id);
    if (!row) throw notFound('This conversation');
    return toConversation(row);
  }

  /** What the patch leaves open comes from the settings. */
  create(patch: ConversationPatch = {}): Conversation {
    const { systemPrompt, sampling } = this.#settings.get();
    const now = this.#now();
    return this.#database.transaction(() => {
      const { lastInsertRowid } = this.#database
        .prepare(
          `INSERT INTO conversations (title, folder_id, pinned, archived, created_at, updated_at, model_id, adapters, system_prompt, sampling)
           VALUES ('', NULL, 0, 0, ?, ?, NULL, '[]', ?, ?)`,
        )
        .run(now, now, systemPrompt, JSON.stringify(sampling));
      return this.update(Number(lastInsertRowid), patch);
    })();
  }

  /** Errors: `not-found`. */
  update(id: number, patch: ConversationPatch): Conversation {
    return this.#database.transaction(() => {
      const next = { ...this.get(id), ...patch };
      this.#database
        .prepare(
          `UPDATE conversations SET title = ?, folder_id = ?, pinned = ?, archived = ?, model_id = ?, adapters = ?,
             system_prompt = ?, sampling = ? WHERE id = ?`,
        )
        .run(
          next.title,
          next.folderId,
          Number(next.pinned),
          Number(next.archived),
          next.modelId,
          JSON.stringify(next.adapters),
          next.systemPrompt,
          JSON.stringify(next.sampling),
          id,
        );
      if (patch.title !== undefined) this.#index.putTitle(id, patch.title);
      return this.get(id);
    })();
  }

  /** Takes models and adapters out of all conversations, also of those that were deleted; gives those that changed and are not. */
  forgetModels(ids: readonly number[]): Conversation[] {
    const set = this.#database.prepare<[number | null, string, number]>(
      'UPDATE conversations SET model_id = ?, adapters = ? WHERE id = ?',
    );
    return this.#database.transaction(() => {
      const changed = this.#database
        .prepare<[], Row>(`SELECT * FROM conversations WHERE adapters <> '[]' OR model_id IS NOT NULL`)
        .all()
        .filter((row) => usesAny(toConversation(row), ids));
      for (const row of changed) {
        const { id, modelId, adapters } = toConversation(row);
        const left = adapters.filter(({ adapterId }) => !ids.includes(adapterId));
        set.run(modelId !== null && ids.includes(modelId) ? null : modelId, JSON.stringify(left), id);
      }
      return changed.flatMap(({ id }) => {
        const row = this.#get.get(id);
        return row ? [toConversation(row)] : [];
      });
    })();
  }

  /** Puts it aside. Errors: `not-found`. */
  remove(id: number): void {
    this.get(id);
    this.#database.prepare('UPDATE conversations SET deleted_at = ? WHERE id = ?').run(this.#now(), id);
  }

  /** Brings back what `remove` put aside. Errors: `not-found` when it has been purged. */
  restore(id: number): Conversation {
    this.#database
      .prepare('UPDATE conversations SET deleted_at = NULL WHERE id = ? AND deleted_at > 0')
      .run(id);
    return this.get(id);
  }

  /**
   * Removes for good what was deleted a month ago, and what an import that never ended left behind. In slices. Whoever was away for a year
   * has that done once they have written something: until then the clock alone says that so much time has passed.
   */
  async purge(): Promise<void> {
    const newest = newestTime(this.#database);
    const now = this.#now();
    const last = now - newest > longAbsenceMs ? 1 : now - keptAfterDeletionMs;
    const ids = this.#database
      .prepare<[number], { id: number }>(
        'SELECT id FROM conversations WHERE deleted_at IS NOT NULL AND deleted_at < ?',
      )
      .all(last);
    for (const { id } of ids) await this.destroy(id);
  }

  /** Removes a conversation for good, in slices, so that others can write in between. */
  async destroy(id: number): Promise<void> {
    // Children are younger than their parents: newest first, no slice leaves an orphan.
    const newest = this.#database.prepare<[number, number], { id: number }>(
      'SELECT id FROM messages WHERE conversation_id = ? ORDER BY id DESC LIMIT ?',
    );
    const remove = this.#database.prepare('DELETE FROM messages WHERE id = ?');
    const removeSlice = this.#database.transaction(() => {
      const slice = newest.all(id, purgeSlice);
      for (const message of slice) {
        this.#index.removeMessage(message.id);
        remove.run(message.id);
      }
      return slice.length;
    });
    while (this.#database.open && removeSlice() > 0) await setImmediate();
    if (!this.#database.open) return;
    this.#index.removeTitle(id);
    this.#database.prepare('DELETE FROM conversations WHERE id = ?').run(id);
  }
}

function toSummary(row: Row): ConversationSummary {
  return {
    ...{ id: row.id, title: row.title, folderId: row.folder_id },
    ...{ pinned: row.pinned === 1, archived: row.archived === 1 },
    ...{ createdAt: row.created_at, updatedAt: row.updated_at },
  };
}

function toConversation(row: Row): Conversation {
  return {
    ...toSummary(row),
    modelId: row.model_id,
    adapters: adapterChoiceSchema.array().parse(JSON.parse(row.adapters)),
    systemPrompt: row.system_prompt,
    sampling: samplingSchema.parse(JSON.parse(row.sampling)),
    leafId: row.leaf_id,
  };
}

function usesAny({ modelId, adapters }: Conversation, ids: readonly number[]): boolean {
  return [modelId, ...adapters.map(({ adapterId }) => adapterId)].some(
    (id) => id !== null && ids.includes(id),
  );
}

function readPosition(cursor: string | null): Position | null {
  if (cursor === null) return null;
  try {
    const value: unknown = JSON.parse(cursor);
    return Array.isArray(value) && value.length === 3 && value.every(Number.isInteger)
      ? (value as Position)
      : null;
  } catch {
    return null;
  }
}
