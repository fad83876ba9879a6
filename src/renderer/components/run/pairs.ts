import type { Pair } from '../../../shared/contract/index.ts';

export interface Tally {
  /** Pairs with a choice. */
  judged: number;
  taught: number;
  base: number;
  same: number;
}

/** What was preferred, of what has been decided. */
export function tallyOf(pairs: readonly Pair[]): Tally {
  const judged = pairs.filter(({ choice }) => choice !== null);
  const same = judged.filter(({ choice }) => choice === 'same').length;
  const taught = judged.filter(({ choice, taught: side }) => choice === side).length;
  return { judged: judged.length, taught, same, base: judged.length - taught - same };
}
