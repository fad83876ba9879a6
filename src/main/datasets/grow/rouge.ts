/**
 * ROUGE-L (https://aclanthology.org/W04-1013) as Google's rouge_score computes it, which self-instruct compares instructions
 * with: the longest subsequence that two texts have in common, against the lengths of both.
 */

/** Scripts of which a single sign says about what a word says, or of which words are not told apart by spaces alone. */
const dense = '\\p{Script=Hangul}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}';
const units = new RegExp(`[${dense}]+|[[\\p{L}\\p{M}\\p{N}]--[${dense}]]+`, 'gv');
const denseStart = new RegExp(`^[${dense}]`, 'v');

/**
 * What is compared of a text: words in lower case, of letters and digits alone, as rouge_score has them (which knows the
 * letters a to z only).
 *
 * Korean, Chinese and Japanese are compared by pairs of neighbouring signs. Words will not do: particles and endings make
 * 문장을 and 문장은 two words, and Chinese has no spaces. Single signs will not do either: 다, 을 and 하 are in every Korean
 * sentence. Of Puna's own seed tasks, any two are alike by 0.08 in English; in Korean by 0.07 with pairs, 0.17 with single
 * signs and 0.03 with words. So with pairs the paper's threshold means about the same.
 */
export function unitsOf(text: string): string[] {
  const found = text.normalize('NFC').toLowerCase().match(units) ?? [];
  return found.flatMap((word) => (denseStart.test(word) ? pairsOf(word) : [word]));
}

function pairsOf(word: string): string[] {
  const signs = [...word];
  if (signs.length < 2) return signs;
  return signs.slice(1).map((sign, at) => `${signs[at]}${sign}`);
}

/** ROUGE-L's F-measure of two texts, 0 to 1: twice what they have in common, in order, of all that both have. */
export function rougeL(one: string, other: string): number {
  const [a, b] = [unitsOf(one), unitsOf(other)];
  return fMeasure(new Sequence(a).commonWith(b), a.length, b.length);
}

function fMeasure(common: number, one: number, other: number): number {
  // With precision common / one and recall common / other, 2 P R / (P + R) is just that.
  return common === 0 ? 0 : (2 * common) / (one + other);
}

const wordBits = 32;

/**
 * A text that is compared with many: the length of the longest common subsequence, 32 of its units at a time
 * (https://doi.org/10.1007/s00453-004-1133-2, Hyyrö's form).
 */
class Sequence {
  readonly length: number;
  /** Where a unit stands, as bits. */
  readonly #places = new Map<string | number, Uint32Array>();
  readonly #row: Uint32Array;

  constructor(units: readonly (string | number)[]) {
    this.length = units.length;
    this.#row = new Uint32Array(Math.ceil(units.length / wordBits));
    for (const [at, unit] of units.entries()) {
      const places = this.#places.get(unit) ?? new Uint32Array(this.#row.length);
      const word = Math.floor(at / wordBits);
      places[word] = (places[word] ?? 0) | (1 << (at % wordBits));
      this.#places.set(unit, places);
    }
  }

  /** Length of the longest common subsequence. */
  commonWith(others: Iterable<string | number>): number {
    const row = this.#row.fill(0xffff_ffff);
    for (const other of others) {
      const places = this.#places.get(other);
      if (places) step(row, places);
    }
    return this.length - onesOf(row, this.length);
  }
}

/** One row of the table: each zero in it is a step of the subsequence. */
function step(row: Uint32Array, places: Uint32Array): void {
  let carry = 0;
  for (let word = 0; word < row.length; word++) {
    const value = row[word] ?? 0;
    const matched = (value & (places[word] ?? 0)) >>> 0;
    const sum = value + matched + carry;
    carry = sum > 0xffff_ffff ? 1 : 0;
    row[word] = sum | (value & ~matched);
  }
}

function onesOf(row: Uint32Array, bits: number): number {
  let ones = 0;
  for (let at = 0; at < bits; at++) ones += ((row[Math.floor(at / wordBits)] ?? 0) >>> (at % wordBits)) & 1;
  return ones;
}

/** Texts that are never as similar to each other as a threshold. Ten thousand instructions are compared with one in milliseconds. */
export class Unlike {
  readonly #threshold: number;
  /** Units are numbers here, which take a fraction of the memory and of the time. */
  readonly #numbers = new Map<string, number>();
  readonly #kept: Int32Array[] = [];

  /** `threshold`: ROUGE-L from which on two texts are too similar, more than 0. */
  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  /** Whether one that was added is too similar. A text without words is too similar to anything. */
  isLike(text: string): boolean {
    const units = unitsOf(text).map((unit) => this.#numbers.get(unit) ?? unit);
    if (units.length === 0) return true;
    const sequence = new Sequence(units);
    return this.#kept.some((other) => {
      const lengths = sequence.length + other.length;
      // All of the shorter one would be in the longer one.
      const most = Math.min(sequence.length, other.length);
      if ((2 * most) / lengths < this.#threshold) return false;
      return fMeasure(sequence.commonWith(other), sequence.length, other.length) >= this.#threshold;
    });
  }

  add(text: string): void {
    this.#kept.push(Int32Array.from(unitsOf(text), (unit) => this.#numberOf(unit)));
  }

  #numberOf(unit: string): number {
    const number = this.#numbers.get(unit) ?? this.#numbers.size;
    this.#numbers.set(unit, number);
    return number;
  }
}
