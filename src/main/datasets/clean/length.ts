import type { CleanSettings } from '../../../shared/contract/clean.ts';
import type { Example } from '../example.ts';
import { type Cleaner, dropped, kept, type Verdict } from './cleaner.ts';
import { textsOf } from './texts.ts';

/** Drops what is too short or too long: reasons `too-short`, `too-long`, `few-turns`, `many-turns`. */
export function lengthCleaner(settings: CleanSettings['length']): Cleaner {
  const { minCharacters, maxCharacters, minTurns, maxTurns } = settings;

  function judge(example: Example): Verdict {
    const texts = textsOf(example);
    const because = (reason: string) => dropped(reason, texts.join(' '));
    const length = texts.reduce((sum, text) => sum + charactersOf(text.trim()), 0);
    if (length < minCharacters) return because('too-short');
    if (example.kind === 'text') return kept;
    if (maxCharacters !== null && length > maxCharacters) return because('too-long');
    if (example.turns.length < minTurns) return because('few-turns');
    if (maxTurns !== null && example.turns.length > maxTurns) return because('many-turns');
    return kept;
  }

  return { name: 'length', judge };
}

/** Code points, counted without an array of them. */
function charactersOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const isSecondHalf = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
    if (!isSecondHalf) count++;
  }
  return count;
}
