import { bpeMerges, bpeTokens, joinMerge } from './byte-pairs.ts';
import { addedTokens, type TokenizerFacts, type TokenizerJson } from './files.ts';
import { preTokenizerName } from './pre-tokenizer.ts';
import { addedToken, tokenTypes, type Vocabulary } from './vocabulary.ts';

/** The vocabulary of a byte-level BPE (GPT-2's, LLaMA 3's, Qwen's): bytes as letters, and merges. Errors: `file-damaged`. */
export function byteLevelVocabulary(json: TokenizerJson, facts: TokenizerFacts, notes: string[]): Vocabulary {
  const tokens: Vocabulary['tokens'] = bpeTokens(json).map((text) =>
    text === undefined ? undefined : { text, type: tokenTypes.normal, score: 0 },
  );
  for (const [id, { content, isSpecial }] of addedTokens(facts)) tokens[id] = addedToken(content, isSpecial);
  return {
    ...{ model: 'gpt2', pre: preTokenizerName(json, notes), tokens },
    merges: bpeMerges(json).map(joinMerge),
    // tokenizer.json says whether the beginning is marked; where it does not, llama.cpp must not take it for granted.
    addBos: false,
    specialIds: {},
    ...(typeof facts.config?.add_prefix_space === 'boolean' && {
      addSpacePrefix: facts.config.add_prefix_space,
    }),
  };
}
