import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomically } from '../../src/main/storage/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-storage-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writing a file atomically', () => {
  it('gives it the pieces in their order, texts as UTF-8, small and large', async () => {
    const path = join(folder, 'file');
    const large = new Uint8Array(1_000_000).fill(7);
    async function* pieces() {
      yield '안녕';
      yield large;
      yield Uint8Array.of(1, 2, 3);
      yield '';
    }
    await writeAtomically(path, pieces());
    expect(await readFile(path)).toEqual(Buffer.concat([Buffer.from('안녕'), large, Uint8Array.of(1, 2, 3)]));
  });

  it('takes a piece over before it asks for the next one', async () => {
    const path = join(folder, 'file');
    const piece = Buffer.alloc(1);
    function* pieces() {
      for (const letter of 'abc') {
        piece.write(letter);
        yield piece;
      }
    }
    await writeAtomically(path, pieces());
    expect(await readFile(path, 'utf8')).toBe('abc');
  });

  it('shows the old file until the new one is whole, and then only the new one', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    const seen: string[] = [];
    async function* pieces() {
      yield 'x'.repeat(1_000_000);
      seen.push(await readFile(path, 'utf8'));
      yield 'end';
    }
    await writeAtomically(path, pieces());
    expect(seen).toEqual(['old']);
    expect(await readFile(path, 'utf8')).toBe(`${'x'.repeat(1_000_000)}end`);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves the old file alone and nothing else behind when the pieces fail', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    function* pieces() {
      yield 'half';
      throw new Error('no more');
    }
    await expect(writeAtomically(path, pieces())).rejects.toThrow('no more');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('does the same when it is aborted', async () => {
    const path = join(folder, 'file');
    const controller = new AbortController();
    const ended: boolean[] = [];
    function* pieces() {
      try {
        for (;;) {
          yield 'more';
          controller.abort();
        }
      } finally {
        ended.push(true);
      }
    }
    await expect(writeAtomically(path, pieces(), controller)).rejects.toThrow(/abort/i);
    expect(ended).toEqual([true]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says where a folder is missing or a folder stands in the way', async () => {
    await expect(writeAtomically(join(folder, 'none', 'file'), ['x'])).rejects.toMatchObject({
      code: 'file-missing',
      message: expect.stringContaining(join(folder, 'none', 'file')),
    });
    await mkdir(join(folder, 'taken'));
    await expect(writeAtomically(join(folder, 'taken'), ['x'])).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect(await readdir(folder)).toEqual(['taken']);
  });
});
