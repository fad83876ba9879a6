import type { Pair } from './questions.ts';
import { type GrowReason, growReasons } from './reasons.ts';
import { unitsOf } from './rouge.ts';

/** "According to the passage, what …" asks well without its beginning. */
const reference =
  /^(?:according to|based on|as (?:stated|mentioned|described) in|in) (?:the|this) (?:text|passage|article|document|paragraph|excerpt|section|above)(?: above)?,\s*/i;
const koreanReference =
  /^(?:이|위|위의|해당|주어진|본)?\s*(?:글|지문|본문|내용|문서|텍스트|기사)(?:에 따르면|에 의하면|에서는?|을 보면),?\s*/;

const aboutPassage =
  /\b(?:the|this|that) (?:text|passage|article|document|paragraph|excerpt|given information|author|narrator|speaker)\b|\bmentioned above\b|\bin the above\b/i;
const koreanAboutPassage =
  /(?<!\p{L})(?:(?:이|위|위의|해당|주어진|본|윗)\s*(?:글|지문|본문|내용|문서|텍스트|문단|기사|단락)|지문|본문|글쓴이|필자|저자|화자)(?=[은는이가을를의에과와도\s,]|$)/u;

/** A question that can be understood by itself, as far as leaving out its beginning makes it one. */
export function standingAlone(question: string): string {
  const bare = question.replace(reference, '').replace(koreanReference, '');
  return bare === question ? question : `${bare.charAt(0).toUpperCase()}${bare.slice(1)}`;
}

/**
 * Of an answer's telling units, so many stand in the passage. Answers that say the same in other words have half of them from
 * it; those of which a small model's memory is the source, a quarter.
 */
const leastSupported = 0.4;
/** Shorter English words are in every text. */
const tellingLetters = 4;

/** Why a pair about a passage is left out; null: it is not. */
export function faultOfPair({ question, answer }: Pair, passage: string): GrowReason | null {
  if (aboutPassage.test(question) || koreanAboutPassage.test(question)) return growReasons.aboutPassage;
  return supportOf(answer, question, passage) < leastSupported ? growReasons.unsupported : null;
}

/** The share of what an answer says, beyond its question, that the passage says too: recall of words, for Korean of pairs of signs. */
export function supportOf(answer: string, question: string, passage: string): number {
  const known = new Set(unitsOf(passage));
  const asked = new Set(unitsOf(question));
  const units = [...new Set(unitsOf(answer))];
  const telling = units.filter(isTelling);
  const own = telling.filter((unit) => !asked.has(unit));
  // "Yes." or an answer in the question's own words tells nothing to go by but all its words.
  const judged = [own, telling, units].find((some) => some.length > 0) ?? [];
  return judged.filter((unit) => known.has(unit)).length / Math.max(1, judged.length);
}

function isTelling(unit: string): boolean {
  return /\p{N}/u.test(unit) || /[^\p{Script=Latin}]/u.test(unit) || unit.length >= tellingLetters;
}
