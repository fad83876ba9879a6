import type { LlamaModel, Token } from 'node-llama-cpp';

/** No character has more bytes, and a token has at least one: what is longer unfinished is no character. */
const mostTokensOfOneCharacter = 4;

/** The tokens before these that the tokenizer looks at, to know whether a word goes on. */
const remembered = 8;

/** Turns tokens into text as they come. A character that spans several tokens is held back until it is whole. */
export class TextStream {
  readonly #model: LlamaModel;
  readonly #last: Token[] = [];
  /** Special tokens that are to be seen: the tags around thoughts. All others are left out. */
  readonly #shown = new Map<Token, string>();
  #pending: Token[] = [];

  /** `before`: the tokens that stand before the first one. `tags`: texts that may be special tokens and are to be seen. */
  constructor(model: LlamaModel, { before, tags }: { before: readonly Token[]; tags: readonly string[] }) {
    this.#model = model;
    this.#last.push(...before.slice(-remembered));
    for (const tag of tags) {
      const [token, ...others] = model.tokenize(tag, true);
      if (token !== undefined && others.length === 0 && model.isSpecialToken(token))
        this.#shown.set(token, tag);
    }
  }

  add(token: Token): string {
    const shown = this.#shown.get(token);
    if (shown !== undefined) {
      const before = this.end();
      this.#last.push(token);
      return before + shown;
    }
    this.#pending.push(token);
    const text = this.#model.detokenize(this.#pending, false, this.#last);
    if (text.endsWith('\uFFFD') && this.#pending.length < mostTokensOfOneCharacter) return '';
    return this.#take(text);
  }

  /** What was held back, whole or not. */
  end(): string {
    if (this.#pending.length === 0) return '';
    return this.#take(this.#model.detokenize(this.#pending, false, this.#last)).replace(/\uFFFD+$/, '');
  }

  #take(text: string): string {
    this.#last.push(...this.#pending);
    this.#last.splice(0, this.#last.length - remembered);
    this.#pending = [];
    return text;
  }
}
