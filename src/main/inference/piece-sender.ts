import type { ReplyEvent } from './messages.ts';
import type { Piece } from './reply-parser.ts';

/** A message for every token would cost a fast model a tenth of its speed; nobody sees the difference to this many ms. */
const coalesceMs = 15;

/** Sends what is written in pieces of some milliseconds. */
export class PieceSender {
  readonly #emit: (event: ReplyEvent) => void;
  #waiting: Piece | null = null;
  #lastSent = 0;

  constructor(emit: (event: ReplyEvent) => void) {
    this.#emit = emit;
  }

  add(pieces: Piece[]): void {
    for (const { part, piece } of pieces) {
      if (this.#waiting && this.#waiting.part !== part) this.flush();
      this.#waiting = { part, piece: (this.#waiting?.piece ?? '') + piece };
    }
    if (performance.now() - this.#lastSent >= coalesceMs) this.flush();
  }

  flush(): void {
    if (!this.#waiting) return;
    this.#emit({ type: 'piece', ...this.#waiting });
    this.#waiting = null;
    this.#lastSent = performance.now();
  }
}
