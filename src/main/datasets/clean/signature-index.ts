import { equalValues, equalValuesFor, signatureLength } from './minhash.ts';
import { mixed } from './shingles.ts';

/** Of pairs that are just as similar as is looked for, at most so many share no band and are missed. */
const maxMissed = 0.01;

/**
 * How a signature is cut into bands so that pairs of a similarity s share one with a probability of 1 − (1 − s^rows)^bands
 * (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4): as many rows as miss few, since rows spare comparisons.
 */
export function bandsFor(similarity: number): { bands: number; rows: number } {
  for (let rows = 16; rows > 1; rows--) {
    const bands = Math.floor(signatureLength / rows);
    if ((1 - similarity ** rows) ** bands <= maxMissed) return { bands, rows };
  }
  return { bands: signatureLength, rows: 1 };
}

/** Signatures and chains are kept in blocks of so many, so that growing copies nothing. */
const blockSize = 2 ** 13;
const firstHeads = 2 ** 10;

/**
 * Signatures are compared with so many others at most, the newest of each band first. Only where thousands of kept examples
 * share bands without being similar, as those of one form do, are there more; then a duplicate may stay, but time stays
 * in proportion to the number of examples.
 */
const maxCompared = 2000;

/** Signatures, to be found by similar ones: locality-sensitive hashing. Each value of it is in a typed array. */
export class SignatureIndex {
  readonly #needed: number;
  readonly #bands: number;
  readonly #rows: number;
  readonly #maxSize: number;
  readonly #signatures: Uint8Array[] = [];
  /** By entry and band: the entry before it in the same bucket, plus 1; 0: none. */
  readonly #previous: Int32Array[] = [];
  /** By band and bucket: the newest entry, plus 1; 0: none. */
  #heads: Int32Array;
  #buckets = firstHeads;
  #size = 0;

  /** @param maxBytes What all arrays together may take. */
  constructor(similarity: number, maxBytes: number) {
    const { bands, rows } = bandsFor(similarity);
    this.#needed = equalValuesFor(similarity);
    this.#bands = bands;
    this.#rows = rows;
    // There are at most as many buckets as entries, and a chain's link is as large as its head.
    this.#maxSize = Math.floor(maxBytes / (signatureLength + bands * 2 * Int32Array.BYTES_PER_ELEMENT));
    this.#heads = new Int32Array(bands * this.#buckets);
  }

  get isFull(): boolean {
    return this.#size >= this.#maxSize;
  }

  /** Whether there is a signature whose estimated similarity is as high as is looked for. */
  hasSimilar(signature: Uint8Array): boolean {
    let compared = 0;
    for (let band = 0; band < this.#bands; band++) {
      let entry = this.#heads[band * this.#buckets + this.#bucketOf(signature, band)] ?? 0;
      for (; entry > 0 && compared < maxCompared; entry = this.#previousOf(entry - 1, band)) {
        if (equalValues(signature, this.#signatureOf(entry - 1)) >= this.#needed) return true;
        compared++;
      }
    }
    return false;
  }

  /** An index that is full stays as it is. */
  add(signature: Uint8Array): void {
    if (this.isFull) return;
    if (this.#size === this.#buckets && this.#buckets * 2 <= this.#maxSize) this.#grow();
    const entry = this.#size++;
    if (entry % blockSize === 0) {
      this.#signatures.push(new Uint8Array(blockSize * signatureLength));
      this.#previous.push(new Int32Array(blockSize * this.#bands));
    }
    this.#signatureOf(entry).set(signature);
    this.#link(entry);
  }

  #link(entry: number): void {
    const signature = this.#signatureOf(entry);
    const block = this.#previous[Math.floor(entry / blockSize)];
    for (let band = 0; band < this.#bands; band++) {
      const head = band * this.#buckets + this.#bucketOf(signature, band);
      if (block) block[(entry % blockSize) * this.#bands + band] = this.#heads[head] ?? 0;
      this.#heads[head] = entry + 1;
    }
  }

  #grow(): void {
    this.#buckets *= 2;
    this.#heads = new Int32Array(this.#bands * this.#buckets);
    for (let entry = 0; entry < this.#size; entry++) this.#link(entry);
  }

  #signatureOf(entry: number): Uint8Array {
    const start = (entry % blockSize) * signatureLength;
    return (
      this.#signatures[Math.floor(entry / blockSize)]?.subarray(start, start + signatureLength) ?? nothing
    );
  }

  #previousOf(entry: number, band: number): number {
    return this.#previous[Math.floor(entry / blockSize)]?.[(entry % blockSize) * this.#bands + band] ?? 0;
  }

  #bucketOf(signature: Uint8Array, band: number): number {
    let hash = band;
    for (let at = band * this.#rows; at < (band + 1) * this.#rows; at++) {
      hash = mixed(Math.imul(hash, 257) + (signature[at] ?? 0));
    }
    return hash & (this.#buckets - 1);
  }
}

const nothing = new Uint8Array(signatureLength);
