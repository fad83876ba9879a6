import { analyse } from 'chardet';
import { isAscii } from 'node:buffer';

/** A name that `TextDecoder` knows. `euc-kr` also reads CP949, as Korean Windows writes it. */
export type Encoding = string;

const marks: [mark: number[], encoding: Encoding][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/** Encodings without marks that people's older programs write, and that the statistics tell well enough. */
const guessable = new Map<string, Encoding>([
  ['EUC-KR', 'euc-kr'],
  ['Shift_JIS', 'shift_jis'],
  ['EUC-JP', 'euc-jp'],
  ['Big5', 'big5'],
  ['GB18030', 'gb18030'],
  ['KOI8-R', 'koi8-r'],
  ['windows-1251', 'windows-1251'],
  ['windows-1252', 'windows-1252'],
  ['ISO-8859-1', 'windows-1252'],
]);

/** Below it, the statistics have seen too little to tell languages apart; Western text is the most common then. */
const enoughConfidence = 30;

/** Share of characters that text of any language has in UTF-16: letters of known scripts, marks, spaces. */
const enoughPlausible = 0.97;

/**
 * How the beginning of a file is encoded: by its mark, or else UTF-8 where it is valid, UTF-16 where NUL bytes make text so,
 * or what its letters are most likely to be. The beginning may end inside a character. Null: it is not text.
 */
export function detectEncoding(start: Uint8Array): Encoding | null {
  const marked = marks.find(([mark]) => mark.every((byte, index) => start[index] === byte));
  if (marked) return marked[1];
  if (start.includes(0)) return utf16(start);
  if (start.some(isControl)) return null;
  if (decodes(start, 'utf-8')) return 'utf-8';
  if (isKorean(start)) return 'euc-kr';
  const found = analyse(start).flatMap(({ name, confidence }) => {
    const encoding = guessable.get(name);
    return encoding && confidence >= enoughConfidence && decodes(start, encoding) ? [encoding] : [];
  });
  return found[0] ?? 'windows-1252';
}

/** A few words are enough: the letters of other languages seldom make Hangul, and nothing else. */
function isKorean(start: Uint8Array): boolean {
  if (!decodes(start, 'euc-kr')) return false;
  const foreign = new TextDecoder('euc-kr').decode(start, { stream: true }).match(/[^\0-\x7f]/gu) ?? [];
  return foreign.filter((letter) => /\p{sc=Hangul}/u.test(letter)).length > 0.9 * foreign.length;
}

/** Without a mark: the order of bytes that gives letters rather than signs of many scripts. */
function utf16(start: Uint8Array): Encoding | null {
  // One may stand in a file of any kind.
  if (start.filter((byte) => byte === 0).length < 2) return null;
  const even = start.subarray(0, start.length - (start.length % 2));
  const scored = (['utf-16le', 'utf-16be'] as const)
    .filter((encoding) => decodes(even, encoding))
    .map((encoding) => ({ encoding, share: plausible(new TextDecoder(encoding).decode(even)) }))
    .sort((one, other) => other.share - one.share);
  const [best] = scored;
  return best && best.share >= enoughPlausible ? best.encoding : null;
}

function plausible(text: string): number {
  const usual =
    text.match(
      /[\t\n\r\p{P}\p{S}\p{N} \u200b-\u206f\ufeff\p{M}\p{sc=Latin}\p{sc=Hangul}\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Cyrl}\p{sc=Grek}\p{sc=Arab}\p{sc=Hebr}\p{sc=Thai}\p{sc=Deva}]/gu,
    ) ?? [];
  // What is in many languages has line ends or spaces, and what only looks so does not.
  return /[\n ]/.test(text) && !text.includes('\0') ? usual.length / [...text].length : 0;
}

/** Control characters that no text has; escape begins the colours of a terminal. */
function isControl(byte: number): boolean {
  return byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b && byte !== 0x1a;
}

function decodes(start: Uint8Array, encoding: Encoding): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Text as far as a piece of a file tells it; a character that the piece cuts is left out. Null: it is not text. */
export function decodeStart(start: Uint8Array): string | null {
  const encoding = detectEncoding(start);
  return encoding && new TextDecoder(encoding).decode(start, { stream: true });
}

/**
 * Decodes pieces as they come. The encoding is told by the first piece that is not ASCII, since a file may begin with thousands
 * of lines that say nothing of it. Bytes that are not of the encoding become U+FFFD. Gives null once, and then ends, where the file is not text.
 */
export async function* decodeStream(
  pieces: AsyncIterable<Uint8Array>,
  known: Encoding | null = null,
): AsyncGenerator<string | null> {
  let decoder = known === null ? null : new TextDecoder(known);
  for await (const piece of pieces) {
    if (!decoder && isAscii(piece) && !piece.includes(0)) {
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1');
      continue;
    }
    if (!decoder) {
      const encoding = detectEncoding(piece);
      if (encoding === null) {
        yield null;
        return;
      }
      decoder = new TextDecoder(encoding);
    }
    yield decoder.decode(piece, { stream: true });
  }
  if (decoder) yield decoder.decode();
}
