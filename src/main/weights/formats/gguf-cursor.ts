import type { PunaError } from '../../../shared/error.ts';
import type { ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged.ts';
import { arrayClasses, type NumericArrayType } from './gguf-value.ts';

/**
 * Longest header (metadata and tensor table) that is read. The largest vocabularies known take some 30 MB; a file that
 * claims more would only fill the memory.
 */
export const maxHeaderBytes = 256 * 1024 * 1024;

/** Read at once: small enough to waste little on small files, large enough that a vocabulary takes a few reads. */
const windowBytes = 256 * 1024;

/**
 * Reads a header from front to back through a small window, each byte once. Nothing is allocated before it is certain that
 * the file has that many bytes left. Every read names what it reads, so that an error can say what is damaged.
 */
export class GgufCursor {
  readonly #source: ByteSource;
  readonly #name: string;
  /** Bytes from the source; those from `#at` to `#filled` are still to be read. */
  #window = Buffer.alloc(0);
  #at = 0;
  #filled = 0;
  /** Offset in the source of the window's end. */
  #offset = 0;

  constructor(source: ByteSource, name: string) {
    this.#source = source;
    this.#name = name;
  }

  /** Offset in the source of the next byte. */
  get position(): number {
    return this.#offset - (this.#filled - this.#at);
  }

  /** Bytes that a header can still have. */
  get remaining(): number {
    return Math.min(this.#source.size, maxHeaderBytes) - this.position;
  }

  /** True if so many bytes can be taken without waiting. */
  holds(bytes: number): boolean {
    return this.#filled - this.#at >= bytes;
  }

  /** Waits until so many bytes can be taken. */
  async fill(bytes: number, what: string): Promise<void> {
    if (this.holds(bytes)) return;
    if (bytes > this.remaining) throw this.#cutOff(what);
    const kept = this.#window.subarray(this.#at, this.#filled);
    const wanted = Math.min(
      Math.max(bytes, windowBytes),
      kept.byteLength + (this.#source.size - this.#offset),
    );
    const window = wanted > this.#window.byteLength ? Buffer.alloc(wanted) : this.#window;
    kept.copy(window);
    this.#window = window;
    this.#at = 0;
    this.#filled = kept.byteLength;
    const target = window.subarray(this.#filled, wanted);
    const read = await this.#source.read(target, this.#offset);
    this.#offset += read;
    this.#filled += read;
    if (!this.holds(bytes)) throw this.#cutOff(what);
  }

  /** A whole number of 32 bits; only after `fill`, as all of these. */
  takeUint32(): number {
    return this.#window.readUInt32LE(this.#take(4));
  }

  takeUint64(): bigint {
    return this.#window.readBigUInt64LE(this.#take(8));
  }

  takeText(bytes: number): string {
    const start = this.#take(bytes);
    return this.#window.toString('utf8', start, start + bytes);
  }

  async uint32(what: string): Promise<number> {
    await this.fill(4, what);
    return this.takeUint32();
  }

  async uint64(what: string): Promise<bigint> {
    await this.fill(8, what);
    return this.takeUint64();
  }

  /** A count of things that take at least `leastBytes` each, checked against what is left of the file. */
  async count(what: string, leastBytes: number): Promise<number> {
    return this.checkCount(await this.uint64(what), what, leastBytes);
  }

  checkCount(count: bigint, what: string, leastBytes: number): number {
    if (count * BigInt(leastBytes) > BigInt(this.remaining)) {
      throw this.damaged(`${what} is ${count}, but there is room for ${this.remaining} bytes only`);
    }
    return Number(count);
  }

  async text(what: string): Promise<string> {
    const bytes = await this.count(`the length of ${what}`, 1);
    await this.fill(bytes, what);
    return this.takeText(bytes);
  }

  /** So many numbers of one type, as they lie in the file. */
  async numbers<Type extends NumericArrayType>(
    type: Type,
    count: number,
    what: string,
  ): Promise<InstanceType<(typeof arrayClasses)[Type]>> {
    const arrayClass = arrayClasses[type];
    const bytes = new Uint8Array(count * arrayClass.BYTES_PER_ELEMENT);
    const start = this.#at;
    this.#at = Math.min(this.#at + bytes.byteLength, this.#filled);
    bytes.set(this.#window.subarray(start, this.#at));
    const rest = bytes.subarray(this.#at - start);
    if (rest.byteLength > 0) {
      // The window is empty now; what it does not have goes straight from the source into the array.
      if ((await this.#source.read(rest, this.#offset)) < rest.byteLength) throw this.#cutOff(what);
      this.#offset += rest.byteLength;
    }
    return new arrayClass(bytes.buffer) as InstanceType<(typeof arrayClasses)[Type]>;
  }

  damaged(what: string, cause?: unknown): PunaError {
    return damagedFile(this.#name, what, cause);
  }

  #take(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    return start;
  }

  #cutOff(what: string): PunaError {
    if (this.#source.size > maxHeaderBytes) {
      return this.damaged(`its description does not end within ${maxHeaderBytes} bytes, where ${what} is`);
    }
    return this.damaged(`it ends after ${this.#source.size} bytes, in ${what}`);
  }
}
