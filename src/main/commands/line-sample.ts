import type { Example } from '../datasets/index.ts';
import { readPieces } from '../datasets/pieces.ts';
import { Reservoir } from '../datasets/reservoir.ts';
import { writeAtomically } from '../storage/index.ts';

/** The same examples give the same sample. */
const seed = 1;

/** Draws an even sample of examples that are written a line each, where they are too many. */
export class LineSample {
  readonly #most: number;
  readonly #reservoir: Reservoir;
  readonly #drawn: { line: number; kind: Example['kind'] }[] = [];

  /** `most`: of more, so many are kept. */
  constructor(most: number) {
    this.#most = most;
    this.#reservoir = new Reservoir(most, seed);
  }

  /** Another line is written. */
  add({ kind }: Example): void {
    const slot = this.#reservoir.slot();
    if (slot !== null) this.#drawn[slot] = { line: this.#reservoir.seen, kind };
  }

  /** Examples that there were, where they were too many to keep all; else null. */
  get sampledFrom(): number | null {
    return this.#reservoir.seen > this.#most ? this.#reservoir.seen : null;
  }

  /** Those that are kept. */
  get counts(): { conversations: number; texts: number } {
    const texts = this.#drawn.filter(({ kind }) => kind === 'text').length;
    return { conversations: this.#drawn.length - texts, texts };
  }

  /** Leaves the sample in the file, in the order of its lines. Errors: `disk-full`. */
  async keepIn(path: string, signal: AbortSignal): Promise<void> {
    if (this.sampledFrom === null) return;
    const kept = new Set(this.#drawn.map(({ line }) => line));
    const lines = async function* () {
      for await (const { bytes, line } of readPieces(path, signal)) if (kept.has(line)) yield bytes;
    };
    await writeAtomically(path, lines(), { signal });
  }
}
