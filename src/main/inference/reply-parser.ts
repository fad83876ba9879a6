import { findMark, partialMarkStart } from './held-text.ts';
import type { Prompt } from './prompt.ts';

export interface Piece {
  part: 'text' | 'thinking';
  piece: string;
}

/**
 * Tells what a model writes apart: thoughts, text, and the mark at which it ends. Whatever could be the beginning of a mark is
 * held back until it is certain.
 */
export class ReplyParser {
  readonly #stops: readonly string[];
  readonly #tags: Prompt['thoughts'];
  #held = '';
  #inThought: boolean;
  /** Thoughts stand only before the answer; a tag in the middle of it is text. */
  #answering: boolean;
  /** White space around thoughts belongs to nobody. */
  #trimming: boolean;
  stopped = false;

  /** `begun`: the reply goes on in the middle of its text. */
  constructor({ stops, thoughts }: Pick<Prompt, 'stops' | 'thoughts'>, { begun }: { begun: boolean }) {
    this.#stops = stops;
    this.#tags = thoughts;
    this.#inThought = thoughts.open;
    this.#answering = begun && !thoughts.open;
    this.#trimming = !begun;
  }

  add(text: string): Piece[] {
    if (this.stopped) return [];
    this.#held += text;
    const pieces: Piece[] = [];
    for (;;) {
      const marks = this.#marks();
      const found = findMark(this.#held, marks);
      if (!found) {
        this.#emit(pieces, partialMarkStart(this.#held, marks));
        return pieces;
      }
      // Before the answer begins, only white space may stand before the tag that opens a thought.
      const opens = found.mark === this.#tags.prefix && !this.#inThought;
      if (opens && this.#held.slice(0, found.start).trim() !== '') {
        this.#answering = true;
        continue;
      }
      this.#emit(pieces, found.start);
      this.#held = this.#held.slice(found.mark.length);
      if (this.#stops.includes(found.mark)) {
        this.stopped = true;
        return pieces;
      }
      this.#inThought = opens;
      this.#trimming = true;
    }
  }

  /** What was held back, now that nothing more comes. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    if (!this.stopped) this.#emit(pieces, this.#held.length);
    return pieces;
  }

  #marks(): string[] {
    if (this.#inThought) return [this.#tags.suffix, ...this.#stops];
    return this.#answering ? [...this.#stops] : [this.#tags.prefix, ...this.#stops];
  }

  #emit(pieces: Piece[], end: number): void {
    let piece = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    if (this.#trimming) piece = piece.trimStart();
    if (piece === '') return;
    this.#trimming = false;
    if (!this.#inThought) this.#answering = true;
    pieces.push({ part: this.#inThought ? 'thinking' : 'text', piece });
  }
}
