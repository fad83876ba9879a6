import type { GgufValue } from '../../src/main/weights/formats/gguf.ts';

/** llama.cpp's token types (llama_token_type). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;

/** The sign that SentencePiece writes for a space. */
export const spaceSign = '\u2581';

export const special = {
  unknown: '<unk>',
  begin: '<s>',
  end: '</s>',
  turnStart: '<|im_start|>',
  turnEnd: '<|im_end|>',
} as const;
export const thinkTags = ['<think>', '</think>'] as const;

const commonWords =
  `the of and to in is it you that was for on are with as his they be at one have this from or had by
hot but some what there we can out other were all your when up use word how said an each she which do their time if will
way about many then them would write like so these her long make thing see him two has look more day could go come did my
sound no most number who over know water than call first people may down side been now find any new work part take get
place made live where after back little only round man year came show every good me give our under name very through just
안녕 안녕하세요 하세요 합니다 입니다 있습니다 없습니다 학습 학습을 모델 대화 나는 너는 우리는 오늘 내일 사람 사랑 한국어 한글 말 글
것은 것을 그리고 하지만 그래서 어떻게 무엇을 왜 여기 저기 지금`.split(/\s+/);

/** A SentencePiece vocabulary as GGUF holds it: pieces with byte fallback, so that any text comes back as it went in. */
export interface Vocabulary {
  pieces: string[];
  idOf(piece: string): number;
  metadata: [string, GgufValue][];
}

export interface VocabularyOptions {
  /** How many tokens; filled up with invented syllables. Absent: as many as there are. */
  size?: number | undefined;
  /** With `<think>` and `</think>` as tokens. */
  thinking: boolean;
  /** Further pieces; a space is written as `spaceSign`. */
  pieces?: readonly string[];
}

export function tinyVocabulary({ size, thinking, pieces = [] }: VocabularyOptions): Vocabulary {
  const types = new Map<string, number>();
  const add = (piece: string, type: number = tokenTypes.normal) => {
    if (!types.has(piece)) types.set(piece, type);
  };
  add(special.unknown, tokenTypes.unknown);
  add(special.begin, tokenTypes.control);
  add(special.end, tokenTypes.control);
  for (let byte = 0; byte < 256; byte++) add(byteToken(byte), tokenTypes.byte);
  add(special.turnStart, tokenTypes.control);
  add(special.turnEnd, tokenTypes.control);
  if (thinking) for (const tag of thinkTags) add(tag, tokenTypes.userDefined);

  add(spaceSign);
  for (let code = 0x21; code < 0x7f; code++) add(String.fromCharCode(code));
  for (const word of commonWords) addReachable(add, spaceSign + word);
  for (const piece of pieces) addReachable(add, piece);
  for (const filler of inventedWords()) {
    if (types.size >= (size ?? 0)) break;
    add(spaceSign + filler);
  }
  if (size !== undefined && types.size !== size) {
    throw new Error(`A vocabulary of ${size} tokens is too small; it takes at least ${types.size}.`);
  }

  const all = [...types.keys()];
  const ids = new Map(all.map((piece, id) => [piece, id]));
  const idOf = (piece: string) => {
    const id = ids.get(piece);
    if (id === undefined) throw new Error(`No token ${JSON.stringify(piece)}`);
    return id;
  };
  return { pieces: all, idOf, metadata: tokenizerMetadata(all, [...types.values()], idOf) };
}

/**
 * SentencePiece joins two neighbours at a time, and only to pieces that it knows; with all beginnings of a word among them
 * the whole word is always found.
 */
function addReachable(add: (piece: string) => void, piece: string): void {
  const characters = [...piece];
  for (let length = 1; length <= characters.length; length++) add(characters.slice(0, length).join(''));
}

function* inventedWords(): Generator<string> {
  const syllables = [...'bdfgklmnprstvz'].flatMap((consonant) =>
    [...'aeiou'].map((vowel) => consonant + vowel),
  );
  let words = [''];
  for (;;) {
    words = words.flatMap((word) => syllables.map((syllable) => word + syllable));
    yield* words;
  }
}

export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** What a GGUF file says of such a vocabulary; `types` are those of the pieces (llama_token_type). */
export function tokenizerMetadata(
  pieces: string[],
  types: number[],
  idOf: (piece: string) => number = (piece) => pieces.indexOf(piece),
): [string, GgufValue][] {
  const id = (piece: string): GgufValue => ({ type: 'uint32', value: idOf(piece) });
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: pieces }],
    // Pieces that come first are joined first.
    [
      'tokenizer.ggml.scores',
      { type: 'array', of: 'float32', value: Float32Array.from(pieces, (_, index) => -index) },
    ],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: Int32Array.from(types) }],
    ['tokenizer.ggml.unknown_token_id', id(special.unknown)],
    ['tokenizer.ggml.bos_token_id', id(special.begin)],
    ['tokenizer.ggml.eos_token_id', id(special.end)],
    ['tokenizer.ggml.eot_token_id', id(special.turnEnd)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
    // Otherwise a space would be put before every text.
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
  ];
}

/** ChatML. */
export const chatTemplate = `{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;

/** ChatML in which replies think first; what was thought in earlier turns is left out, as Qwen 3 does it. */
export const thinkingChatTemplate = `{%- for message in messages -%}
{%- set content = message['content'] -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['role'] == 'assistant' -%}
{%- if '</think>' in content -%}
{%- set content = content.split('</think>')[-1] -%}
{%- endif -%}
{%- if loop.last and message['reasoning_content'] -%}
{{- '<think>' + message['reasoning_content'] + '</think>' -}}
{%- endif -%}
{%- endif -%}
{{- content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`;
