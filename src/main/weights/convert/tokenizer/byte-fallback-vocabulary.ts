import { bpeMerges, bpeTokens } from './byte-pairs.ts';
import { addedTokens, type TokenizerFacts, type TokenizerJson } from './files.ts';
import { stepsOf } from './pre-tokenizer.ts';
import { addedToken, type Token, tokenTypes, type Vocabulary } from './vocabulary.ts';

/**
 * The vocabulary of a tokenizer.json that was made from a SentencePiece model, as those of LLaMA 2, Gemma and Phi-3 are: a
 * BPE of characters with tokens for single bytes. llama.cpp merges by the score of what comes out; here that is the place
 * of the first merge that makes it. Errors: `file-damaged`.
 */
export function byteFallbackVocabulary(
  json: TokenizerJson,
  facts: TokenizerFacts,
  notes: string[],
): Vocabulary {
  const texts = bpeTokens(json);
  const merges = bpeMerges(json);
  const ranks = new Map<string, number>();
  for (const [rank, [first, second]] of merges.entries()) {
    const merged = first + second;
    if (!ranks.has(merged)) ranks.set(merged, rank);
  }
  const added = addedTokens(facts);
  if (!isComplete(texts, merges, new Set([...added.values()].map(({ content }) => content)))) {
    notes.push(
      'The tokenizer puts tokens together in fewer ways than llama.cpp does; rare words may be read differently.',
    );
  }
  const unknown = json.model.unk_token;
  const tokens: Vocabulary['tokens'] = texts.map((text) =>
    text === undefined
      ? undefined
      : { text, ...kindOf(text, unknown), score: -(ranks.get(text) ?? merges.length) },
  );
  for (const [id, { content, isSpecial }] of added) tokens[id] = addedToken(content, isSpecial);
  return {
    ...{ model: 'llama', pre: 'default', tokens, merges: null },
    addSpacePrefix: facts.config?.add_prefix_space ?? addsSpace(json),
    addBos: false,
    specialIds: unknown ? { unk: texts.indexOf(unknown) } : {},
  };
}

function kindOf(text: string, unknown: string | null | undefined): Pick<Token, 'type'> {
  if (text === unknown) return { type: tokenTypes.unknown };
  return { type: /^<0x[0-9A-F]{2}>$/i.test(text) ? tokenTypes.byte : tokenTypes.normal };
}

/**
 * Whether every pair of tokens whose texts together are a token is a merge, as it is in what came from SentencePiece.
 * Tokens that were added are found before anything is merged.
 */
function isComplete(
  texts: readonly (string | undefined)[],
  merges: readonly [string, string][],
  added: ReadonlySet<string>,
): boolean {
  const known = new Set(texts);
  let missing = 0;
  for (const text of texts) {
    if (text === undefined || added.has(text)) continue;
    let first = '';
    for (const letter of text) {
      first += letter;
      if (first !== text && known.has(first) && known.has(text.slice(first.length))) missing += 1;
    }
  }
  for (const [first, second] of merges) if (!added.has(first + second)) missing -= 1;
  return missing === 0;
}

/** A normalizer that prepends ▁ (LLaMA 2), or a Metaspace that does (newer ones). */
function addsSpace({ normalizer, pre_tokenizer: pre }: TokenizerJson): boolean {
  return [...stepsOf(normalizer), ...stepsOf(pre)].some((step) => {
    if (step.type === 'Prepend') return step.prepend === '\u2581';
    if (step.type !== 'Metaspace') return false;
    return step.prepend_scheme === undefined
      ? step.add_prefix_space !== false
      : step.prepend_scheme !== 'never';
  });
}
