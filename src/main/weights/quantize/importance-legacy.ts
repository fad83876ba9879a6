import type { ByteSource } from '../formats/byte-source.ts';
import { printable, quoted } from '../formats/gguf.ts';
import { damaged, notImportance } from './importance-errors.ts';
import type { Importance, ImportanceMatrix } from './importance-matrix.ts';

/** The largest models have a few thousand tensors. */
const maxEntries = 100_000;
/** ggml's own names have at most 64; this form has no limit. */
const maxNameBytes = 1024;
/** Name length, a letter, calls, number of values, a value. */
const leastEntryBytes = 4 + 1 + 4 + 4 + 4;

/**
 * Reads the binary form that llama.cpp wrote before it chose GGUF: numbers of 32 bits, in which each sum is divided by its
 * tokens and multiplied by the calls. So calls stand for tokens here; the mean is the same
 * (llama.cpp, common/imatrix-loader.cpp).
 */
export async function readLegacyImportance(source: ByteSource, name: string): Promise<ImportanceMatrix> {
  const cursor = new Cursor(source, name);
  const count = source.size < 4 ? 0 : await cursor.int32('the number of entries');
  // It has no magic: nonsense is taken for another file.
  if (count < 1 || count > maxEntries || count * leastEntryBytes > source.size)
    throw notImportance(name, 'it is neither GGUF nor of the older form');

  const entries = new Map<string, Importance>();
  for (let index = 1; index <= count; index++) {
    const which = `entry ${index} of ${count}`;
    const nameBytes = await cursor.int32(`the name of ${which}`);
    if (nameBytes < 1 || nameBytes > maxNameBytes)
      throw damaged(name, `the name of ${which} has ${nameBytes} bytes`);
    const entry = await cursor.text(nameBytes, `the name of ${which}`);
    if (entries.has(entry)) throw damaged(name, `${quoted(entry)} stands twice`);
    const calls = await cursor.int32(`the calls of ${quoted(entry)}`);
    const values = await cursor.int32(`the number of values of ${quoted(entry)}`);
    if (values < 1) throw damaged(name, `${quoted(entry)} has ${values} values`);
    const sums = await cursor.floats(values, `the values of ${quoted(entry)}`);
    entries.set(entry, { sums, counts: Float32Array.of(Math.max(1, calls)) });
  }
  return { entries, ...(await readEnd(cursor)), chunkTokens: 0 };
}

/** Older files end before the number of chunks, or before the text's name. */
async function readEnd(cursor: Cursor): Promise<Pick<ImportanceMatrix, 'chunks' | 'datasets'>> {
  const chunks = cursor.left < 4 ? 0 : Math.max(0, await cursor.int32('the number of chunks'));
  const length = cursor.left < 4 ? 0 : await cursor.int32('the name of the text');
  if (length < 1 || length > maxNameBytes || length > cursor.left) return { chunks, datasets: [] };
  return { chunks, datasets: [printable(await cursor.text(length, 'the name of the text'))] };
}

/** Reads one number or text after the other, and never more than there is. */
class Cursor {
  readonly #source: ByteSource;
  readonly #name: string;
  #position = 0;

  constructor(source: ByteSource, name: string) {
    this.#source = source;
    this.#name = name;
  }

  /** Bytes behind the place that was read to. */
  get left(): number {
    return this.#source.size - this.#position;
  }

  async int32(what: string): Promise<number> {
    const bytes = await this.#take(4, what);
    return new DataView(bytes.buffer).getInt32(0, true);
  }

  async floats(count: number, what: string): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array((await this.#take(count * Float32Array.BYTES_PER_ELEMENT, what)).buffer);
  }

  async text(bytes: number, what: string): Promise<string> {
    return new TextDecoder().decode(await this.#take(bytes, what));
  }

  async #take(count: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    if (count > this.left) throw damaged(this.#name, `it ends in ${what}`);
    const bytes = new Uint8Array(count);
    const filled = await this.#source.read(bytes, this.#position);
    if (filled < count) throw damaged(this.#name, `it ends in ${what}`);
    this.#position += count;
    return bytes;
  }
}
