import type { Range } from './ranges.ts';

/** A stretch that one connection fetches; `position` is how far it has come. */
export interface Claim {
  position: number;
  end: number;
}

/**
 * What is still to be fetched, handed out from the beginning in pieces: what is there grows without many gaps, so that it can be hashed
 * while the rest arrives.
 */
export class Claims {
  #gaps: Range[];
  #pieceBytes: number;

  constructor(gaps: readonly Range[], pieceBytes: number) {
    this.#gaps = [...gaps];
    this.#pieceBytes = pieceBytes;
  }

  /** The next piece; null where nothing is left. */
  take(): Claim | null {
    const [gap, ...rest] = this.#gaps;
    if (!gap) return null;
    const [start, gapEnd] = gap;
    const end = Math.min(gapEnd, start + this.#pieceBytes);
    this.#gaps = end < gapEnd ? [[end, gapEnd], ...rest] : rest;
    return { position: start, end };
  }

  /** Nothing lies behind the end of the file, which shows with the first answer. */
  endAt(total: number, pieceBytes: number): void {
    this.#gaps = this.#gaps.flatMap(([start, end]) => {
      const cut = Math.min(end, total);
      return cut > start ? [[start, cut] as const] : [];
    });
    this.#pieceBytes = pieceBytes;
  }

  get isEmpty(): boolean {
    return this.#gaps.length === 0;
  }
}
