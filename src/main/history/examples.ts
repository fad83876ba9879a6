import type { Database, Statement } from 'better-sqlite3';
import { setImmediate } from 'node:timers/promises';
import type { Attachment } from '../../shared/contract/index.ts';
import type { MessageRow } from './message-row.ts';
import { Tree, type TreeNode } from './tree.ts';

export interface ExampleOptions {
  /** Conversations of one folder; null: all. */
  folderId: number | null;
  /** Only replies with a thumb up, or with a correction, are learnt: those of all branches, each once. */
  onlyLiked: boolean;
}

/** A branch of a conversation that a model can learn from. */
export interface HistoryExample {
  title: string;
  systemPrompt: string;
  /** They begin with the person and alternate, unless replies between them were left out. */
  messages: HistoryTurn[];
}

/** What was said: a reply as the person would have had it, where they said so. `learnt`: false where it is only read. */
export interface HistoryTurn {
  role: MessageRow['role'];
  text: string;
  attachments: Attachment[];
  learnt: boolean;
}

type Said = Pick<MessageRow, 'role' | 'text' | 'status' | 'rating' | 'correction'>;

/** What of the history can be learnt from, in slices, so that others can write in between. Removed conversations are left out. */
export async function* historyExamples(
  database: Database,
  { folderId, onlyLiked }: ExampleOptions,
): AsyncGenerator<HistoryExample> {
  const ids = database
    .prepare<(number | null)[], number>(
      `SELECT id FROM conversations WHERE deleted_at IS NULL AND (? IS NULL OR folder_id = ?) ORDER BY id`,
    )
    .pluck()
    .all(folderId, folderId) as number[];
  const reader = new BranchReader(database);
  for (const id of ids) {
    for (const example of reader.examples(id, onlyLiked)) {
      yield example;
      await setImmediate();
    }
  }
}

class BranchReader {
  readonly #conversation: Statement<[number], { title: string; systemPrompt: string; leafId: number | null }>;
  readonly #nodes: Statement<[number], TreeNode & { liked: 0 | 1 }>;
  readonly #message: Statement<[number], Said>;
  readonly #files: Statement<[number], Attachment>;

  constructor(database: Database) {
    this.#conversation = database.prepare(
      `SELECT title, system_prompt AS systemPrompt, leaf_id AS leafId FROM conversations
       WHERE id = ? AND deleted_at IS NULL`,
    );
    this.#nodes = database.prepare(
      `SELECT id, parent_id AS parentId,
         role = 'assistant' AND (coalesce(rating, '') = 'up' OR trim(coalesce(correction, '')) <> '') AS liked
       FROM messages WHERE conversation_id = ? ORDER BY id`,
    );
    this.#message = database.prepare(
      'SELECT role, text, status, rating, correction FROM messages WHERE id = ?',
    );
    this.#files = database.prepare(
      'SELECT name, mime_type AS mimeType, bytes, text FROM attachments WHERE message_id = ? ORDER BY position',
    );
  }

  *examples(conversationId: number, onlyLiked: boolean): Generator<HistoryExample> {
    const conversation = this.#conversation.get(conversationId);
    if (!conversation) return;
    const { leafId, ...head } = conversation;
    const nodes = this.#nodes.all(conversationId);
    const tree = new Tree(nodes);
    if (!onlyLiked) {
      const path = leafId === null ? [] : tree.pathTo(leafId);
      yield* this.#example(head, path, () => true);
      return;
    }
    const rest = new Set(nodes.filter(({ liked }) => liked === 1).map(({ id }) => id));
    for (const end of ends(rest, tree)) {
      yield* this.#example(head, tree.pathTo(end), (id) => rest.has(id));
      for (const id of tree.pathTo(end)) rest.delete(id);
    }
  }

  /** The branch, if there is something to learn in it. */
  *#example(
    head: Pick<HistoryExample, 'title' | 'systemPrompt'>,
    path: readonly number[],
    isWanted: (id: number) => boolean,
  ): Generator<HistoryExample> {
    const messages = path.flatMap((id) => this.#turn(id, isWanted(id)));
    if (messages.some(({ learnt }) => learnt)) yield { ...head, messages };
  }

  #turn(id: number, isWanted: boolean): HistoryTurn[] {
    const said = this.#message.get(id);
    if (!said) return [];
    const { role } = said;
    if (role === 'user') return [{ role, text: said.text, attachments: this.#files.all(id), learnt: false }];
    const corrected = said.correction?.trim() ? said.correction : null;
    const text = corrected ?? said.text;
    const isThere = corrected !== null || !['failed', 'waiting', 'streaming'].includes(said.status);
    if (!isThere || text.trim() === '') return [];
    // What was cut short would teach to stop in the middle, unless the person likes it so.
    const isGood = corrected !== null || said.rating === 'up' || (said.rating === null && isWhole(said));
    return [{ role, text, attachments: [], learnt: isWanted && isGood }];
  }
}

function isWhole({ status }: Said): boolean {
  return status === 'complete';
}

/** Those of some messages that none of the others follows, oldest first: the branches to them hold all. */
function ends(ids: ReadonlySet<number>, tree: Tree): number[] {
  const followed = new Set([...ids].flatMap((id) => tree.pathTo(id).slice(0, -1)));
  return [...ids].filter((id) => !followed.has(id));
}
