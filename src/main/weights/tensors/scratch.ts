/** Memory that is lent for a moment. */
interface Lent extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as floats. */
  readonly floats: Float32Array<ArrayBuffer>;
}

/** What a few pieces of two tensors take that are under way at the same time; more would only lie about. */
const keptBytes = 160 * 1024 * 1024;
/** Below this, fresh memory costs nothing worth speaking of. */
const smallBytes = 64 * 1024;

/**
 * Lends the same memory again and again. Fresh memory of several megabytes for every piece would take the system as long to clear as the
 * arithmetic takes, and keep the garbage collector busy for as long again. Sizes are rounded up to powers of two, so that the last piece of
 * a tensor, or one of another shape, has the memory of those before.
 */
class Scratch {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;

  /** What is in it is left over from whoever had it before. */
  lend(byteLength: number): Lent {
    const size = byteLength < smallBytes ? byteLength : 2 ** Math.ceil(Math.log2(byteLength));
    const buffer = this.#taken(size) ?? new ArrayBuffer(size);
    return {
      bytes: new Uint8Array(buffer, 0, byteLength),
      floats: new Float32Array(buffer, 0, Math.floor(byteLength / Float32Array.BYTES_PER_ELEMENT)),
      [Symbol.dispose]: () => this.#giveBack(buffer),
    };
  }

  #taken(size: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(size)?.pop();
    if (buffer) this.#freeBytes -= size;
    return buffer;
  }

  #giveBack(buffer: ArrayBuffer): void {
    const { byteLength: size } = buffer;
    if (size < smallBytes || this.#freeBytes + size > keptBytes) return;
    const buffers = this.#free.get(size) ?? [];
    buffers.push(buffer);
    this.#free.set(size, buffers);
    this.#freeBytes += size;
  }
}

/** For everything that computes with weights in this process. */
export const scratch = new Scratch();
