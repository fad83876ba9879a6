/** Units of a shingle. Of fewer, unlike texts share many; of more, one changed word makes like texts unlike. */
const unitsOfShingle = 3;

/**
 * What is compared: words of scripts with spaces between them; single characters of scripts without and of Hangul, whose
 * spaces people set as they like; signs that change the meaning of formulas and code. Other punctuation is left out.
 */
const unit =
  /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|(?:(?![\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{M}\p{N}])+|[\p{S}\p{Pd}*/%&#@\\]/gu;

/**
 * A text's shingles, each as a hash of 32 bits: all three units in a row, or all units where there are fewer. None of a text
 * of punctuation alone. One after the other, repetitions included, since those of a novel fill no set of JavaScript's. Takes
 * text in its normal form.
 */
export function* shinglesOf(text: string): Generator<number> {
  const last: number[] = [];
  let count = 0;
  for (const [found] of text.matchAll(unit)) {
    last.push(hashOf(found));
    if (last.length > unitsOfShingle) last.shift();
    count++;
    if (last.length === unitsOfShingle) yield combined(last);
  }
  if (count > 0 && count < unitsOfShingle) yield combined(last);
}

/** FNV-1a over UTF-16 code units (http://www.isthe.com/chongo/tech/comp/fnv/). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

function combined(hashes: readonly number[]): number {
  return hashes.reduce((hash, next) => mixed(Math.imul(hash, 31) + next), 0);
}

/** The finalizer of MurmurHash3: each bit of the number changes each bit of the result half of the times. */
export function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
