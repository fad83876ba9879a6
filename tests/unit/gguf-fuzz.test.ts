import { describe, expect, it } from 'vitest';
import { PunaError } from '../../src/shared/error.ts';
import {
  bufferSource,
  type ByteSource,
  type Gguf,
  readGgufFrom,
} from '../../src/main/weights/formats/gguf.ts';
import { ggufBytes, sampleGguf } from '../support/tiny-gguf.ts';
import { seededRandom, type SeededRandom } from '../support/tiny-random.ts';

const mutationsOfEachKind = 1500;
const sample = await ggufBytes(sampleGguf());

/** Values that counts, lengths and offsets of hostile files have. */
const hostileNumbers = [
  2n ** 64n - 1n,
  2n ** 63n,
  2n ** 63n - 1n,
  2n ** 53n,
  2n ** 48n,
  2n ** 32n,
  2n ** 32n - 1n,
  2n ** 31n,
  BigInt(sample.length),
  BigInt(sample.length) + 1n,
  1n,
  0n,
];

/** What happens to a file, by accident or on purpose. */
const mutations: Record<string, (bytes: Buffer, random: SeededRandom) => Buffer> = {
  'some bytes changed': (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let flips = 1 + random.below(8); flips > 0; flips--)
      copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  'cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'a number made huge': (bytes, random) => {
    const copy = Buffer.from(bytes);
    const value = hostileNumbers[random.below(hostileNumbers.length)] ?? 0n;
    copy.writeBigUInt64LE(value, random.below(copy.length - 8));
    return copy;
  },
  'a piece lost or doubled': (bytes, random) => {
    const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  'all of this': (bytes, random) =>
    Object.values(mutations)
      .slice(0, 4)
      .reduce((mutated, mutate) => (mutated.length > 16 ? mutate(mutated, random) : mutated), bytes),
};

/** A source that refuses to be read more than once, or into more memory than it has bytes itself. */
function countingSource(bytes: Uint8Array): ByteSource & { counts: { read: number; reads: number } } {
  const source = bufferSource(bytes);
  const counts = { read: 0, reads: 0 };
  return {
    size: source.size,
    counts,
    async read(target, offset) {
      expect(target.buffer.byteLength).toBeLessThanOrEqual(Math.max(source.size, allocationUnit));
      counts.read += target.byteLength;
      counts.reads++;
      return source.read(target, offset);
    },
  };
}

/** Node gives small buffers as pieces of a shared one of this size. */
const allocationUnit = Buffer.poolSize;

function expectSound(gguf: Gguf, fileBytes: number): void {
  for (const { offset, bytes, name } of gguf.tensors) {
    expect(gguf.dataOffset + offset + bytes, name).toBeLessThanOrEqual(fileBytes);
  }
}

function expectReadable(thrown: unknown): void {
  expect(thrown).toBeInstanceOf(PunaError);
  const { code, message, remedy } = thrown as PunaError;
  expect(['not-gguf', 'file-damaged', 'unsupported-model']).toContain(code);
  expect(message).toMatch(/^[^\p{Cc}]{10,300}\.$/u);
  expect(remedy).toMatch(/\.$/);
}

describe('a GGUF file with', () => {
  it.each(Object.entries(mutations))(
    '%s gives a sound result or an error that can be read',
    async (kind, mutate) => {
      const random = seededRandom(kind.length);
      const outcomes = { results: 0, errors: 0 };
      for (let index = 0; index < mutationsOfEachKind; index++) {
        const bytes = mutate(sample, random);
        const source = countingSource(bytes);
        try {
          expectSound(await readGgufFrom(source, 'mutated.gguf'), bytes.length);
          outcomes.results++;
        } catch (thrown) {
          expectReadable(thrown);
          outcomes.errors++;
        }
        // Only the first bytes are read a second time, to say what else the file may be.
        expect(source.counts.read).toBeLessThanOrEqual(bytes.length + 32);
      }
      // Otherwise the mutations would not reach what they are to test.
      expect(outcomes.errors).toBeGreaterThan(mutationsOfEachKind / 20);
    },
  );
});

describe('random bytes after the magic', () => {
  it('give an error that can be read', async () => {
    const random = seededRandom(99);
    for (let index = 0; index < mutationsOfEachKind; index++) {
      const bytes = Buffer.from(Array.from({ length: 24 + random.below(200) }, () => random.below(256)));
      bytes.write('GGUF');
      bytes.writeUInt32LE(3, 4);
      // Half of the time with counts that let the reader go on.
      if (index % 2) bytes.fill(0, 8, 24).writeUInt8(1, 16);
      await readGgufFrom(countingSource(bytes), 'random.gguf').then(
        (gguf) => expectSound(gguf, bytes.length),
        expectReadable,
      );
    }
  });
});
