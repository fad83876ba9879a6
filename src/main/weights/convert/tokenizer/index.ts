import { PunaError } from '../../../../shared/error.ts';
import { quoted } from '../../formats/gguf.ts';
import type { ModelConfig } from '../config.ts';
import { readDescribed } from '../described-file.ts';
import { type GgufEntry, uint32 } from '../gguf-entries.ts';
import { byteFallbackVocabulary } from './byte-fallback-vocabulary.ts';
import { byteLevelVocabulary } from './byte-level-vocabulary.ts';
import { chatTemplateEntries } from './chat-template.ts';
import { addedTokens, readFacts, type TokenizerFacts, type TokenizerJson } from './files.ts';
import { readLegacyJson } from './legacy-files.ts';
import { isByteLevel } from './pre-tokenizer.ts';
import { readSentencePiece } from './sentencepiece.ts';
import { sentencePieceVocabulary } from './sentencepiece-vocabulary.ts';
import { specialEntries } from './special-tokens.ts';
import { isTiktoken, tiktokenVocabulary } from './tiktoken.ts';
import { fitVocabulary, type Vocabulary, vocabularyEntries } from './vocabulary.ts';

interface Described {
  files: ReadonlyMap<string, string>;
  model: ModelConfig;
  notes: string[];
}

/**
 * The tokenizer of a model folder under GGUF's keys, with its special tokens and the chat template; and the texts of all
 * tokens. Errors: `invalid-input` (there is none, or it has more tokens than the model), `unsupported-model`, `file-damaged`.
 */
export async function readTokenizer(
  described: Described,
): Promise<{ entries: GgufEntry[]; tokens: ReadonlySet<string> }> {
  const { files, model, notes } = described;
  const facts = await readFacts(files);
  const vocabulary = await readVocabulary(described, facts);
  const fit = { size: model.vocabularySize, added: new Set(addedTokens(facts).keys()) };
  const tokens = fitVocabulary(vocabulary.tokens, fit, notes);
  return {
    entries: [
      ...vocabularyEntries(vocabulary, tokens),
      ...specialEntries({ vocabulary, tokens, facts, raw: model.raw }),
      ...infillEntries(model),
      ...(await chatTemplateEntries(files, facts.config?.chat_template)),
    ],
    tokens: new Set(tokens.map(({ text }) => text)),
  };
}

/** tokenizer.model first, which is what tokenizer.json was made from; unless it is tiktoken's, which tells less than that. */
async function readVocabulary(
  { files, model, notes }: Described,
  facts: TokenizerFacts,
): Promise<Vocabulary> {
  const path = files.get('tokenizer.model');
  if (path !== undefined) {
    const bytes = await readDescribed(path);
    if (!isTiktoken(bytes)) return sentencePieceVocabulary(readSentencePiece(bytes, path), facts, notes);
    if (!facts.json) {
      const isScaled = model.rope.rope_type === 'llama3';
      return tiktokenVocabulary(bytes, { path, isScaled });
    }
  }
  const json = facts.json ?? (await readLegacyJson(files, facts.config?.tokenizer_class));
  if (!json) throw noTokenizer();
  return jsonVocabulary(json, facts, notes);
}

function jsonVocabulary(json: TokenizerJson, facts: TokenizerFacts, notes: string[]): Vocabulary {
  const { type, byte_fallback: hasBytes } = json.model;
  // Older files do not tell the type of this one.
  if (type === 'BPE' || (type ?? undefined) === undefined) {
    if (hasBytes) return byteFallbackVocabulary(json, facts, notes);
    if (isByteLevel(json)) return byteLevelVocabulary(json, facts, notes);
  }
  throw new PunaError(
    'unsupported-model',
    `The tokenizer.json is of a kind (${quoted(type ?? 'unknown')}) that cannot be converted.`,
    'Byte-level BPE and SentencePiece can; if there is a tokenizer.model, put it beside tokenizer.json.',
  );
}

function noTokenizer(): PunaError {
  return new PunaError(
    'invalid-input',
    'The folder has no tokenizer: neither tokenizer.model, nor tokenizer.json, nor vocab.json with merges.txt.',
    'Download these files of the model, too, or copy them from the model that it was made from.',
  );
}

/** Code Llama, told by its number of tokens: those around a gap in a program. */
function infillEntries({ architecture, vocabularySize }: ModelConfig): GgufEntry[] {
  if (architecture !== 'llama' || vocabularySize !== 32_016) return [];
  const ids = { prefix: 32_007, suffix: 32_008, middle: 32_009, eot: 32_010 };
  return Object.entries(ids).map(([kind, id]) => [`tokenizer.ggml.${kind}_token_id`, uint32(id)]);
}
