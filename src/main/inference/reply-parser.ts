import { findMark, partialMarkStart } from './held-text.ts';
import type { MarkedPart, ThoughtStyle } from './thought-style.ts';

export interface Piece {
  part: 'text' | 'thinking';
  piece: string;
}

export interface ReplyParserOptions {
  stopTexts: readonly string[];
  thoughts: ThoughtStyle;
  begins: MarkedPart;
  /** The reply goes on in the middle of what it begins with. */
  begun: boolean;
}

/**
 * Tells what a model writes apart: thoughts, text, and the words at which it ends. Whatever could be the beginning of a mark is
 * held back until it is certain.
 */
export class ReplyParser {
  readonly #stopTexts: readonly string[];
  readonly #style: ThoughtStyle;
  #held = '';
  #part: MarkedPart;
  /** Thoughts stand before the answer; a tag in the middle of it is text, unless it cannot be. */
  #answering: boolean;
  /** White space around thoughts belongs to nobody. */
  #trimming: boolean;
  stopped = false;

  constructor({ stopTexts, thoughts, begins, begun }: ReplyParserOptions) {
    this.#stopTexts = stopTexts;
    this.#style = thoughts;
    this.#part = begins;
    this.#answering = begun && begins === 'text';
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
      const stops = this.#stopTexts.includes(found.mark);
      if (!stops && this.#isInAnswer(this.#held.slice(0, found.start))) {
        this.#answering = true;
        continue;
      }
      this.#emit(pieces, found.start);
      this.#held = this.#held.slice(found.mark.length);
      if (stops) {
        this.stopped = true;
        return pieces;
      }
      this.#part = this.#style.marks.find(({ mark }) => mark === found.mark)?.begins ?? this.#part;
      this.#trimming = true;
    }
  }

  /** What was held back, now that nothing more comes. */
  end(): Piece[] {
    const pieces: Piece[] = [];
    if (!this.stopped) this.#emit(pieces, this.#held.length);
    return pieces;
  }

  /** Whether a mark behind these words is but a part of the answer. */
  #isInAnswer(before: string): boolean {
    return !this.#style.special && this.#part === 'text' && before.trim() !== '';
  }

  #marks(): string[] {
    if (this.#answering && !this.#style.special) return [...this.#stopTexts];
    const marks = this.#style.marks.filter(
      ({ begins }) => this.#part !== 'thinking' || begins !== 'thinking',
    );
    return [...marks.map(({ mark }) => mark), ...this.#stopTexts];
  }

  #emit(pieces: Piece[], end: number): void {
    let piece = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    if (this.#part === 'nothing') return;
    if (this.#trimming) piece = piece.trimStart();
    if (piece === '') return;
    this.#trimming = false;
    if (this.#part === 'text') this.#answering = true;
    pieces.push({ part: this.#part, piece });
  }
}
