import { PunaError } from '../../../../shared/error.ts';
import { bool, type GgufEntry } from '../gguf-entries.ts';
import { addedTokens, type TokenizerFacts } from './files.ts';
import type { SentencePiece } from './sentencepiece.ts';
import { addedToken, type SpecialIds, type Token, tokenTypes, type Vocabulary } from './vocabulary.ts';

/**
 * The vocabulary of a tokenizer.model: `llama` where pairs are merged by score (BPE), `t5` where the likeliest pieces are
 * looked for (unigram). Errors: `unsupported-model` (words or characters as tokens).
 */
export function sentencePieceVocabulary(
  model: SentencePiece,
  facts: TokenizerFacts,
  notes: string[],
): Vocabulary {
  const { algorithm, addDummyPrefix, removeExtraWhitespaces, charsmap } = model;
  if (algorithm !== 'bpe' && algorithm !== 'unigram') {
    throw new PunaError(
      'unsupported-model',
      `Its tokenizer.model takes each ${algorithm === 'word' ? 'word' : 'character'} for a token, which llama.cpp cannot do.`,
      'The model cannot be converted.',
    );
  }
  const isUnigram = algorithm === 'unigram';
  if (!isUnigram && (charsmap.byteLength > 0 || removeExtraWhitespaces)) {
    notes.push(
      'The tokenizer replaces some characters or runs of spaces before it reads a text, which llama.cpp does not; such ' +
        'texts are read a little differently.',
    );
  }
  const addSpacePrefix = facts.config?.add_prefix_space ?? addDummyPrefix;
  const tokens: Vocabulary['tokens'] = model.pieces.map((piece) => pieceToken(piece, addSpacePrefix));
  addTokens(tokens, facts);
  if (!isUnigram && !tokens.some((token) => token?.type === tokenTypes.byte)) notes.push(byteless);
  return {
    ...{ model: isUnigram ? 't5' : 'llama', pre: 'default', tokens, merges: null, addSpacePrefix },
    ...{ addBos: true, addEos: false },
    specialIds: specialIds(model),
    entries: isUnigram ? unigramEntries(removeExtraWhitespaces, charsmap) : [],
  };
}

const byteless =
  'The tokenizer has no tokens for single bytes; a text with a character that it does not know cannot be read.';

function pieceToken({ text, score, type }: SentencePiece['pieces'][number], addSpacePrefix: boolean): Token {
  if (type !== tokenTypes.userDefined) return { text, score, type };
  // llama.cpp puts its space before what follows such a token, too, which SentencePiece does not: there the score, which is
  // the highest, has to do.
  if (addSpacePrefix) return { text, score, type: tokenTypes.normal };
  return { text: text.replaceAll('\u2581', ' '), score, type };
}

/** Tokens that were added later: those of tokenizer.json only where SentencePiece has none, as it repeats all of these. */
function addTokens(tokens: Vocabulary['tokens'], facts: TokenizerFacts): void {
  const own = tokens.length;
  const decoder = facts.config?.added_tokens_decoder ?? {};
  for (const [id, { content, isSpecial }] of addedTokens(facts)) {
    const isDecoded = Object.hasOwn(decoder, String(id)) || Object.hasOwn(facts.added, content);
    if (id >= own || isDecoded) tokens[id] = addedToken(content, isSpecial);
  }
}

function specialIds({ ids }: SentencePiece): SpecialIds {
  return Object.fromEntries(Object.entries(ids).filter(([, id]) => id >= 0));
}

function unigramEntries(removeExtraWhitespaces: boolean, charsmap: Uint8Array<ArrayBuffer>): GgufEntry[] {
  const entries: GgufEntry[] = [['remove_extra_whitespaces', bool(removeExtraWhitespaces)]];
  if (charsmap.byteLength > 0) {
    entries.push(['precompiled_charsmap', { type: 'array', of: 'uint8', value: charsmap }]);
  }
  return entries;
}
