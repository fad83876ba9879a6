import { PunaError } from '../../../../shared/error.ts';
import { quoted } from '../../formats/gguf.ts';
import { bool, type GgufEntry, text, texts } from '../gguf-entries.ts';

/** GGUF's types of tokens, which are those of SentencePiece. */
export const tokenTypes = {
  normal: 1,
  unknown: 2,
  /** Has a meaning and no text: recognised only where special tokens are. */
  control: 3,
  /** Text that is this token wherever it stands, whatever the merges would make of it. */
  userDefined: 4,
  unused: 5,
  /** One byte of a character that is no token: <0xE2>. */
  byte: 6,
} as const;
export type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes];

export interface Token {
  text: string;
  type: TokenType;
  /** SentencePiece: the higher, the earlier it is put together. 0 for others. */
  score: number;
}

/** The tokenizers of llama.cpp that models of the known architectures need. */
export type TokenizerModel = 'llama' | 'gpt2' | 't5';

/** The special tokens that a GGUF file names, and how its keys call them. */
export const specialKeys = {
  bos: 'bos',
  eos: 'eos',
  eot: 'eot',
  unk: 'unknown',
  sep: 'seperator',
  pad: 'padding',
  mask: 'mask',
} as const;
export type SpecialKind = keyof typeof specialKeys;
export type SpecialIds = Partial<Record<SpecialKind, number>>;

/** A tokenizer as llama.cpp understands it, before the model's own words on special tokens. */
export interface Vocabulary {
  model: TokenizerModel;
  /** Which pieces of text are looked at on their own; `default` where there are no such. */
  pre: string;
  /** By id. Undefined: no token has this id. */
  tokens: (Token | undefined)[];
  /** "first second", in the order in which they are applied; null where scores decide. */
  merges: string[] | null;
  /** A space is thought before the text. */
  addSpacePrefix?: boolean;
  /** Whether the beginning is marked, as far as the tokenizer itself says so. */
  addBos?: boolean;
  /** Whether the end is. */
  addEos?: boolean;
  /** Special tokens that the tokenizer itself knows. */
  specialIds: SpecialIds;
  /** Keys that only this kind of tokenizer has. */
  entries?: GgufEntry[];
}

/** How many tokens the model has room for, and who may lie beyond it. */
interface Fit {
  /** Rows of the model's embedding; null: as many as there are tokens. */
  size: number | null;
  /** Ids of tokens that were added to the tokenizer after it was trained. */
  added: ReadonlySet<number>;
}

/**
 * One token for each of the embedding's rows: [PAD1] for those without, and nothing beyond; each text once, since llama.cpp
 * ends the program over two tokens with the same. Errors: `invalid-input` (more tokens than the model has room for).
 */
export function fitVocabulary(tokens: Vocabulary['tokens'], { size, added }: Fit, notes: string[]): Token[] {
  const rows = size ?? tokens.length;
  const beyond = tokens.flatMap((token, id) => (token && id >= rows ? [{ token, id }] : []));
  if (beyond.some(({ id }) => !added.has(id))) {
    throw new PunaError(
      'invalid-input',
      `The tokenizer has ${tokens.length} tokens, the model only ${rows}.`,
      'Choose the folder in which tokenizer and model belong together.',
    );
  }
  const [first] = beyond;
  if (first) {
    notes.push(
      `${beyond.length === 1 ? 'A token that was' : `${beyond.length} tokens that were`} added to the tokenizer ` +
        `(${quoted(first.token.text)}, number ${first.id}) cannot be used, because the model has only ${rows}.`,
    );
  }
  return unique(tokens, rows, notes);
}

function unique(tokens: Vocabulary['tokens'], rows: number, notes: string[]): Token[] {
  const taken = new Set<string>();
  const placeless: number[] = [];
  const fitted: (Token | undefined)[] = Array.from({ length: rows }, (_, id) => {
    const token = tokens[id];
    // llama.cpp calls an empty token so, and would then meet the other.
    const name = token && (token.text === '' ? `[EMPTY_${id}]` : token.text);
    if (!token || name === undefined) return undefined;
    if (taken.has(name)) {
      placeless.push(id);
      return undefined;
    }
    taken.add(name);
    return { ...token, text: name };
  });
  if (placeless.length > 0) {
    const [first = 0] = placeless;
    notes.push(
      `The tokenizer has ${placeless.length} tokens whose text another one has, too, as number ${first} ` +
        `(${quoted(tokens[first]?.text ?? '')}); the first of each is used.`,
    );
  }
  return fitted.map(
    (token, id) => token ?? { text: placeholder(id, taken), type: tokenTypes.unused, score: -10_000 },
  );
}

function placeholder(id: number, taken: Set<string>): string {
  let name = `[PAD${id}]`;
  while (taken.has(name)) name += ']';
  taken.add(name);
  return name;
}

/** The vocabulary under GGUF's keys. */
export function vocabularyEntries(vocabulary: Vocabulary, tokens: readonly Token[]): GgufEntry[] {
  const { model, pre, merges, addSpacePrefix, entries = [] } = vocabulary;
  const described: GgufEntry[] = [
    ['model', text(model)],
    ['pre', text(pre)],
    ['tokens', texts(tokens.map((token) => token.text))],
  ];
  if (merges) described.push(['merges', texts(merges)]);
  else {
    const scores = Float32Array.from(tokens, ({ score }) => score);
    described.push(['scores', { type: 'array', of: 'float32', value: scores }]);
  }
  const types = Int32Array.from(tokens, ({ type }) => type);
  described.push(['token_type', { type: 'array', of: 'int32', value: types }]);
  if (addSpacePrefix !== undefined) described.push(['add_space_prefix', bool(addSpacePrefix)]);
  return [...described, ...entries].map(([key, value]) => [`tokenizer.ggml.${key}`, value]);
}

const spaceSign = '\u2581';

/**
 * A token that was added to a tokenizer after its training, as llama.cpp's converter has it: with spaces as they stand in
 * a text, and some taken for control tokens that were not said to be.
 */
export function addedToken(content: string, isSpecial: boolean): Token {
  if (isSpecial || looksSpecial(content)) return { text: content, type: tokenTypes.control, score: -1000 };
  return { text: content.replaceAll(spaceSign, ' '), type: tokenTypes.userDefined, score: -1000 };
}

function looksSpecial(text: string): boolean {
  const isBetween = (start: string, end: string) => text.startsWith(start) && text.endsWith(end);
  return (
    ['<pad>', '<mask>', '<2mass>', '[@BOS@]'].includes(text) ||
    isBetween('<|', '|>') ||
    isBetween('<｜', '｜>') ||
    isBetween('<unused', '>')
  );
}
