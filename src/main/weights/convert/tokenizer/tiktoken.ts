import { damaged, maxTokens } from '../described-file.ts';
import { joinMerge } from './byte-pairs.ts';
import { type Token, tokenTypes, type Vocabulary } from './vocabulary.ts';

/** LLaMA 3's longest, of spaces, has 128; the ways to put a token together grow with it. */
const maxTokenBytes = 256;
const line = /^([A-Za-z0-9+/]+={0,2}) (\d{1,7})$/;

/** Whether a tokenizer.model is not SentencePiece's but a list of tokens in base64 and their ranks, as LLaMA 3 has it. */
export function isTiktoken(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  return line.test(start.slice(0, Math.max(start.indexOf('\n'), 0)).trimEnd());
}

/**
 * The vocabulary of LLaMA 3's tokenizer.model, which names no special tokens: 256 of them follow. `isScaled`: of LLaMA 3.1
 * and later, which use three more. `path` is for the error: `file-damaged`.
 */
export function tiktokenVocabulary(
  bytes: Uint8Array,
  { path, isScaled }: { path: string; isScaled: boolean },
): Vocabulary {
  const ranked = readRanks(bytes, path);
  const tokens: Token[] = ranked.map((text) => ({ text, type: tokenTypes.normal, score: 0 }));
  for (const text of specialTokens(isScaled)) tokens.push({ text, type: tokenTypes.control, score: 0 });
  return {
    ...{ model: 'gpt2', pre: 'llama-bpe', tokens, merges: mergesOf(ranked), addBos: true },
    specialIds: { bos: ranked.length, eos: ranked.length + 1 },
  };
}

/** Texts by rank, in the letters that byte-level tokenizers write bytes with. */
function readRanks(bytes: Uint8Array, path: string): string[] {
  const texts: string[] = [];
  for (const row of Buffer.from(bytes).toString('latin1').split('\n')) {
    const content = row.trimEnd();
    if (content === '') continue;
    const [, base64, rank] = line.exec(content) ?? [];
    const token = Buffer.from(base64 ?? '', 'base64');
    if (Number(rank) !== texts.length || token.byteLength === 0 || token.byteLength > maxTokenBytes) {
      throw damaged(path, `has no token of the next rank in line ${texts.length + 1}`);
    }
    if (texts.length === maxTokens) throw damaged(path, 'has too many tokens');
    texts.push(Array.from(token, (byte) => byteLetters[byte]).join(''));
  }
  return texts;
}

/**
 * All pairs of tokens whose texts together are a token, by its rank, as Hugging Face's tokenizer.json has them: tiktoken has
 * no merges, but puts together whatever has the lowest rank.
 */
function mergesOf(ranked: readonly string[]): string[] {
  const ranks = new Map(ranked.map((text, rank) => [text, rank]));
  return ranked.flatMap((text) => {
    const pairs: { pair: [string, string]; ranks: [number, number] }[] = [];
    for (let at = 1; at < text.length; at++) {
      const pair: [string, string] = [text.slice(0, at), text.slice(at)];
      const [first, second] = [ranks.get(pair[0]), ranks.get(pair[1])];
      if (first !== undefined && second !== undefined) pairs.push({ pair, ranks: [first, second] });
    }
    pairs.sort(({ ranks: [a, b] }, { ranks: [c, d] }) => a - c || b - d);
    return pairs.map(({ pair }) => joinMerge(pair));
  });
}

/** Printable bytes are their own letters; for the others follow letters from Ā on (GPT-2). */
const byteLetters = letters();

function letters(): string[] {
  const isPrintable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

/** As Meta's tokenizer.py has them. */
function specialTokens(isScaled: boolean): string[] {
  const newer = isScaled ? ['<|finetune_right_pad_id|>'] : [];
  const named = [
    ...['<|begin_of_text|>', '<|end_of_text|>', reserved(0), reserved(1), ...newer, reserved(2)],
    ...(isScaled ? [] : [reserved(3)]),
    ...['<|start_header_id|>', '<|end_header_id|>'],
    ...(isScaled ? ['<|eom_id|>', '<|eot_id|>', '<|python_tag|>'] : [reserved(4), '<|eot_id|>']),
  ];
  const first = isScaled ? 3 : 5;
  return [...named, ...Array.from({ length: 256 - named.length }, (_, index) => reserved(first + index))];
}

function reserved(index: number): string {
  return `<|reserved_special_token_${index}|>`;
}
