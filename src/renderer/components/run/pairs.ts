import type { Pair } from '../../../shared/contract/index.ts';

export interface Tally {
  /** Pairs with a choice. */
  judged: number;
  taught: number;
  base: number;
  same: number;
  /** Pairs of the same answer twice, between which nobody has chosen. */
  identical: number;
}

/** There is nothing to choose between equals. */
export function isIdentical({ left, right }: Pair): boolean {
  return left === right;
}

/** What was preferred, of what has been decided. */
export function tallyOf(pairs: readonly Pair[]): Tally {
  const judged = pairs.filter((pair) => pair.choice !== null && !isIdentical(pair));
  const same = judged.filter(({ choice }) => choice === 'same').length;
  const taught = judged.filter(({ choice, taught: side }) => choice === side).length;
  const identical = pairs.filter(isIdentical).length;
  return { judged: judged.length, taught, same, base: judged.length - taught - same, identical };
}
