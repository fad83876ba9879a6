import type { GgufValue } from '../../src/main/weights/formats/gguf.ts';
import {
  byteToken,
  spaceSign,
  special,
  tokenizerMetadata,
  tokenTypes as types,
} from '../../tests/support/tiny-vocabulary.ts';

/** A vocabulary as GGUF holds it. */
export interface Vocabulary {
  pieces: string[];
  /** Of each piece, llama_token_type. */
  types: number[];
  metadata: [string, GgufValue][];
}

/**
 * Byte-pair encoding (https://arxiv.org/abs/1508.07909) of so many tokens, in the form of SentencePiece: all bytes are there, so
 * that any text can be written; then the characters of the texts, then what is joined most often, words at most.
 */
export function trainTokenizer(texts: Iterable<string>, size: number): Vocabulary {
  const words = countWords(texts);
  const typeOf = new Map<string, number>([
    [special.unknown, types.unknown],
    [special.begin, types.control],
    [special.end, types.control],
    ...Array.from({ length: 256 }, (_, byte) => [byteToken(byte), types.byte] as const),
    [special.turnStart, types.control],
    [special.turnEnd, types.control],
  ]);
  const characters = new Set([spaceSign, ...printable(), ...[...words.keys()].flatMap((word) => [...word])]);
  for (const character of characters) typeOf.set(character, types.normal);
  if (typeOf.size > size) throw new Error(`Bytes and characters alone are ${typeOf.size} tokens.`);
  for (const piece of joined(words, size - typeOf.size)) typeOf.set(piece, types.normal);
  const pieces = [...typeOf.keys()];
  return { pieces, types: [...typeOf.values()], metadata: tokenizerMetadata(pieces, [...typeOf.values()]) };
}

/** How often each word occurs, with the space before it; scripts, digits and signs are words of their own. */
function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(
      / ?\p{Script=Hangul}+| ?\p{Script=Latin}+| ?\p{L}| ?\p{N}| ?[^\s\p{L}\p{N}]/gu,
    )) {
      const piece = word.replace(' ', spaceSign);
      counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  // What hardly occurs is written in bytes, which are then not unheard of.
  const rare = rareCharacters(counts);
  return new Map([...counts].filter(([word]) => ![...word].some((character) => rare.has(character))));
}

/** Characters that occur less often than this have no token of their own. */
const leastOccurrences = 12;

function rareCharacters(words: ReadonlyMap<string, number>): Set<string> {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const character of word) counts.set(character, (counts.get(character) ?? 0) + count);
  }
  return new Set([...counts].filter(([, count]) => count < leastOccurrences).map(([character]) => character));
}

interface Word {
  parts: string[];
  count: number;
}

/** So many pairs of neighbours, the most frequent one each time. Pairs are counted anew only in words that change. */
function* joined(counts: ReadonlyMap<string, number>, most: number): Generator<string> {
  const words = [...counts].map(([word, count]): Word => ({ parts: [...word], count }));
  const pairs = new Map<string, { count: number; words: Set<Word> }>();
  const note = (word: Word, sign: 1 | -1) => {
    for (let index = 1; index < word.parts.length; index++) {
      const pair = `${word.parts[index - 1] ?? ''} ${word.parts[index] ?? ''}`;
      const known = pairs.get(pair) ?? { count: 0, words: new Set<Word>() };
      known.count += sign * word.count;
      known.words.add(word);
      pairs.set(pair, known);
    }
  };
  for (const word of words) note(word, 1);
  for (let made = 0; made < most; made++) {
    let best = '';
    let bestCount = 1;
    for (const [pair, { count }] of pairs) if (count > bestCount) [best, bestCount] = [pair, count];
    const changed = pairs.get(best)?.words;
    if (!changed) throw new Error(`The texts give only ${made} of ${most} joined tokens.`);
    const [one = '', other = ''] = best.split(' ');
    for (const word of changed) {
      note(word, -1);
      word.parts = join(word.parts, one, other);
      note(word, 1);
    }
    pairs.delete(best);
    yield one + other;
  }
}

function join(parts: readonly string[], one: string, other: string): string[] {
  const result: string[] = [];
  for (const part of parts) {
    if (part === other && result.at(-1) === one) result[result.length - 1] = one + other;
    else result.push(part);
  }
  return result;
}

function* printable(): Generator<string> {
  for (let code = 0x21; code < 0x7f; code++) yield String.fromCharCode(code);
}
