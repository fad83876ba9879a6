import { readFile } from 'node:fs/promises';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bufferSource, type ByteSource } from '../../src/main/weights/formats/byte-source.ts';
import { isZstd, openZstdSource } from '../../src/main/weights/formats/zstd-source.ts';
import { zstdSeekable } from '../../src/main/weights/formats/zstd-writer.ts';
import { joined, tensorFixture } from '../support/tensor-files.ts';
import { seededRandom } from '../support/tiny-random.ts';

const frameBytes = 4 * 1024 * 1024;
/** Two frames and a bit, of numbers that pack somewhat. */
const random = seededRandom(11);
const whole = Buffer.from(
  Uint8Array.from({ length: frameBytes * 2 + 1234 }, (_, at) => (at % 64 ? at >>> 9 : random.below(256))),
);
const packed = await joined(
  zstdSeekable([whole.subarray(0, 5), whole.subarray(5, frameBytes + 9), whole.subarray(frameBytes + 9)]),
);

const open = (bytes: Uint8Array) => openZstdSource(bufferSource(bytes), 'sample');
async function read(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const target = Buffer.alloc(length);
  return target.subarray(0, await source.read(target, offset));
}

describe('a stream packed in the seekable format', () => {
  it('is unpacked by Zstandard itself, which skips the table', () => {
    expect(zstdDecompressSync(packed).equals(whole)).toBe(true);
    expect(packed.byteLength).toBeLessThan(whole.byteLength);
  });

  it('is read from any place', async () => {
    const source = await open(packed);
    expect(source.size).toBe(whole.byteLength);
    for (const [offset, length] of [
      [0, 10],
      [frameBytes - 3, 6],
      [frameBytes - 1, frameBytes + 2],
      [frameBytes * 2, 1234],
      [frameBytes * 2 + 1000, 5000],
      [0, whole.byteLength],
      [whole.byteLength, 5],
      [whole.byteLength + 7, 5],
    ] as const) {
      const expected = whole.subarray(offset, offset + length);
      expect((await read(source, offset, length)).equals(expected), `${offset}`).toBe(true);
    }
  });

  it('unpacks a frame once for several who read it at the same time, and only those that are asked for', async () => {
    const counted = { ...bufferSource(packed), places: [] as number[] };
    const { read: readPacked } = counted;
    counted.read = (target, offset) => {
      counted.places.push(offset);
      return readPacked(target, offset);
    };
    const source = await openZstdSource(counted, 'sample');
    counted.places.length = 0;
    await Promise.all([read(source, 5, 10), read(source, 100, 10), read(source, 7, 1)]);
    await read(source, 50, 50);
    expect(counted.places).toEqual([0]);
  });

  it('is read anew where a disk has failed once', async () => {
    let fails = true;
    const { size: packedBytes, read: readPacked } = bufferSource(packed);
    const failing: ByteSource = {
      size: packedBytes,
      async read(target, offset) {
        if (fails && offset === 0) throw new Error('The disk failed.');
        return await readPacked(target, offset);
      },
    };
    const source = await openZstdSource(failing, 'sample');
    await expect(read(source, 0, 10)).rejects.toThrow('The disk failed.');
    fails = false;
    expect(await read(source, 0, 10)).toEqual(whole.subarray(0, 10));
  });

  it('may be empty', async () => {
    const empty = await joined(zstdSeekable([]));
    expect(await isZstd(bufferSource(empty))).toBe(true);
    expect((await open(empty)).size).toBe(0);
    expect(zstdDecompressSync(empty).byteLength).toBe(0);
  });

  it('is the same whatever pieces it comes in', async () => {
    expect((await joined(zstdSeekable([whole]))).equals(packed)).toBe(true);
  });
});

describe('a file that pyzstd has packed', () => {
  it('with checksums in its table is read from any place', async () => {
    const plain = await readFile(tensorFixture('types.safetensors'));
    const source = await open(await readFile(tensorFixture('types.safetensors.zst')));
    expect(await read(source, 0, plain.byteLength + 9)).toEqual(plain);
    expect(await read(source, 490, 600)).toEqual(plain.subarray(490, 1090));
  });

  it('without a table says what to do', async () => {
    await expect(open(await readFile(tensorFixture('no-table.safetensors.zst')))).rejects.toMatchObject({
      message: 'sample is cut off, or was packed with Zstandard without a table to find places in it.',
      remedy: 'Unpack it with "zstd -d", and choose the file that comes out.',
    });
  });
});

/** A file from frames and what its table says of them. */
function fileOf(
  frames: readonly Buffer[],
  sizes: readonly (readonly [packed: number, unpacked: number])[],
  { count = sizes.length, flags = 0, magic = 0x184d2a5e, tableBytes = sizes.length * 8 + 9 } = {},
): Buffer {
  const table = Buffer.alloc(8 + sizes.length * 8 + 9);
  table.writeUInt32LE(magic);
  table.writeUInt32LE(tableBytes, 4);
  for (const [index, [packedBytes, unpackedBytes]] of sizes.entries()) {
    table.writeUInt32LE(packedBytes, 8 + index * 8);
    table.writeUInt32LE(unpackedBytes, 12 + index * 8);
  }
  table.writeUInt32LE(count, table.length - 9);
  table.writeUInt8(flags, table.length - 5);
  table.writeUInt32LE(0x8f92eab1, table.length - 4);
  return Buffer.concat([...frames, table]);
}

const frame = zstdCompressSync(Buffer.alloc(1000));
const size = frame.byteLength;
const bomb = zstdCompressSync(Buffer.alloc(20_000_000));

describe('refused is a packed file', () => {
  it.each<[what: string, bytes: Buffer, sentence: string]>([
    ['of a few bytes', frame.subarray(0, 6), 'it ends after 6 bytes'],
    ['with unknown flags', fileOf([frame], [[size, 1000]], { flags: 4 }), 'its seek table has unknown flags'],
    [
      'with too many frames',
      fileOf([frame], [[size, 1000]], { count: 2 ** 32 - 1 }),
      'claims 4294967295 frames',
    ],
    [
      'with more frames than room',
      fileOf([frame], [[size, 1000]], { count: 9 }),
      'claims 9 frames, more than the file',
    ],
    ['whose table begins otherwise', fileOf([frame], [[size, 1000]], { magic: 1 }), 'no sound beginning'],
    ['whose table is longer', fileOf([frame], [[size, 1000]], { tableBytes: 99 }), 'no sound beginning'],
    [
      'whose frames are longer',
      fileOf([frame], [[size + 1, 1000]]),
      `its frames take ${size + 1} bytes, but its seek table`,
    ],
    [
      'whose frames are shorter',
      fileOf([frame], [[size - 1, 1000]]),
      `its frames take ${size - 1} bytes, but its seek table`,
    ],
    [
      'with a large frame',
      fileOf([bomb], [[bomb.length, 20_000_000]]),
      'claims 20000000 bytes, more than the 8388608',
    ],
  ])('%s', async (_, bytes, sentence) => {
    await expect(open(bytes)).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(sentence) as string },
    });
  });

  it.each<[what: string, bytes: Buffer, sentence: string]>([
    [
      'unpacks to more than it claims',
      fileOf([bomb], [[bomb.length, 1000]]),
      'the frame at 0 cannot be unpacked',
    ],
    [
      'unpacks to less than it claims',
      fileOf([frame], [[size, 2000]]),
      'unpacks to 1000 bytes instead of 2000',
    ],
    ['is no frame', fileOf([Buffer.alloc(size)], [[size, 1000]]), 'the frame at 0 cannot be unpacked'],
    ['has nothing packed', fileOf([], [[0, 1000]]), 'the frame at 0 cannot be unpacked'],
  ])('whose frame %s, when it is read', async (_, bytes, sentence) => {
    const source = await open(bytes);
    await expect(read(source, 0, 10)).rejects.toThrow(sentence);
  });

  it('with a byte changed, by the checksum in its frame', async () => {
    const bytes = Buffer.from(packed);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    await expect(read(await open(bytes), 0, 10)).rejects.toMatchObject({ code: 'file-damaged' });
  });
});
