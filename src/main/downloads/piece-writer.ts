import type { BegunFile } from './begun.ts';

/** Pieces come in some ten kilobytes; each write is a call of the system and a change of threads, which cost more than the writing. */
const gatheredBytes = 1024 * 1024;
/** On slow lines what has arrived is written sooner, so that little of it is lost when the process dies. */
const gatheredMs = 250;

/** Writes what one connection brings: while some of it is being written, more is gathered. */
export class PieceWriter {
  readonly #file: BegunFile;
  readonly #onWritten: (bytes: number) => void;
  #position: number;
  #gathered: Uint8Array[] = [];
  #bytes = 0;
  #begunAt = performance.now();
  #writing: Promise<void> = Promise.resolve();

  /** `onWritten` is called with how many more bytes are in the file, in their order. */
  constructor(file: BegunFile, position: number, onWritten: (bytes: number) => void) {
    this.#file = file;
    this.#position = position;
    this.#onWritten = onWritten;
  }

  /** Takes over a piece. Gives a promise where more cannot be taken at once. Errors: those of earlier writes. */
  add(piece: Uint8Array): Promise<void> | null {
    this.#gathered.push(piece);
    this.#bytes += piece.byteLength;
    const isTime = this.#bytes >= gatheredBytes || performance.now() - this.#begunAt >= gatheredMs;
    return isTime ? this.#write() : null;
  }

  /** Returns when all is in the file. Errors: those of writing. */
  async finish(): Promise<void> {
    await this.#write();
    await this.#writing;
  }

  async #write(): Promise<void> {
    await this.#writing;
    const [pieces, bytes, start] = [this.#gathered, this.#bytes, this.#position];
    this.#gathered = [];
    this.#bytes = 0;
    this.#begunAt = performance.now();
    if (bytes === 0) return;
    this.#position += bytes;
    this.#writing = this.#file.write(pieces, start).then(() => this.#onWritten(bytes));
    // Whoever adds more, or finishes, hears of it.
    this.#writing.catch(() => undefined);
  }
}
