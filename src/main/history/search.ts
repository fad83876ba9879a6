import type { Database, Statement } from 'better-sqlite3';
import type { SearchHit } from '../../shared/contract/index.ts';
import { matchExpression } from './segment.ts';
import { folded, matchPattern, snippet } from './snippet.ts';

/**
 * Candidates that are ranked against each other. Ranking all matches of a common word among a million messages would take
 * seconds, and FTS5's own bm25 does just that; so the newest matches are taken and the best of them come first.
 */
const windowSize = 300;

/** Conversations whose title matches, shown before the messages on the first page. */
const titleLimit = 5;

interface MessageMatch {
  id: number;
  conversationId: number;
  role: 'user' | 'assistant';
  title: string;
  text: string;
  createdAt: number;
}

/** Where a page ended: matches older than `before` are yet to be ranked (null: none seen), `skip` of the window are shown. */
interface Position {
  before: number | null;
  skip: number;
}

export class Search {
  readonly #messages: Statement<[string, number, number], MessageMatch>;
  readonly #titles: Statement<[string, number], { id: number; title: string; createdAt: number }>;

  constructor(database: Database) {
    // CROSS JOIN keeps the order of the tables: the index walks its matches from the newest, and stops when there are enough.
    this.#messages = database.prepare(
      `SELECT m.id, m.conversation_id AS conversationId, m.role, c.title, m.text, m.created_at AS createdAt
       FROM message_index f CROSS JOIN messages m ON m.id = f.rowid CROSS JOIN conversations c ON c.id = m.conversation_id
       WHERE f.words MATCH ? AND f.rowid < ? AND c.deleted_at IS NULL ORDER BY f.rowid DESC LIMIT ?`,
    );
    this.#titles = database.prepare(
      `SELECT c.id, c.title, c.updated_at AS createdAt
       FROM title_index f CROSS JOIN conversations c ON c.id = f.rowid
       WHERE f.words MATCH ? AND c.deleted_at IS NULL ORDER BY f.rowid DESC LIMIT ?`,
    );
  }

  /** Messages and titles with all words of the query, best first among the newest. */
  find(page: { query: string; cursor: string | null; limit: number }): {
    hits: SearchHit[];
    cursor: string | null;
  } {
    const expression = matchExpression(page.query);
    const pattern = matchPattern(page.query);
    if (!expression || !pattern) return { hits: [], cursor: null };
    const { before, skip } = readPosition(page.cursor);
    const candidates = this.#messages.all(expression, before ?? Number.MAX_SAFE_INTEGER, windowSize);
    const ranked = rank(candidates, pattern).slice(skip, skip + page.limit);
    const titles = page.cursor === null ? this.#titles.all(expression, titleLimit) : [];
    return {
      hits: [
        ...titles.map(({ id, title, createdAt }) => ({
          ...{ conversationId: id, messageId: null, role: null, title, createdAt },
          snippet: snippet(title, pattern),
        })),
        ...ranked.map(({ id, conversationId, role, title, text, createdAt }) => ({
          ...{ conversationId, messageId: id, role, title, createdAt },
          snippet: snippet(text, pattern),
        })),
      ],
      cursor: nextPosition(candidates, { before, skip: skip + ranked.length }),
    };
  }
}

/** By how densely the words stand in the text, so that a short answer beats a long one that mentions them; then the newest. */
function rank(matches: MessageMatch[], pattern: RegExp): MessageMatch[] {
  const scored = matches.map((match) => {
    const count = folded(match.text).match(pattern)?.length ?? 0;
    // The saturation of BM25 with its usual constants, over the length of a typical message.
    const length = 0.25 + 0.75 * (match.text.length / typicalLength);
    return { match, score: count / (count + 1.2 * length) };
  });
  return scored
    .sort((one, other) => other.score - one.score || other.match.id - one.match.id)
    .map(({ match }) => match);
}

/** In characters; only relations matter. */
const typicalLength = 400;

function nextPosition(candidates: MessageMatch[], { before, skip }: Position): string | null {
  if (skip < candidates.length) return JSON.stringify({ before, skip });
  const oldest = candidates.at(-1);
  return oldest && candidates.length === windowSize ? JSON.stringify({ before: oldest.id, skip: 0 }) : null;
}

function readPosition(cursor: string | null): Position {
  if (cursor === null) return { before: null, skip: 0 };
  const [before, skip] = /^\{"before":(\d+|null),"skip":(\d+)\}$/.exec(cursor)?.slice(1) ?? [];
  return {
    before: before === undefined || before === 'null' ? null : Number(before),
    skip: Number(skip ?? 0),
  };
}
