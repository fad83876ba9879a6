import type { PromptTurn } from './chat-template.ts';
import type { Turn } from './messages.ts';

/** A turn of the prompt, and how many of the conversation's it is made of. */
export interface CountedTurn extends PromptTurn {
  count: number;
}

/** Guesses of how many characters a token has, and of what a template adds to a turn. They need only be the same each time. */
const charactersOfToken = 3;
const addedCharacters = 40;

/**
 * The turns of a conversation as templates accept them: the person begins, the speakers take turns, no reply is empty. Replies
 * that failed leave gaps, and two messages of one speaker become one.
 */
export function promptTurns(turns: readonly Turn[]): CountedTurn[] {
  const joined: CountedTurn[] = [{ role: 'user', text: '', count: 0 }];
  for (const { role, text } of turns) {
    const last = joined.at(-1);
    if (role === 'assistant' && text.trim() === '') {
      if (last) last.count++;
    } else if (last?.role === role) {
      last.text = last.count === 0 ? text : `${last.text}\n\n${text}`;
      last.count++;
    } else {
      joined.push({ role, text, count: 1 });
    }
  }
  return joined;
}

/**
 * The earliest of the person's turns from which on the turns are no longer than `tokens`; at least the last one. Looks from the
 * end, so that a conversation that is much longer than the context costs no more than one that fills it.
 */
export function earliestFitting(
  turns: readonly CountedTurn[],
  tokens: number,
  lengthOf: (turn: CountedTurn) => number,
): number {
  let sum = 0;
  let earliest = Math.max(
    0,
    turns.findLastIndex(({ role }) => role === 'user'),
  );
  for (const [index, turn] of [...turns.entries()].reverse()) {
    sum += lengthOf(turn);
    if (sum > tokens) break;
    if (turn.role === 'user') earliest = Math.min(earliest, index);
  }
  return earliest;
}

/**
 * The turn with which a conversation begins that has to be cut to `tokens`. Where enough is left behind it, a cut that stays
 * when turns are added, so that the next messages find their beginning in the cache.
 */
export function cutBefore(
  turns: readonly CountedTurn[],
  tokens: number,
  lengthOf: (turn: CountedTurn) => number,
): number {
  const earliest = earliestFitting(turns, tokens, lengthOf);
  const lasting = lastingCuts(turns, tokens).find((cut) => cut >= earliest);
  if (lasting === undefined || earliest === 0) return earliest;
  return lasting <= earliestFitting(turns, tokens / 2, lengthOf) ? lasting : earliest;
}

/** Turns of the person that are about a quarter of the context apart, counted from the conversation's beginning. */
function lastingCuts(turns: readonly CountedTurn[], tokens: number): number[] {
  const unit = Math.max(1, (tokens / 4) * charactersOfToken);
  const cuts: number[] = [];
  let before = 0;
  let unitsAtLast = 0;
  for (const [index, { role, text }] of turns.entries()) {
    if (role === 'user') {
      const units = Math.floor(before / unit);
      if (units > unitsAtLast) cuts.push(index);
      unitsAtLast = units;
    }
    before += text.length + addedCharacters;
  }
  return cuts;
}
