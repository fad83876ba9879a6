import type { Database } from 'better-sqlite3';

/** There was no Puna before: a clock that says so is wrong. In milliseconds since 1970. */
export const firstPunaMs = Date.UTC(2026, 0, 1);

/** A clock is set right by less than this, when it is set right: what is written meanwhile is dated at most so far ahead. */
const usualCorrectionMs = 24 * 60 * 60 * 1000;

/**
 * The clock by which conversations are dated, which keeps what is written later above what was written earlier. The system's clock may
 * be set back a little, or have begun anew with a flat battery: then time goes on from the newest that the history has. A history that is
 * far ahead of a clock that may be right was written by a wrong one, and must not draw the new times after it.
 */
export function steadyClock(database: Database, now: () => number): () => number {
  let newest = newestTime(database);
  return () => {
    const time = now();
    const isBehind = time < firstPunaMs || newest - time < usualCorrectionMs;
    newest = time > newest || !isBehind ? time : newest + 1;
    return newest;
  };
}

/** The latest time that a conversation was changed or deleted, in milliseconds since 1970; 0 where there is none. */
export function newestTime(database: Database): number {
  const sql = 'SELECT max(max(updated_at, coalesce(deleted_at, 0))) FROM conversations';
  return database.prepare<[], number | null>(sql).pluck().get() ?? 0;
}
