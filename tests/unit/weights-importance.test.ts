import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PunaError } from '../../src/shared/error.ts';
import { bufferSource } from '../../src/main/weights/formats/gguf.ts';
import {
  type ImportanceMatrix,
  meansOf,
  writeImportanceMatrix,
} from '../../src/main/weights/quantize/importance-matrix.ts';
import {
  readImportanceMatrix,
  readImportanceMatrixFrom,
} from '../../src/main/weights/quantize/importance-reader.ts';
import { ggufBytes, sampleGguf } from '../support/tiny-gguf.ts';
import { seededRandom } from '../support/tiny-random.ts';

const fixtures = join(import.meta.dirname, '../fixtures/weights/quantize');
const files = { gguf: join(fixtures, 'llama.imatrix.gguf'), dat: join(fixtures, 'llama.imatrix.dat') };

describe('an importance matrix', () => {
  it("of llama.cpp's tool is read, with what it was computed from", async () => {
    const { entries, datasets, chunks, chunkTokens } = await readImportanceMatrix(files.gguf);
    expect({ datasets, chunks, chunkTokens }).toEqual({
      datasets: ['text.txt'],
      chunks: 11,
      chunkTokens: 64,
    });
    expect(entries.size).toBe(3 * 7 + 1);
    expect(entries.get('blk.1.ffn_down.weight')?.sums.length).toBe(512);
    expect([...(entries.get('blk.1.ffn_down.weight')?.counts ?? [])]).toEqual([11 * 64]);
  });

  it('says the same in its older form', async () => {
    const [newer, older] = [await readImportanceMatrix(files.gguf), await readImportanceMatrix(files.dat)];
    expect(older.datasets).toEqual(newer.datasets);
    expect(older.chunks).toBe(newer.chunks);
    expect([...older.entries.keys()].toSorted()).toEqual([...newer.entries.keys()].toSorted());
    for (const [name, entry] of older.entries) {
      const expected = newer.entries.get(name);
      if (!expected) throw new Error(name);
      const means = meansOf(expected);
      meansOf(entry).forEach((mean, index) => expect(mean / (means[index] ?? NaN)).toBeCloseTo(1, 5));
    }
  });

  it('is written byte for byte as llama.cpp writes it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'puna-imatrix-'));
    const path = join(folder, 'copy.gguf');
    await writeImportanceMatrix(path, await readImportanceMatrix(files.gguf));
    expect(await readFile(path)).toEqual(await readFile(files.gguf));
    await rm(folder, { recursive: true });
  });

  it('counts what was never seen as 1, for each expert on its own', () => {
    const entry = { sums: Float32Array.of(2, 4, 0, 0, 9, 3), counts: Float32Array.of(2, 0, 3) };
    expect([...meansOf(entry)]).toEqual([1, 2, 1, 1, 3, 1]);
  });

  it.each([
    ['another GGUF file', async () => ggufBytes(sampleGguf()), 'invalid-input', /another GGUF file/],
    [
      'a text',
      async () => Buffer.from('Once upon a time there was a model.'),
      'invalid-input',
      /neither GGUF/,
    ],
    ['nothing', async () => Buffer.alloc(0), 'invalid-input', /neither GGUF/],
    [
      'a GGUF file cut off',
      async () => (await readFile(files.gguf)).subarray(0, 9000),
      'file-damaged',
      /ends at/,
    ],
    [
      'an older file cut off',
      async () => (await readFile(files.dat)).subarray(0, 9000),
      'file-damaged',
      /it ends in/,
    ],
    ['sums without counts', () => gguf({ 'a.in_sum2': [4, [1, 2, 3, 4]] }), 'file-damaged', /only sums/],
    [
      'more counts than fit',
      () => gguf({ 'a.in_sum2': [3, [1, 2, 3]], 'a.counts': [2, [1, 1]] }),
      ...(['file-damaged', /3 sums and 2 counts/] as const),
    ],
    [
      'numbers that are none',
      () => gguf({ 'a.in_sum2': [2, [NaN, 1]], 'a.counts': [1, [1]] }),
      ...(['file-damaged', /"a" are not what/] as const),
    ],
    [
      'squares below zero',
      () => gguf({ 'a.in_sum2': [2, [-1, 1]], 'a.counts': [1, [1]] }),
      ...(['file-damaged', /"a" are not what/] as const),
    ],
  ] as const)('is not read from %s', async (_, make, code, message) => {
    const thrown = await readImportanceMatrixFrom(bufferSource(await make()), 'file').catch(
      (each: unknown) => each,
    );
    expect(thrown).toBeInstanceOf(PunaError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

function gguf(
  tensors: Record<string, readonly [length: number, numbers: readonly number[]]>,
): Promise<Buffer> {
  return ggufBytes({
    metadata: new Map([['general.type', { type: 'string', value: 'imatrix' }]]),
    tensors: Object.entries(tensors).map(([name, [length, numbers]]) => ({
      ...{ name, type: 'F32', shape: [length] },
      data: new Uint8Array(Float32Array.from(numbers).buffer),
    })),
  });
}

describe.each(Object.entries(files))('an importance matrix (%s) with bytes changed', (_, path) => {
  it('gives sound numbers or an error that can be read', async () => {
    const original = await readFile(path);
    // The beginning has the structure and some numbers.
    const structure = 8000;
    const random = seededRandom(17);
    const outcomes = { results: 0, errors: 0 };
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(original);
      for (let flips = 1 + random.below(4); flips > 0; flips--)
        bytes[random.below(structure)] = random.below(256);
      if (round % 5 === 0) bytes.writeUInt32LE(random.uint32(), random.below(structure));
      const piece = round % 7 === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
      try {
        expectSound(await readImportanceMatrixFrom(bufferSource(piece), 'mutated'));
        outcomes.results++;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(PunaError);
        const { code, message, remedy } = thrown as PunaError;
        expect(['not-gguf', 'file-damaged', 'unsupported-model', 'invalid-input']).toContain(code);
        expect(message).toMatch(/^[^\p{Cc}]{10,300}\.$/u);
        expect(remedy).toMatch(/\.$/);
        outcomes.errors++;
      }
    }
    // Otherwise the changes would not reach what they are to test.
    expect(Math.min(outcomes.results, outcomes.errors)).toBeGreaterThan(50);
  });
});

function expectSound({ entries }: ImportanceMatrix): void {
  for (const entry of entries.values()) {
    expect(meansOf(entry).every((mean) => Number.isFinite(mean) && mean >= 0)).toBe(true);
  }
}
