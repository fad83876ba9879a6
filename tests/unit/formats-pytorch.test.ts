import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../src/main/weights/formats/byte-source.ts';
import { openPytorch } from '../../src/main/weights/formats/pytorch-reader.ts';
import { zstdSeekable } from '../../src/main/weights/formats/zstd-writer.ts';
import {
  called,
  checkpoint,
  dict,
  integer,
  named,
  pickled,
  storage,
  tensor,
  text,
  tuple,
  zipped,
} from '../support/pickled.ts';
import { describeTensors, joined, pytorchSays, readTensor, tensorFixture } from '../support/tensor-files.ts';

const open = (bytes: Uint8Array) => openPytorch(bufferSource(bytes), { name: 'sample' });
const bytes = (...codes: number[]) => Buffer.from(codes);

describe('a checkpoint of PyTorch', () => {
  it.each([
    'types-2.bin',
    'types-4.bin',
    'types-5.bin',
    'views.bin',
    'checkpoint.pt',
    'module.pt',
    'parameters.pth',
  ])('gives the tensors that PyTorch has saved (%s)', async (name) => {
    await using file = await openPytorch(tensorFixture(name));
    expect(await describeTensors(file)).toEqual(pytorchSays[name]);
    expect(Object.keys(pytorchSays[name] ?? {}).length).toBeGreaterThan(0);
  });

  it('can be read in pieces, views that are not contiguous among them, in any order', async () => {
    await using file = await openPytorch(tensorFixture('views.bin'));
    expect(await describeTensors(file, 8)).toEqual(pytorchSays['views.bin']);
    const [transposed, permuted] = [file.tensors.get('transposed'), file.tensors.get('permuted')];
    if (!transposed || !permuted) throw new Error('The fixture has lost its tensors.');
    const [all, other] = [await readTensor(transposed), await readTensor(permuted)];
    const [end, start, between] = [new Uint8Array(8), new Uint8Array(8), new Uint8Array(8)];
    await Promise.all([
      transposed.read(end, all.length - 8),
      permuted.read(between, 8),
      transposed.read(start, 0),
    ]);
    expect([start, end, between]).toEqual([all.subarray(0, 8), all.subarray(-8), other.subarray(8, 16)]);
  });

  it('packed with Zstandard is read as it was before', async () => {
    const packed = await joined(zstdSeekable([await readFile(tensorFixture('views.bin'))]));
    expect(await describeTensors(await open(packed))).toEqual(pytorchSays['views.bin']);
  });

  it('may be a ZIP64 archive', async () => {
    const file = await open(
      zipped(
        [
          { name: 'a/data.pkl', bytes: one(tensor(storage(2), 0, [2], [1])) },
          { name: 'a/data/0', bytes: Buffer.from('12345678') },
        ],
        { zip64: true },
      ),
    );
    const [found] = file.tensors.values();
    expect(found && Buffer.from(await readTensor(found)).toString()).toBe('12345678');
  });

  it('gives no bytes outside of a tensor', async () => {
    await using file = await openPytorch(tensorFixture('views.bin'));
    for (const name of ['rows', 'columns']) {
      await expect(file.tensors.get(name)?.read(new Uint8Array(4), 4096)).rejects.toThrow(RangeError);
    }
  });
});

describe('a checkpoint that wants to run code', () => {
  it.each(['command-0.bin', 'command-2.bin', 'command-4.bin'])(
    'is refused by its name (%s)',
    async (name) => {
      await expect(openPytorch(tensorFixture(name), { name })).rejects.toMatchObject({
        code: 'unsupported-model',
        message: `${name} wants to run code ("posix.system") when it is opened; Puna refused, and ran nothing.`,
      });
      expect(existsSync('/tmp/puna-pickle-was-run')).toBe(false);
    },
  );

  it.each<[path: string, pickle: Buffer]>([
    ['builtins.eval', pickled(called(named('builtins', 'eval'), text('1')))],
    ['builtins.getattr', pickled(text('builtins'), text('getattr'), bytes(0x93))],
    ['os.system', pickled(Buffer.from("(S'id'\nios\nsystem\n"))],
    ['torch.load', pickled(named('torch', 'load'))],
    ['torch.storage._load_from_bytes', pickled(named('torch.storage', '_load_from_bytes'))],
    ['torch.constructor', pickled(named('torch', 'constructor'))],
    ['torch.__proto__', pickled(named('torch', '__proto__'))],
    ['collections.OrderedDict.get', pickled(named('collections', 'OrderedDict.get'))],
    ['.system', pickled(named('', 'system'))],
  ])('is refused even if nothing calls it (%s)', async (path, pickle) => {
    await expect(open(checkpoint(pickle))).rejects.toThrow(`sample wants to run code ("${path}")`);
  });
});

const pair = Buffer.alloc(8);
const one = (value: Buffer) => pickled(dict([text('a'), value]));
const many = (count: number, ...operations: Buffer[]) =>
  Buffer.alloc(count * Buffer.concat(operations).length, Buffer.concat(operations));

describe('refused with a sentence is a checkpoint', () => {
  it.each<[name: string, sentence: string]>([
    ['legacy.bin', "a checkpoint in PyTorch's format from before version 1.6"],
    ['complex.bin', 'The tensor "a" in sample has numbers of type "ComplexFloatStorage"'],
    ['sparse.bin', 'has tensors of a kind that Puna does not read ("torch._utils._rebuild_sparse_tensor")'],
    ['no-tensors.bin', 'sample has no tensors by name.'],
    ['overlapping.bin', 'The numbers of the tensor "a" in sample lie over each other.'],
    ['negated.bin', 'sample has a tensor that PyTorch would still have to negate or conjugate.'],
    ['script.pt', 'sample is a TorchScript program'],
    ['compressed.bin', 'The file "archive/byteorder" in sample is compressed'],
    ['types.safetensors', 'sample is not a PyTorch checkpoint.'],
  ])('that PyTorch or Python has written (%s)', async (name, sentence) => {
    await expect(openPytorch(tensorFixture(name), { name: 'sample' })).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(sentence) as string },
      remedy: expect.stringMatching(/\.$/) as string,
    });
  });

  it.each<[what: string, file: Buffer, sentence: string]>([
    ['without any bytes', Buffer.alloc(0), 'sample is empty.'],
    ['that is a pickle only', pickled(), 'sample is a Python pickle'],
    [
      'that is a tar archive',
      Buffer.alloc(600).fill('ustar', 257, 262),
      "PyTorch's oldest format, a tar archive",
    ],
    ['that is a web page', Buffer.from('<html>'), 'sample is a web page'],
    [
      'that is cut off',
      checkpoint(one(tensor(storage(2), 0, [2], [1])), { 0: pair }).subarray(0, -30),
      'its ZIP directory cannot be read',
    ],
    [
      'that is any archive',
      zipped([{ name: 'a/b.txt', bytes: pair }]),
      'sample is a ZIP archive, but not one of PyTorch.',
    ],
    [
      'with two pickles',
      zipped([
        { name: 'a/data.pkl', bytes: pair },
        { name: 'b/data.pkl', bytes: pair },
      ]),
      'it has two checkpoints',
    ],
    [
      'with a file twice',
      zipped([
        { name: 'a', bytes: pair },
        { name: 'a', bytes: pair },
      ]),
      'it has the file "a" twice',
    ],
    [
      'that leads up',
      zipped([{ name: 'a/../../b', bytes: pair }]),
      'the path "a/../../b" of a file in it leads out of it',
    ],
    ['that leads to the root', zipped([{ name: '/etc/b', bytes: pair }]), 'leads out of it'],
    ['that leads to a drive', zipped([{ name: 'c:b', bytes: pair }]), 'leads out of it'],
    ['with backslashes', zipped([{ name: 'a\\b', bytes: pair }]), 'leads out of it'],
    [
      'encrypted',
      zipped([{ name: 'a/data.pkl', bytes: Buffer.alloc(20), flags: 1 }]),
      'The file "a/data.pkl" in sample is encrypted',
    ],
    [
      'whose storage is compressed',
      zipped([
        { name: 'a/data.pkl', bytes: one(tensor(storage(2), 0, [2], [1])) },
        { name: 'a/data/0', bytes: pair, method: 8 },
      ]),
      'The file "a/data/0" in sample is compressed',
    ],
    [
      'for other machines',
      zipped([
        { name: 'a/data.pkl', bytes: pickled() },
        { name: 'a/byteorder', bytes: Buffer.from('big') },
      ]),
      'sample was made for big-endian machines.',
    ],
    [
      'of unknown order',
      zipped([
        { name: 'a/data.pkl', bytes: pickled() },
        { name: 'a/byteorder', bytes: Buffer.from('odd') },
      ]),
      'its byte order is "odd"',
    ],
    [
      'whose storages are one',
      zipped([
        {
          name: 'a/data.pkl',
          bytes: pickled(
            dict(
              [text('a'), tensor(storage(2), 0, [2], [1])],
              [text('b'), tensor(storage(2, '1'), 0, [2], [1])],
            ),
          ),
        },
        { name: 'a/data/0', bytes: pair, offset: 0 },
        { name: 'a/data/1', bytes: pair, offset: 0 },
      ]),
      'files in it lie over each other',
    ],
  ])('%s', async (_, file, sentence) => {
    await expect(open(file)).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(sentence) as string },
      remedy: expect.stringMatching(/\.$/) as string,
    });
  });

  it.each<[what: string, pickle: Buffer, sentence: string]>([
    [
      'without a storage',
      one(tensor(storage(2, '7'), 0, [2], [1])),
      'the numbers of the tensor "a" are not in it',
    ],
    [
      'with a short storage',
      one(tensor(storage(3), 0, [2], [1])),
      'take 8 bytes in it, which are not the 3 promised',
    ],
    [
      'with a long storage',
      one(tensor(storage(1), 0, [1], [1])),
      'take 8 bytes in it, which are not the 1 promised',
    ],
    [
      'that reaches beyond',
      one(tensor(storage(2), 0, [3], [1])),
      '"a" of shape [3] reaches beyond its 2 numbers',
    ],
    ['that begins beyond', one(tensor(storage(2), 1, [2], [1])), 'reaches beyond its 2 numbers'],
    ['with long strides', one(tensor(storage(2), 0, [2], [2])), 'reaches beyond its 2 numbers'],
    ['of nothing, beyond', one(tensor(storage(2), 3, [0], [1])), 'reaches beyond its 2 numbers'],
    [
      'with huge lengths',
      one(tensor(storage(2), 0, [0, 2 ** 30, 2 ** 30], [1, 0, 0])),
      'reaches beyond its 2 numbers',
    ],
    [
      'that repeats',
      one(tensor(storage(2), 0, [2 ** 15, 2 ** 15], [0, 0])),
      'is 1073741824 numbers made by repeating fewer',
    ],
    ['of negative length', one(tensor(storage(2), 0, [-1], [1])), 'has a size that is not a whole number'],
    ['of negative offset', one(tensor(storage(2), -1, [1], [1])), 'has a size that is not a whole number'],
    ['without enough strides', one(tensor(storage(2), 0, [1, 1], [1])), 'more dimensions than strides'],
    [
      'of 65 dimensions',
      one(tensor(storage(2), 0, Array<number>(65).fill(1), Array<number>(65).fill(1))),
      'a tensor without a sound shape',
    ],
    [
      'of no tuple',
      one(
        called(named('torch._utils', '_rebuild_tensor_v2'), storage(2), integer(0), integer(1), integer(1)),
      ),
      'a tensor without a sound shape',
    ],
    ['on nothing', one(tensor(integer(0), 0, [1], [1])), 'a tensor without a storage'],
    [
      'of bytes without a type',
      one(
        tensor(
          Buffer.concat([
            tuple(
              text('storage'),
              named('torch.storage', 'UntypedStorage'),
              text('0'),
              text('cpu'),
              integer(8),
            ),
            Buffer.from('Q'),
          ]),
          0,
          [1],
          [1],
        ),
      ),
      'a tensor without a type',
    ],
    [
      'twice',
      pickled(
        dict([text('a'), tensor(storage(2), 0, [2], [1])], [text('a'), tensor(storage(2), 0, [2], [1])]),
      ),
      'it has the tensor "a" twice',
    ],
    [
      'under a number',
      pickled(dict([integer(1), tensor(storage(2), 0, [2], [1])])),
      'a tensor whose name is not a text',
    ],
    [
      'with an unknown id',
      one(Buffer.concat([tuple(text('file'), text('/etc')), Buffer.from('Q')])),
      'names a storage in an unknown way',
    ],
    [
      'in itself only',
      pickled(Buffer.from('}'), bytes(0x71, 0), text('model'), bytes(0x68, 0), Buffer.from('s')),
      'sample has no tensors by name.',
    ],
    ['that ends', Buffer.from('}'), 'its pickle ends too early'],
    ['that ends in a text', Buffer.from('X\xff\xff\xff\x7fab', 'latin1'), 'its pickle ends too early'],
    ['that ends in a name', Buffer.from('ctorch\nFloat'), 'its pickle has a name without an end'],
    ['of a later protocol', bytes(0x80, 6, 0x4e, 0x2e), 'its pickle has the unknown protocol 6'],
    ['of an unknown operation', bytes(0x80, 2, 0x82, 1, 0x2e), 'its pickle has the unknown operation 0x82'],
    ['that has nothing', Buffer.from('.'), 'its pickle takes more values than it has'],
    ['that takes too many', Buffer.from('N(\x85.', 'latin1'), 'its pickle takes more values than it has'],
    ['that has no mark', Buffer.from('Nt.'), 'its pickle takes more values than it has'],
    ['of an odd dictionary', Buffer.from('}(Nu.'), 'its pickle takes more values than it has'],
    ['that sets nothing', Buffer.from('NNNs.'), 'its pickle sets an entry of something that has none'],
    ['that appends to nothing', Buffer.from('NNa.'), 'its pickle appends to something that is not a list'],
    [
      'that calls a text',
      pickled(text('a'), tuple(), Buffer.from('R')),
      'its pickle calls something that cannot be called',
    ],
    [
      'that calls a type',
      pickled(called(named('torch', 'float16'))),
      'its pickle calls something that cannot be called',
    ],
    [
      'that names a number',
      pickled(integer(1), integer(1), bytes(0x93)),
      'names a class with something that is not a text',
    ],
    ['that recalls nothing', Buffer.from('h\x07.'), 'its pickle recalls the value 7, which it never had'],
    [
      'of wrong text',
      Buffer.from('\x8c\x01\xff.', 'latin1'),
      'its pickle has a text that is not valid UTF-8',
    ],
    [
      'of a long number',
      Buffer.concat([bytes(0x8a, 255), Buffer.alloc(255)]),
      'its pickle has a number of 255 bytes',
    ],
    ['that is nested', many(300, Buffer.from('(')), 'its pickle is nested too deeply'],
    ['that piles up', many(1_000_001, Buffer.from('N')), 'its pickle piles up too many values'],
    [
      'that works too long',
      many(2_000_001, Buffer.from('N0')),
      'its pickle has more than 4000000 operations',
    ],
  ])('with a tensor or pickle %s', async (_, pickle, sentence) => {
    await expect(open(checkpoint(pickle, { 0: pair }))).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(sentence) as string },
      remedy: expect.stringMatching(/\.$/) as string,
    });
  });

  it('but not the same one without a fault', async () => {
    const file = await open(
      checkpoint(one(tensor(storage(2), 1, [1], [1])), { 0: Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]) }),
    );
    const [found] = file.tensors.values();
    expect(found && (await readTensor(found))).toEqual(Uint8Array.of(4, 5, 6, 7));
  });
});
