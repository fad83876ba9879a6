import type { BatchItem, EvaluationPriority, PrioritizedBatchItem } from 'node-llama-cpp';

/** node-llama-cpp declares five, and only ever compares them. */
export function priorityOf(place: number): EvaluationPriority {
  return place as EvaluationPriority;
}

/**
 * What of the tokens that wait goes into one batch: of each text an equal share, and then what is left over. In the order of the
 * sequences, because llama.cpp computes only such together as follow one another; any other order costs twice the time.
 */
export function inOrderOfSequences({
  items,
  size,
}: {
  items: readonly BatchItem[];
  size: number;
}): PrioritizedBatchItem[] {
  const ordered = items.toSorted((one, other) => one.evaluationPriority - other.evaluationPriority);
  const share = Math.max(1, Math.floor(size / Math.max(1, items.length)));
  let left = size;
  const take = (most: number) => {
    const amount = Math.min(most, left);
    left -= amount;
    return amount;
  };
  const shares = ordered.map(({ tokens }) => take(Math.min(tokens.length, share)));
  return ordered.flatMap((item, index) => {
    const first = shares[index] ?? 0;
    const processAmount = first + take(item.tokens.length - first);
    return processAmount === 0 ? [] : [{ item, processAmount }];
  });
}
