import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/main/weights/formats/byte-source.ts';
import { openSafetensors } from '../../src/main/weights/formats/safetensors-reader.ts';
import {
  type DescribedTensor,
  inAlignedOrder,
  safetensorsHeader,
} from '../../src/main/weights/formats/safetensors-writer.ts';
import { bytesOf, tensorTypes, type TensorTypeName } from '../../src/main/weights/formats/tensor.ts';
import { describeTensors, joined, pytorchSays, readTensor, tensorFixture } from '../support/tensor-files.ts';

/** A file from its header as text (or an object) and as many bytes of tensors. */
function fileOf(header: unknown, dataBytes = 0): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const open = (bytes: Uint8Array) => openSafetensors(bufferSource(bytes), { name: 'sample' });
const tensor = (dtype: string, shape: unknown, ...places: unknown[]) => ({
  ...{ dtype, shape, data_offsets: places },
});

describe('a safetensors file', () => {
  it('gives every tensor of every type as PyTorch has written it', async () => {
    await using file = await openSafetensors(tensorFixture('types.safetensors'));
    expect(await describeTensors(file)).toEqual(pytorchSays['types.safetensors']);
    expect([...file.metadata]).toEqual([['format', 'pt']]);
    expect(file.bytes).toBe((await readFile(tensorFixture('types.safetensors'))).byteLength);
  });

  it('can be read in pieces', async () => {
    await using file = await openSafetensors(tensorFixture('types.safetensors'));
    expect(await describeTensors(file, 8)).toEqual(pytorchSays['types.safetensors']);
  });

  it('that pyzstd has packed in small frames is read as it was before', async () => {
    await using file = await openSafetensors(tensorFixture('types.safetensors.zst'));
    expect(await describeTensors(file)).toEqual(pytorchSays['types.safetensors']);
  });

  it('may name its tensors in another order than their bytes, which come in the order of the bytes', async () => {
    const file = await open(
      fileOf({ b: tensor('U8', [2], 1, 3), a: tensor('U8', [1], 0, 1), none: tensor('F32', [0], 1, 1) }, 3),
    );
    expect([...file.tensors.keys()]).toEqual(['a', 'none', 'b']);
  });

  it('closes the source that it was given, also when it cannot be opened', async () => {
    const closed: string[] = [];
    const closing = (name: string, bytes: Uint8Array) => ({
      ...bufferSource(bytes),
      [Symbol.asyncDispose]: async () => void closed.push(name),
    });
    await (await openSafetensors(closing('good', fileOf({}))))[Symbol.asyncDispose]();
    await expect(openSafetensors(closing('bad', fileOf('[]')))).rejects.toThrow();
    expect(closed).toEqual(['good', 'bad']);
  });

  it('gives no bytes outside of a tensor', async () => {
    const file = await open(fileOf({ a: tensor('U8', [2], 0, 2), b: tensor('U8', [2], 2, 4) }, 4));
    await expect(file.tensors.get('a')?.read(new Uint8Array(2), 1)).rejects.toThrow(RangeError);
    await expect(file.tensors.get('b')?.read(new Uint8Array(1), -1)).rejects.toThrow(RangeError);
  });

  it('that is cut off while it is read says in which tensor', async () => {
    const bytes = fileOf({ a: tensor('U8', [4], 0, 4) }, 4);
    const file = await openSafetensors(
      { size: bytes.length, read: bufferSource(bytes.subarray(0, -1)).read },
      { name: 'sample' },
    );
    const [first] = file.tensors.values();
    await expect(first && readTensor(first)).rejects.toThrow(
      'sample is damaged: it ends inside the tensor "a".',
    );
  });
});

const twice =
  '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
const longText = `{"a":"${'x'.repeat(200)}"}`;
const withLength = (bytes: Buffer, length: bigint) => {
  bytes.writeBigUInt64LE(length);
  return bytes;
};

describe('refused with a sentence is a safetensors file', () => {
  it.each<[what: string, bytes: Buffer, sentence: string]>([
    ['without any bytes', Buffer.alloc(0), 'sample is empty.'],
    ['that is another one', Buffer.from('hello, world'), 'sample is not a safetensors file'],
    ['that is a list', fileOf('[]'), 'sample is not a safetensors file'],
    ['that is a GGUF model', Buffer.from('GGUF\x03\0\0\0\0'), 'sample is a GGUF model'],
    ['that is an archive', Buffer.from('PK\x03\x04\0\0\0\0\0'), 'a ZIP archive or a PyTorch checkpoint'],
    ['that is a web page', Buffer.from('<!doctype html>'), 'sample is a web page'],
    ['that Git LFS did not download', Buffer.from('version https://git-lfs.github.com'), 'Git LFS'],
    ['whose header is too long', withLength(fileOf('{}'), 100_000_001n), 'its header claims 100000001 bytes'],
    [
      'whose header is of 2⁶⁴ bytes',
      withLength(fileOf('{}'), 2n ** 64n - 1n),
      'its header claims 1844674407',
    ],
    [
      'cut off in its header',
      fileOf(longText).subarray(0, 100),
      'its header claims 208 bytes, but the file has 100',
    ],
    ['that is no JSON', fileOf('{"a":}'), 'its header is not valid JSON'],
    [
      'that is no UTF-8',
      Buffer.concat([fileOf('{"\x7f"}').fill(0xff, 10, 11)]),
      'its header is not valid UTF-8',
    ],
    ['with a tensor twice', fileOf(twice, 1), 'its header has the name "a" twice'],
    [
      'with a dtype twice',
      fileOf('{"a":{"dtype":"U8","dtype":"U8"}}'),
      'its header has the name "dtype" twice',
    ],
    ['that is nested', fileOf(`{"a":${'['.repeat(20)}${']'.repeat(20)}}`), 'its header is nested too deeply'],
    ['with too many values', fileOf(`{"a":[${'0,'.repeat(2_000_000)}0]}`), 'has more than 2000000 values'],
    ['with an unknown type', fileOf({ a: tensor('F4', [1], 0, 1) }, 1), 'numbers of type "F4"'],
    ['with a type of ggml', fileOf({ a: tensor('Q8_0', [32], 0, 34) }, 34), 'numbers of type "Q8_0"'],
    [
      'without a type',
      fileOf({ a: { shape: [1], data_offsets: [0, 1] } }, 1),
      'the tensor "a" lacks a sound type',
    ],
    ['that has a null', fileOf({ a: null }), 'the tensor "a" lacks a sound type'],
    [
      'with a negative length',
      fileOf({ a: tensor('U8', [-1], 0, 1) }, 1),
      'the tensor "a" lacks a sound type',
    ],
    ['with half a number', fileOf({ a: tensor('U8', [0.5], 0, 1) }, 1), 'the tensor "a" lacks a sound type'],
    ['with a huge offset', fileOf({ a: tensor('U8', [1], 2 ** 60, 2 ** 60 + 1) }), 'lacks a sound type'],
    ['with one offset', fileOf({ a: tensor('U8', [1], 1) }, 1), 'the tensor "a" lacks a sound type'],
    ['of too many dimensions', fileOf({ a: tensor('U8', Array(65).fill(1), 0, 1) }, 1), 'lacks a sound type'],
    [
      'with a wrong place',
      fileOf({ a: tensor('F32', [2], 0, 4) }, 4),
      '[2] in F32 does not fill its place from 0 to 4',
    ],
    [
      'with its place reversed',
      fileOf({ a: tensor('U8', [1], 1, 0) }, 1),
      'does not fill its place from 1 to 0',
    ],
    [
      'whose product of lengths hides behind a zero',
      fileOf({ a: tensor('U8', [2 ** 40, 2 ** 40, 0], 0, 0) }),
      'does not fill its place',
    ],
    [
      'with a gap',
      fileOf({ a: tensor('U8', [1], 0, 1), b: tensor('U8', [1], 2, 3) }, 3),
      'the tensor "b" leaves a gap before it',
    ],
    [
      'with a gap at first',
      fileOf({ a: tensor('U8', [1], 1, 2) }, 2),
      'the tensor "a" leaves a gap before it',
    ],
    [
      'with an overlap',
      fileOf({ a: tensor('U8', [2], 0, 2), b: tensor('U8', [2], 1, 3) }, 3),
      'the tensor "b" overlaps the one before it',
    ],
    [
      'cut off in a tensor',
      fileOf({ a: tensor('U8', [4], 0, 4) }, 3),
      'ends at 4, but there are 3 bytes of tensors',
    ],
    ['with a rest', fileOf({ a: tensor('U8', [4], 0, 4) }, 6), '2 bytes at its end belong to no tensor'],
    ['whose metadata are numbers', fileOf({ __metadata__: { a: 1 } }), 'its metadata "a" is not a text'],
    [
      'whose metadata are a list',
      fileOf({ __metadata__: ['a'] }),
      'its metadata is not a list of names and texts',
    ],
  ])('%s', async (_, bytes, sentence) => {
    await expect(open(bytes)).rejects.toMatchObject({
      name: 'PunaError',
      message: expect.stringContaining(sentence) as string,
      remedy: expect.stringMatching(/\.$/) as string,
    });
  });

  it('with more tensors than any model has', async () => {
    const entries = Array.from(
      { length: 100_001 },
      (_, index) => `"${index}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    );
    await expect(open(fileOf(`{${entries.join(',')}}`))).rejects.toThrow('it claims to have 100001 tensors');
  });
});

describe('a written safetensors file', () => {
  it.each(['types.safetensors', 'sharded-safetensors/model-00001-of-00002.safetensors'])(
    'has the same bytes as the reference has written (%s)',
    async (name) => {
      await using file = await openSafetensors(tensorFixture(name));
      const tensors = [...file.tensors.values()];
      const bytes = await joined([
        safetensorsHeader(tensors, file.metadata),
        ...(await Promise.all(tensors.map((each) => readTensor(each)))),
      ]);
      expect(bytes).toEqual(await readFile(tensorFixture(name)));
    },
  );

  const described = (name: string, type: TensorTypeName, ...shape: number[]): DescribedTensor => ({
    ...{ name, type: tensorTypes[type], shape },
  });

  it('keeps the order of tensors, also of names that are numbers, and texts as they are', async () => {
    const tensors = [
      described('7', 'BOOL', 3),
      described('"\n\u0001é😀', 'F32'),
      described('1', 'F8_E5M2', 0, 2),
    ];
    const metadata = new Map([
      ['2', '\u2028"\\'],
      ['1', ''],
    ]);
    const header = safetensorsHeader(tensors, metadata);
    expect(header.byteLength % 8).toBe(0);
    const file = await open(await joined([header, new Uint8Array(7)]));
    expect([...file.tensors.values()].map(({ name, type, shape }) => ({ name, type, shape }))).toEqual(
      tensors,
    );
    expect([...file.metadata]).toEqual([...metadata].toReversed());
  });

  it('has every tensor at a multiple of its numbers’ size in the aligned order', () => {
    const tensors = [
      described('a', 'U8', 3),
      described('b', 'F64', 1),
      described('c', 'F16', 1),
      described('d', 'F32', 1),
    ];
    const ordered = inAlignedOrder(tensors);
    expect(ordered.map(({ name }) => name)).toEqual(['b', 'd', 'c', 'a']);
    let offset = 0;
    for (const each of ordered) {
      expect(offset % each.type.blockBytes, each.name).toBe(0);
      offset += bytesOf(each);
    }
  });

  it.each<[what: string, tensors: DescribedTensor[], sentence: string]>([
    [
      'quantized',
      [described('a', 'Q4_K', 256)],
      'The tensor "a" is in Q4_K, which a safetensors file cannot hold.',
    ],
    [
      'there twice',
      [described('a', 'F32'), described('a', 'F32')],
      'The tensor "a" would be in the safetensors file twice.',
    ],
    ['called like the metadata', [described('__metadata__', 'F32')], 'cannot be called "__metadata__"'],
    [
      'called by half a character',
      [described('\ud800', 'F32')],
      'A tensor in a safetensors file cannot be called',
    ],
    ['of half a number', [described('a', 'F32', 0.5)], 'no sound shape: [0.5]'],
  ])('refuses a tensor that is %s', (_, tensors, sentence) => {
    expect(() => safetensorsHeader(tensors)).toThrow(sentence);
  });
});
