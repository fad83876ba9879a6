import type { LlamaModel, Token } from 'node-llama-cpp';

/** No character has more bytes, and a token has at least one: what is longer unfinished is no character. */
const mostTokensOfOneCharacter = 4;

/** The tokens before these that the tokenizer looks at, to know whether a word goes on. */
const remembered = 8;

/** Turns tokens into text as they come. A character that spans several tokens is held back until it is whole. */
export class TextStream {
  readonly #model: LlamaModel;
  /** What stands before the pending tokens. */
  readonly #before: Token[] = [];
  /** Special tokens that are to be seen, with their text. All others are left out. */
  readonly #shown: ReadonlyMap<Token, string>;
  #pending: Token[] = [];
  /** How many characters of the pending tokens' text were given away. */
  #given = 0;
  /** Tokens since the last whole character. */
  #unfinished = 0;

  /** `before`: the tokens that stand before the first one. */
  constructor(
    model: LlamaModel,
    { before, shown }: { before: readonly Token[]; shown: ReadonlyMap<Token, string> },
  ) {
    this.#model = model;
    this.#shown = shown;
    this.#before.push(...before.slice(-remembered));
  }

  add(token: Token): string {
    const shown = this.#shown.get(token);
    if (shown !== undefined) {
      const held = this.end();
      this.#before.push(token);
      return held + shown;
    }
    this.#pending.push(token);
    const text = this.#text();
    const whole = text.replace(/\uFFFD+$/, '').length;
    if (whole === text.length || ++this.#unfinished > mostTokensOfOneCharacter) return this.#take(text);
    // A token may finish one character and begin the next.
    if (whole <= this.#given) return '';
    this.#unfinished = 1;
    const piece = text.slice(this.#given, whole);
    this.#given = whole;
    return piece;
  }

  /** What was held back, without a character that is not whole. */
  end(): string {
    return this.#take(this.#text().replace(/\uFFFD+$/, ''));
  }

  #text(): string {
    return this.#model.detokenize(this.#pending, false, this.#before);
  }

  #take(text: string): string {
    const piece = text.slice(this.#given);
    this.#before.push(...this.#pending);
    this.#before.splice(0, this.#before.length - remembered);
    this.#pending = [];
    this.#given = 0;
    this.#unfinished = 0;
    return piece;
  }
}
