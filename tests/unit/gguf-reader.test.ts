import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGgufFileInfo } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bufferSource,
  type GgufArray,
  type GgufToWrite,
  metadataNumber,
  metadataString,
  metadataStrings,
  readGguf,
  readGgufFrom,
} from '../../src/main/weights/formats/gguf.ts';
import { buildTinyModel } from '../support/models.ts';
import { ggufBytes, sampleGguf } from '../support/tiny-gguf.ts';

const read = (bytes: Uint8Array) => readGgufFrom(bufferSource(bytes), 'sample.gguf');
const sample = await ggufBytes(sampleGguf());

/** The sample with some bytes set at the place where a text stands, or so many bytes after it. */
function changed(anchor: string, after: number, bytes: Uint8Array): Buffer {
  const copy = Buffer.from(sample);
  copy.set(bytes, copy.indexOf(anchor) + anchor.length + after);
  return copy;
}

const uint32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const uint64 = (value: bigint) => new Uint8Array(BigUint64Array.of(value).buffer);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-gguf-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a good file', () => {
  it('gives back every value with its type', async () => {
    const { metadata, version } = await read(sample);
    expect(version).toBe(3);
    expect([...metadata]).toEqual([...sampleGguf().metadata]);
  });

  it('gives each tensor its type, shape and place', async () => {
    const { tensors, dataOffset } = await read(sample);
    expect(tensors.map(({ name, type, shape, bytes }) => [name, type.name, shape, bytes])).toEqual([
      ['token_embd.weight', 'F32', [8, 4], 128],
      ['blk.0.attn_q.weight', 'Q8_0', [64, 3], 204],
      ['blk.0.attn_norm.weight', 'F16', [5], 10],
      ['blk.0.ffn_down.weight', 'Q4_K', [256, 2, 1, 1], 288],
    ]);
    for (const [index, tensor] of tensors.entries()) {
      const start = dataOffset + tensor.offset;
      const written = sampleGguf().tensors[index]?.data;
      expect(new Uint8Array(sample.subarray(start, start + tensor.bytes))).toEqual(written);
    }
  });

  it('is read as node-llama-cpp reads it', async () => {
    const path = await buildTinyModel(join(folder, 'tiny.gguf'), { tensorType: 'Q8_0', thinking: true });
    const ours = await readGguf(path);
    const theirs = await readGgufFileInfo(path, { logWarnings: false });
    expect(ours.version).toBe(theirs.version);
    expect(ours.dataOffset).toBe(theirs.infoEndOffset);
    expect(
      ours.tensors.map(({ name, type, shape, offset }) => [name, type.id, shape, ours.dataOffset + offset]),
    ).toEqual(
      theirs.fullTensorInfo?.map(({ name, ggmlType, dimensions, fileOffset }) => [
        name,
        ggmlType,
        dimensions.map(Number),
        Number(fileOffset),
      ]),
    );
    const { general, tokenizer } = theirs.metadata;
    expect(metadataString(ours.metadata, 'general.name')).toBe(general.name);
    expect(metadataStrings(ours.metadata, 'tokenizer.ggml.tokens')).toEqual(tokenizer.ggml.tokens);
    expect(ours.metadata.get('tokenizer.ggml.scores')?.value).toEqual(
      Float32Array.from(tokenizer.ggml.scores ?? []),
    );
    expect(metadataString(ours.metadata, 'tokenizer.chat_template')).toBe(tokenizer.chat_template);
    expect(metadataNumber(ours.metadata, 'llama.context_length')).toBe(
      theirs.architectureMetadata.context_length,
    );
  });

  it('may be of version 2', async () => {
    const copy = Buffer.from(sample);
    copy.writeUInt32LE(2, 4);
    expect((await read(copy)).version).toBe(2);
  });

  it('may have arrays in arrays', async () => {
    const inner = { type: 'array', of: 'int32', value: Int32Array.of(1, 2) } as const;
    const gguf: GgufToWrite = {
      metadata: new Map([['nested', { type: 'array', of: 'array', value: [inner, inner] }]]),
      tensors: [],
    };
    expect((await read(await ggufBytes(gguf))).metadata.get('nested')).toEqual(gguf.metadata.get('nested'));
  });

  it('may have another alignment', async () => {
    const { metadata, tensors } = sampleGguf();
    const aligned = new Map([...metadata, ['general.alignment', { type: 'uint32', value: 256 } as const]]);
    const { dataOffset, tensors: found } = await read(await ggufBytes({ metadata: aligned, tensors }));
    expect([dataOffset % 256, ...found.map(({ offset }) => offset % 256)]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('a file that is something else', () => {
  it.each([
    ['', /is empty/],
    ['GG', /is not a GGUF file/],
    ['Once upon a time', /is not a GGUF file/],
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', /Git LFS/],
    ['<!DOCTYPE html><html>', /web page/],
    ['PK\u0003\u0004', /ZIP archive/],
    ['tjgg\u0001\u0000\u0000\u0000', /GGJT/],
  ])('is refused: %j', async (content, message) => {
    await expect(read(Buffer.from(content))).rejects.toMatchObject({ code: 'not-gguf', message });
  });

  it('is refused when it is for another byte order, or of a version of before or after', async () => {
    const ofVersion = (version: number) => {
      const copy = Buffer.from(sample);
      copy.writeUInt32LE(version, 4);
      return read(copy);
    };
    const code = 'unsupported-model';
    await expect(ofVersion(0x0300_0000)).rejects.toMatchObject({ code, message: /big-endian/ });
    await expect(ofVersion(1)).rejects.toMatchObject({ code, message: /version 1/ });
    await expect(ofVersion(4)).rejects.toMatchObject({ code, remedy: /Update Puna/ });
  });
});

describe('a damaged file', () => {
  const damaged = (bytes: Uint8Array, message: RegExp) =>
    expect(read(bytes)).rejects.toMatchObject({
      code: 'file-damaged',
      message,
      remedy: 'Download or copy the file again.',
    });

  it('is refused wherever it is cut off', async () => {
    for (let bytes = 4; bytes < sample.length - 16; bytes++) {
      await expect(read(sample.subarray(0, bytes)), `${bytes} bytes`).rejects.toMatchObject({
        code: 'file-damaged',
      });
    }
  });

  it('says which key was cut off', () =>
    damaged(
      sample.subarray(0, sample.indexOf('a.int16') + 9),
      /it ends after \d+ bytes, in the type of the value of "a.int16"/,
    ));

  it('says which tensor was cut off', () =>
    damaged(
      sample.subarray(0, -200),
      /tensor "blk.0.ffn_down.weight" should end at byte \d+, but the file ends at/,
    ));

  it.each([2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 32n, BigInt(sample.length)])(
    'is refused when a count or length says %d',
    async (value) => {
      await damaged(changed('GGUF', 4, uint64(value)), /number of tensors is \d+, but there is room for/);
      await damaged(changed('GGUF', 12, uint64(value)), /number of metadata keys is \d+/);
      await damaged(changed('GGUF', 20, uint64(value)), /length of metadata key 1 of 20 is \d+/);
      await damaged(changed('general.name', 4, uint64(value)), /length of the value of "general.name" is/);
      await damaged(
        changed('many.texts', 8, uint64(value)),
        /number of elements of the value of "many.texts"/,
      );
      await damaged(
        changed('many.texts', 16, uint64(value)),
        /length of a text in the value of "many.texts"/,
      );
      await damaged(
        changed('many.longs', 8, uint64(value)),
        /number of elements of the value of "many.longs"/,
      );
    },
  );

  it('is refused when a type, a shape or an offset makes no sense', async () => {
    await damaged(changed('a.uint8', 0, uint32(13)), /"a.uint8" has the unknown type 13/);
    await damaged(changed('attn_q.weight', 0, uint32(5)), /has 5 dimensions/);
    await damaged(changed('attn_q.weight', 4, uint64(2n ** 60n)), /too large to be true/);
    await damaged(changed('attn_q.weight', 4, uint64(33n)), /rows of 33 numbers, no multiple of Q8_0's 32/);
    await damaged(changed('attn_q.weight', 24, uint64(1n)), /lies at 1, no multiple of 32/);
    await damaged(changed('attn_q.weight', 24, uint64(0n)), /lies on another one/);
    await damaged(changed('attn_q.weight', 24, uint64(2n ** 64n - 32n)), /should end at byte/);
  });

  it('is refused when a key or a tensor stands twice', async () => {
    await damaged(
      Buffer.from(sample.toString('latin1').replace('a.int8', 'a.bool'), 'latin1'),
      /"a.bool" stands twice/,
    );
    const { metadata, tensors } = sampleGguf();
    await damaged(
      await ggufBytes({ metadata, tensors: [...tensors, ...tensors] }),
      /tensor "token_embd.weight" stands twice/,
    );
  });

  it.each([0, 3, 2 ** 32 - 1])('is refused with an alignment of %d', async (value) => {
    // The writer would not take such an alignment: the key gets its name afterwards.
    const metadata = new Map([['general.alignmenT', { type: 'uint32', value } as const]]);
    const bytes = (await ggufBytes({ metadata, tensors: [] })).toString('latin1');
    await damaged(Buffer.from(bytes.replace('alignmenT', 'alignment'), 'latin1'), /alignment is/);
  });

  it('is refused when its arrays lie too deep in each other', async () => {
    let value: GgufArray = { type: 'array', of: 'array', value: [] };
    for (let depth = 0; depth < 10; depth++) value = { type: 'array', of: 'array', value: [value] };
    await damaged(await ggufBytes({ metadata: new Map([['deep', value]]), tensors: [] }), /too many arrays/);
  });

  it('shows names from the file on one line, and not all of a long one', async () => {
    const name = `line\nbreak\u0007${'x'.repeat(1000)}`;
    const metadata = new Map([[name, { type: 'uint8', value: 1 } as const]]);
    const bytes = await ggufBytes({ metadata, tensors: [] });
    const error = await read(bytes.subarray(0, 24 + 8 + name.length)).catch(
      (thrown: Error) => thrown.message,
    );
    expect(error).toMatch(/"line break x+…"/);
    expect(String(error).length).toBeLessThan(250);
  });
});

describe('tensor types', () => {
  it.each([
    [99, /this version of Puna does not know/, /Update Puna/],
    [31, /llama.cpp no longer reads/, /newer file/],
  ])('names the type %d that it cannot read', (type, message, remedy) =>
    expect(read(changed('attn_q.weight', 20, uint32(type)))).rejects.toMatchObject({
      code: 'unsupported-model',
      message,
      remedy,
    }),
  );
});

describe('a path', () => {
  it('to nothing is said to be missing', () =>
    expect(readGguf(join(folder, 'none.gguf'))).rejects.toMatchObject({
      code: 'file-missing',
      message: /none.gguf/,
    }));

  it('to a folder or a device is refused', async () => {
    await expect(readGguf(folder)).rejects.toMatchObject({ code: 'invalid-input', message: /is not a file/ });
    if (process.platform === 'win32') return;
    await expect(readGguf('/dev/zero')).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('to a file of a terabyte that claims a text of half a terabyte costs no memory', async () => {
    const path = join(folder, 'huge.gguf');
    await writeFile(path, changed('general.name', 4, uint64(2n ** 39n)));
    const handle = await open(path, 'r+');
    await handle.truncate(2 ** 40);
    await handle.close();
    const before = process.memoryUsage().arrayBuffers;
    await expect(readGguf(path)).rejects.toMatchObject({ code: 'file-damaged', message: /general.name/ });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  });
});
