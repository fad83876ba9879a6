import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { PunaError } from '../../src/shared/error.ts';
import { bufferSource, type ByteSource } from '../../src/main/weights/formats/byte-source.ts';
import { parseShardIndex } from '../../src/main/weights/formats/index-file.ts';
import { openPytorch } from '../../src/main/weights/formats/pytorch-reader.ts';
import { openSafetensors } from '../../src/main/weights/formats/safetensors-reader.ts';
import { bytesOf } from '../../src/main/weights/formats/tensor.ts';
import type { TensorFile } from '../../src/main/weights/formats/tensor-file.ts';
import { openZstdSource } from '../../src/main/weights/formats/zstd-source.ts';
import { checkpoint } from '../support/pickled.ts';
import { readTensor, tensorFixture } from '../support/tensor-files.ts';
import { seededRandom, type SeededRandom } from '../support/tiny-random.ts';

const mutationsOfEachKind = 300;

const hostileNumbers = [
  2n ** 64n - 1n,
  2n ** 63n,
  2n ** 53n,
  2n ** 48n,
  2n ** 32n,
  2n ** 31n,
  0xffffn,
  1n,
  0n,
];

/** What happens to a file, by accident or on purpose. */
const mutations: Record<string, (bytes: Buffer, random: SeededRandom) => Buffer> = {
  'some bytes changed': (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let changes = 1 + random.below(4); changes > 0; changes--)
      copy[random.below(copy.length)] = random.below(256);
    return copy;
  },
  'a bit flipped': (bytes, random) => {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  'its end lost': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'a number made hostile': (bytes, random) => {
    const copy = Buffer.from(bytes);
    const number = Buffer.alloc(8);
    number.writeBigUInt64LE(hostileNumbers[random.below(hostileNumbers.length)] ?? 0n);
    number.copy(copy, random.below(copy.length), 0, [1, 2, 4, 8][random.below(4)]);
    return copy;
  },
  'a digit changed': (bytes, random) => {
    const digits = [...bytes.keys()].filter((at) => (bytes[at] ?? 0) >= 0x30 && (bytes[at] ?? 0) <= 0x39);
    const copy = Buffer.from(bytes);
    copy[digits[random.below(digits.length)] ?? 0] = 0x30 + random.below(10);
    return copy;
  },
  'a piece lost, doubled or moved': (bytes, random) => {
    const [from, to, until] = [bytes.length, bytes.length, bytes.length].map((length) =>
      random.below(length),
    );
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to, until), bytes.subarray(from)]);
  },
};

/** A source that gives no more memory than the file has bytes, or Node for its smallest buffers. */
function strictSource(bytes: Uint8Array): ByteSource {
  const source = bufferSource(bytes);
  return {
    size: source.size,
    read(target, offset) {
      expect(target.byteLength).toBeLessThanOrEqual(Math.max(source.size, smallBuffer));
      return source.read(target, offset);
    },
  };
}

/** A name, a comment and more in the directory of a ZIP archive have at most so many bytes together. */
const smallBuffer = 3 * 65_535;
/** Of a tensor that is read; a mutation can make one of many numbers by repeating a few. */
const largestRead = 1_000_000;

async function readAll(file: TensorFile): Promise<void> {
  for (const tensor of file.tensors.values()) {
    if (bytesOf(tensor) <= largestRead) await readTensor(tensor);
  }
}

function expectReadable(thrown: unknown): void {
  // A reader's own fault must show with its place.
  if (!(thrown instanceof PunaError)) throw thrown;
  expect(['file-damaged', 'unsupported-model', 'invalid-input']).toContain(thrown.code);
  expect(thrown.message).toMatch(/^[^\p{Cc}]{10,400}\.$/u);
  expect(thrown.remedy).toMatch(/\.$/);
}

const pytorch = await readFile(tensorFixture('types-2.bin'));
const packed = await readFile(tensorFixture('types.safetensors.zst'));
const views = await readFile(tensorFixture('views.bin'));
/** What it stores beside its pickle, by its keys; the numbers themselves do not matter here. */
const storages = Object.fromEntries([192, 280, 240, 36, 12].map((bytes, key) => [key, Buffer.alloc(bytes)]));
const safetensors = await readFile(tensorFixture('types.safetensors'));
const headerBytes = 8 + Number(safetensors.readBigUInt64LE());

/** Each with a sample that it reads without an error, of which only a part may be changed. */
const readers: Record<
  string,
  { sample: Buffer; changed?: [from: number, to: number]; read(bytes: Buffer): unknown }
> = {
  'a safetensors file': {
    ...{ sample: safetensors, changed: [0, headerBytes] },
    read: async (bytes) => readAll(await openSafetensors(strictSource(bytes), { name: 'sample' })),
  },
  'an archive of PyTorch': {
    sample: pytorch,
    read: async (bytes) => readAll(await openPytorch(strictSource(bytes), { name: 'sample' })),
  },
  'the directory of an archive': {
    ...{ sample: pytorch, changed: [pytorch.indexOf('PK\x01\x02'), pytorch.length] },
    read: async (bytes) => readAll(await openPytorch(strictSource(bytes), { name: 'sample' })),
  },
  'a pickle': {
    sample: views.subarray(views.indexOf('\x80\x02', 'latin1'), views.indexOf('PK\x07\x08')),
    read: async (bytes) => {
      await readAll(await openPytorch(strictSource(checkpoint(bytes, storages)), { name: 'sample' }));
    },
  },
  'an index': {
    sample: Buffer.from(
      JSON.stringify({ metadata: { total_size: 36 }, weight_map: { 'a.1': 'b-1', 'a.2': 'b-2' } }),
    ),
    read: (bytes) => parseShardIndex(bytes, 'sample'),
  },
  'a file packed with Zstandard': {
    sample: packed,
    read: async (bytes) => {
      const source = await openZstdSource(strictSource(bytes), 'sample');
      await source.read(new Uint8Array(Math.min(source.size, largestRead)), 0);
      await source.read(new Uint8Array(10), Math.max(0, source.size - 20));
    },
  },
};

describe.each(Object.entries(readers))(
  '%s',
  (reader, { sample, changed: [from, to] = [0, sample.length], read }) => {
    it.each(Object.entries(mutations))(
      'with %s is read, or refused with a sentence',
      async (kind, mutate) => {
        const random = seededRandom(reader.length * 100 + kind.length);
        await read(sample);
        const outcomes = { read: 0, refused: 0 };
        for (let round = 0; round < mutationsOfEachKind; round++) {
          const part = mutate(sample.subarray(from, to), random);
          const bytes = Buffer.concat([sample.subarray(0, from), part, sample.subarray(to)]);
          try {
            await read(bytes);
            outcomes.read++;
          } catch (thrown) {
            expectReadable(thrown);
            outcomes.refused++;
          }
        }
        // Otherwise the mutations would not reach what they are to test.
        expect(outcomes.refused).toBeGreaterThan(0);
      },
    );
  },
);
