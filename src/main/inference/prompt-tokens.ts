import type { LlamaModel, Token } from 'node-llama-cpp';
import type { PromptPart } from './chat-template.ts';

/** How many different pieces of templates are remembered; a conversation needs about five. */
const rememberedPieces = 64;

/** A part of which the tokens may be known already. */
type KnownPart = PromptPart & { tokens?: Token[] | undefined };

/**
 * Tokenizes prompts as llama.cpp does it: special tokens split the text, what lies between two of them is tokenized as one,
 * and the beginning token is put in front where the model wants it. Unlike llama.cpp, it takes special tokens only from what
 * the template wrote.
 */
export class PromptTokenizer {
  readonly #model: LlamaModel;
  readonly #split = new Map<string, (string | Token)[]>();

  constructor(model: LlamaModel) {
    this.#model = model;
  }

  tokenize(parts: readonly KnownPart[]): Token[] {
    return this.tokenizeKnown(parts).tokens;
  }

  /** The same, and where the tokens stand that were known: from one up to but without another. */
  tokenizeKnown(parts: readonly KnownPart[]): { tokens: Token[]; spans: { from: number; to: number }[] } {
    const tokens: Token[] = [];
    const spans: { from: number; to: number }[] = [];
    let text = '';
    /** Whether the text goes on in the middle of a line, where tokenizers that begin texts with a space must not. */
    let inLine = false;
    /** Some special tokens swallow the white space after them. */
    let swallows = false;
    const flush = () => {
      append(tokens, this.#model.tokenize(text, false, inLine ? 'trimLeadingSpace' : undefined));
      text = '';
      inLine = false;
    };
    for (const part of parts) {
      if (part.tokens) {
        flush();
        spans.push({ from: tokens.length, to: tokens.length + part.tokens.length });
        append(tokens, part.tokens);
        inLine = true;
        continue;
      }
      for (const piece of part.by === 'writer' ? [part.text] : this.pieces(part.text)) {
        if (typeof piece === 'string') {
          text += swallows ? piece.trimStart() : piece;
          if (text !== '') swallows = false;
          continue;
        }
        const { lstrip, rstrip } = this.#model.getTokenAttributes(piece);
        if (lstrip) text = text.trimEnd();
        flush();
        tokens.push(piece);
        swallows = rstrip;
      }
    }
    flush();
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    if (!shouldPrependBosToken || bos === null || tokens[0] === bos) return { tokens, spans };
    tokens.unshift(bos);
    return { tokens, spans: spans.map(({ from, to }) => ({ from: from + 1, to: to + 1 })) };
  }

  /** A template's text, cut at its special tokens. */
  pieces(text: string): (string | Token)[] {
    const known = this.#split.get(text);
    if (known) return known;
    if (this.#split.size >= rememberedPieces) this.#split.clear();
    const pieces = this.#cut(text);
    this.#split.set(text, pieces);
    return pieces;
  }

  #cut(text: string): (string | Token)[] {
    const specials = new Map<string, Token>();
    for (const token of this.#model.tokenize(text, true)) {
      if (!this.#model.getTokenAttributes(token).control) continue;
      specials.set(this.#model.detokenize([token], true), token);
    }
    specials.delete('');
    if (specials.size === 0) return [text];
    // Longer ones first, so that none is taken for the beginning of another.
    const texts = [...specials.keys()].sort((one, other) => other.length - one.length);
    const pattern = new RegExp(`(${texts.map((special) => RegExp.escape(special)).join('|')})`);
    return text
      .split(pattern)
      .filter((piece) => piece !== '')
      .map((piece) => specials.get(piece) ?? piece);
  }
}

/** Not by spreading, which has a limit that a long text reaches. */
function append(tokens: Token[], more: readonly Token[]): void {
  for (const token of more) tokens.push(token);
}
