import type { CleanSettings } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { type Cleaner, dropped, kept, type Verdict } from './cleaner.ts';
import { signatureOf } from './minhash.ts';
import { shinglesOf } from './shingles.ts';
import { SignatureIndex } from './signature-index.ts';
import { normalised, textsOf } from './texts.ts';

/**
 * What is remembered of the examples that stay takes at most so much: of 1,130,000 at a similarity of 0.8. Those behind them
 * are still compared with these, but no more with one another.
 */
const maxRememberedBytes = 320 * 2 ** 20;

/**
 * Drops examples whose estimated Jaccard similarity with an earlier one that stayed is as high as is set; the first one stays.
 * Texts of punctuation alone are never similar. Reason: `duplicate`.
 */
export function nearDuplicatesCleaner(
  { compare, similarity }: CleanSettings['nearDuplicates'],
  maxBytes = maxRememberedBytes,
): Cleaner {
  const index = new SignatureIndex(similarity, maxBytes);
  let notRemembered = 0;

  function judge(example: Example): Verdict {
    const texts = textsOf(example, compare);
    const signature = signatureOf(shinglesOf(normalised(texts.join('\n'))));
    if (!signature) return kept;
    if (index.hasSimilar(signature)) return dropped('duplicate', texts.join(' '));
    if (index.isFull) notRemembered++;
    else index.add(signature);
    return kept;
  }

  return {
    name: 'near-duplicates',
    judge,
    get notRemembered() {
      return notRemembered;
    },
  };
}
