import { PunaError } from '../../../../shared/error.ts';
import { maxTokens } from '../described-file.ts';
import type { TokenizerJson } from './files.ts';

/** Of the largest tokenizers, each token has two. */
const maxMerges = 2 ** 24;

/** The vocabulary of a BPE tokenizer.json: the texts of its tokens by id. Errors: `file-damaged`. */
export function bpeTokens({ model: { vocab } }: Pick<TokenizerJson, 'model'>): (string | undefined)[] {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) throw damaged('has no vocabulary');
  const tokens: (string | undefined)[] = [];
  for (const [text, id] of Object.entries(vocab) as [string, unknown][]) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= maxTokens) {
      throw damaged('has a token without a number');
    }
    if (!text.isWellFormed()) throw damaged(`has a token that is no text, number ${id}`);
    if (tokens[id] !== undefined) throw damaged(`has two tokens with the number ${id}`);
    tokens[id] = text;
  }
  return tokens;
}

/** Its merges in their order; written as "a b", or as ["a", "b"] in newer files. Errors: `file-damaged`. */
export function bpeMerges({ model: { merges } }: Pick<TokenizerJson, 'model'>): [string, string][] {
  if (!Array.isArray(merges) || merges.length > maxMerges) throw damaged('has no list of merges');
  return merges.map((merge: unknown) => {
    const pair = typeof merge === 'string' ? splitMerge(merge) : merge;
    if (!isPair(pair)) throw damaged('has a merge that is no pair of texts');
    return pair;
  });
}

/** At the first space that is not the first character itself. */
function splitMerge(merge: string): [string, string] {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, Math.max(at, 0)), merge.slice(at + 1)];
}

function isPair(pair: unknown): pair is [string, string] {
  return (
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((part) => typeof part === 'string' && part !== '' && part.isWellFormed())
  );
}

/** GGUF has merges as "first second": a space inside of a part is written as byte-level tokenizers write it, as Ġ. */
export function joinMerge([first, second]: readonly [string, string]): string {
  return `${first.replaceAll(' ', '\u0120')} ${second.replaceAll(' ', '\u0120')}`;
}

function damaged(what: string): PunaError {
  return new PunaError(
    'file-damaged',
    `tokenizer.json ${what}.`,
    'Download the file again, from where the model came from.',
  );
}
