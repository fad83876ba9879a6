import type { CleanSettings, ComparedPart } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { type Cleaner, dropped, kept, type Verdict } from './cleaner.ts';
import { keyOf, KeySet } from './key-set.ts';
import { normalised, textsOf } from './texts.ts';

/**
 * So many different examples are remembered, in at most 256 MiB. Those behind them are still compared with these, but no more
 * with one another.
 */
const maxRemembered = 8_000_000;

/**
 * Drops examples that are the same as an earlier one but for white space, case and Unicode composition. Of conversations, the
 * system text counts as well unless only what was asked is compared. Reason: `duplicate`.
 */
export function exactDuplicatesCleaner(
  { compare }: CleanSettings['exactDuplicates'],
  limit = maxRemembered,
): Cleaner {
  const seen = new KeySet(limit);
  let notRemembered = 0;

  function judge(example: Example): Verdict {
    const key = keyOf(identityOf(example, compare));
    if (seen.has(key)) return dropped('duplicate', textsOf(example).join(' '));
    if (seen.isFull) notRemembered++;
    else seen.add(key);
    return kept;
  }

  return {
    name: 'exact-duplicates',
    judge,
    get notRemembered() {
      return notRemembered;
    },
  };
}

function identityOf(example: Example, part: ComparedPart): string[] {
  const texts = textsOf(example, part).map(normalised);
  const isWhole = example.kind === 'conversation' && part === 'all';
  return [example.kind, isWhole ? normalised(example.system) : '', ...texts];
}
