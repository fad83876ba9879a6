import { isUtf8 } from 'node:buffer';
import type { PunaError } from '../../../shared/error.ts';

/** Longest name of a module, class or function; Python's are shorter. */
const maxNameBytes = 256;
/** Longest whole number; PyTorch writes some of 8 bytes. */
const maxIntegerBytes = 64;

/** Reads the operands of a pickle's operations from front to back; `damaged` makes the error from the end of a sentence. */
export class PickleReader {
  readonly #bytes: Buffer;
  readonly #damaged: (what: string) => PunaError;
  #at = 0;

  constructor(bytes: Uint8Array, damaged: (what: string) => PunaError) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#damaged = damaged;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  /** A length; one that no file has becomes one that is refused when so much is taken. */
  uint64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#take(8)));
  }

  /** The only number of a pickle that is big endian. */
  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  skip(length: number): void {
    this.#take(length);
  }

  text(length: number): string {
    const bytes = this.#piece(length);
    if (!isUtf8(bytes)) throw this.#damaged('its pickle has a text that is not valid UTF-8');
    return bytes.toString('utf8');
  }

  /** A text of Python 2, a character per byte. */
  latin1(length: number): string {
    return this.#piece(length).toString('latin1');
  }

  /** Two's complement of any length, the lowest byte first. */
  integer(length: number): number | bigint {
    if (length > maxIntegerBytes) throw this.#damaged(`its pickle has a number of ${length} bytes`);
    const bytes = this.#piece(length).toReversed();
    if (length === 0) return 0;
    const value = BigInt.asIntN(length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** A name that ends with its line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > maxNameBytes) throw this.#damaged('its pickle has a name without an end');
    const name = this.text(end - this.#at);
    this.#take(1);
    return name;
  }

  #piece(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.byteLength - start) throw this.#damaged('its pickle ends too early');
    this.#at += length;
    return start;
  }
}
