import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGgufFileInfo } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type GgufToWrite,
  readGguf,
  type TensorToWrite,
  writeGguf,
} from '../../src/main/weights/formats/gguf.ts';
import { ggufBytes, sampleGguf } from '../support/tiny-gguf.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-gguf-'));
});
afterAll(() => rm(folder, { recursive: true }));

const norm = (data: TensorToWrite['data']): GgufToWrite => ({
  metadata: new Map(),
  tensors: [{ name: 'norm', type: 'F32', shape: [4], data }],
});

describe('a written file', () => {
  it('has the bytes of its pieces', async () => {
    const path = join(folder, 'sample.gguf');
    await writeGguf(path, sampleGguf());
    expect(await readFile(path)).toEqual(await ggufBytes(sampleGguf()));
  });

  it('holds what node-llama-cpp finds in it', async () => {
    const path = join(folder, 'theirs.gguf');
    const { metadata, tensors } = sampleGguf();
    // Their reader makes a tree of the keys.
    await writeGguf(path, { metadata, tensors });
    const theirs = await readGgufFileInfo(path, { logWarnings: false });
    expect(theirs.metadata).toMatchObject({
      general: { architecture: 'llama', name: '작은 모델 🎉' },
      a: {
        ...{
          uint8: 255,
          int8: -128,
          uint16: 65_535,
          int16: -32_768,
          uint32: 4_294_967_295,
          int32: -2_147_483_648,
        },
        ...{
          float32: 0.5,
          float64: Math.PI,
          uint64: 2n ** 64n - 1n,
          int64: -(2n ** 63n),
          bool: true,
          empty: '',
        },
      },
      many: {
        texts: ['<unk>', '', '안녕', '\u2581the'],
        floats: [1, -2, 0.25],
        bools: [true, false, true],
        none: [],
      },
    });
    expect(theirs.fullTensorInfo?.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
  });

  it('takes a tensor in pieces of any size', async () => {
    const path = join(folder, 'pieces.gguf');
    async function* pieces() {
      for (const length of [1, 0, 10, 5]) yield new Uint8Array(length).fill(length);
    }
    await writeGguf(path, norm(pieces));
    const { dataOffset } = await readGguf(path);
    expect([...(await readFile(path)).subarray(dataOffset, dataOffset + 16)]).toEqual([
      ...[1, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 5, 5, 5, 5, 5],
    ]);
  });
});

describe('writing', () => {
  it.each([15, 17])(
    'refuses a tensor of 16 bytes of which %d come, and leaves the old file',
    async (length) => {
      const path = join(folder, 'kept.gguf');
      await writeFile(path, 'old');
      await expect(writeGguf(path, norm(new Uint8Array(length)))).rejects.toMatchObject({
        code: 'invalid-input',
        message: `The tensor norm has ${length} bytes instead of the 16 of its shape.`,
      });
      expect(await readFile(path, 'utf8')).toBe('old');
      expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
    },
  );

  it('refuses rows that are no whole number of blocks', () =>
    expect(
      writeGguf(join(folder, 'rows.gguf'), {
        metadata: new Map(),
        tensors: [{ name: 'w', type: 'Q8_0', shape: [33, 2], data: new Uint8Array() }],
      }),
    ).rejects.toMatchObject({ code: 'invalid-input', message: /rows of 33 numbers/ }));
});
