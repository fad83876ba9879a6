import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Prompt } from './prompt.ts';
import type { PromptTokenizer } from './prompt-tokens.ts';
import { type Piece, ReplyParser } from './reply-parser.ts';
import { TextStream } from './text-stream.ts';

/** Reads what a model writes, token by token, as pieces of thought and answer. */
export class ReplyReader {
  readonly #stream: TextStream;
  readonly #parser: ReplyParser;
  /** All of the answer so far. */
  text = '';

  /** `begun`: the reply goes on in the middle of what it begins with. */
  constructor(
    { model, tokenizer }: { model: LlamaModel; tokenizer: PromptTokenizer },
    prompt: Prompt,
    { begun }: { begun: boolean },
  ) {
    const shown = new Map<Token, string>();
    for (const { mark } of prompt.thoughts.marks) {
      for (const piece of tokenizer.pieces(mark)) {
        if (typeof piece !== 'string') shown.set(piece, model.detokenize([piece], true));
      }
    }
    this.#stream = new TextStream(model, { before: prompt.tokens, shown });
    this.#parser = new ReplyParser({ ...prompt, begun });
  }

  /** The model has written the words at which its reply ends. */
  get stopped(): boolean {
    return this.#parser.stopped;
  }

  add(token: Token): Piece[] {
    return this.#keep(this.#parser.add(this.#stream.add(token)));
  }

  /** What was held back, now that nothing more comes. */
  end(): Piece[] {
    return this.#keep([...this.#parser.add(this.#stream.end()), ...this.#parser.end()]);
  }

  #keep(pieces: Piece[]): Piece[] {
    for (const { part, piece } of pieces) if (part === 'text') this.text += piece;
    return pieces;
  }
}
