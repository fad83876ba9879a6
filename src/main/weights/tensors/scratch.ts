/** Memory that is lent for a moment. */
interface Lent extends Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as floats. */
  readonly floats: Float32Array<ArrayBuffer>;
}

/** As many as are lent at the same time while a few pieces of two tensors are under way; more would only take memory. */
const kept = 12;

/**
 * Lends the same arrays again and again. Fresh ones of several megabytes for every piece would take the system as long to clear as the
 * arithmetic takes, and the garbage collector would let hundreds of megabytes of them stand about.
 */
class Scratch {
  readonly #free = new Map<number, ArrayBuffer[]>();
  #count = 0;

  /** What is in them is left over from whoever had them before. */
  lend(byteLength: number): Lent {
    const buffer = this.#taken(byteLength) ?? new ArrayBuffer(byteLength);
    return {
      bytes: new Uint8Array(buffer),
      floats: new Float32Array(buffer, 0, Math.floor(byteLength / Float32Array.BYTES_PER_ELEMENT)),
      [Symbol.dispose]: () => this.#giveBack(buffer),
    };
  }

  #taken(byteLength: number): ArrayBuffer | undefined {
    const buffer = this.#free.get(byteLength)?.pop();
    if (buffer) this.#count--;
    return buffer;
  }

  #giveBack(buffer: ArrayBuffer): void {
    if (this.#count === kept) {
      // Sizes change with the tensors: what is left of earlier ones makes room.
      const [size] = [...this.#free].find(([, buffers]) => buffers.length > 0) ?? [];
      if (size !== undefined) this.#taken(size);
    }
    const buffers = this.#free.get(buffer.byteLength) ?? [];
    buffers.push(buffer);
    this.#free.set(buffer.byteLength, buffers);
    this.#count++;
  }
}

/** For everything that computes with weights in this process. */
export const scratch = new Scratch();
