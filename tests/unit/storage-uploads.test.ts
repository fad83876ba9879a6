import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Uploads } from '../../src/main/storage/index.ts';

let folder = '';
let now = 0;
let uploads: Uploads;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-uploads-'));
  now = 0;
  uploads = new Uploads(folder, { now: () => now });
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string) => Buffer.from(text);

describe('an upload', () => {
  it('is the file of its pieces, under a safe name', async () => {
    const { uploadId } = await uploads.begin({ name: '../notes.txt', bytes: 6 });
    await uploads.append(uploadId, 0, bytes('abc'));
    await uploads.append(uploadId, 3, bytes('def'));
    const { uploadPath, name } = uploads.take(uploadId);
    expect([await readFile(uploadPath, 'utf8'), name]).toEqual(['abcdef', 'notes.txt']);
  });

  it('may be empty', async () => {
    const { uploadId } = await uploads.begin({ name: 'empty', bytes: 0 });
    expect(await readFile(uploads.take(uploadId).uploadPath, 'utf8')).toBe('');
  });

  it('can be taken once, and discarded after that', async () => {
    const { uploadId } = await uploads.begin({ name: 'once', bytes: 1 });
    await uploads.append(uploadId, 0, bytes('x'));
    uploads.take(uploadId);
    expect(() => uploads.take(uploadId)).toThrow(/has ended/);
    await uploads.discard(uploadId);
    expect(await readdir(folder)).toEqual([]);
  });

  it('cannot be taken before it is whole', async () => {
    const { uploadId } = await uploads.begin({ name: 'half', bytes: 2 });
    await uploads.append(uploadId, 0, bytes('x'));
    expect(() => uploads.take(uploadId)).toThrow('Only 1 of the 2 bytes of half have arrived.');
  });

  it('refuses a piece for another place, or beyond its end', async () => {
    const { uploadId } = await uploads.begin({ name: 'file', bytes: 4 });
    await uploads.append(uploadId, 0, bytes('ab'));
    const code = 'invalid-input';
    await expect(uploads.append(uploadId, 0, bytes('c'))).rejects.toMatchObject({
      code,
      message: /byte 0 instead of 2/,
    });
    await expect(uploads.append(uploadId, 3, bytes('c'))).rejects.toMatchObject({ code });
    await expect(uploads.append(uploadId, 2, bytes('cde'))).rejects.toMatchObject({
      code,
      message: /longer than the 4/,
    });
    await uploads.append(uploadId, 2, bytes('cd'));
    expect(await readFile(uploads.take(uploadId).uploadPath, 'utf8')).toBe('abcd');
  });

  it('refuses a second piece while the first one is being written', async () => {
    const { uploadId } = await uploads.begin({ name: 'file', bytes: 4 });
    const [first, second] = await Promise.allSettled([
      uploads.append(uploadId, 0, bytes('ab')),
      uploads.append(uploadId, 0, bytes('cd')),
    ]);
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('leaves nothing when it is discarded half way, and takes no more', async () => {
    const { uploadId } = await uploads.begin({ name: 'file', bytes: 4 });
    await uploads.append(uploadId, 0, bytes('ab'));
    await uploads.discard(uploadId);
    expect(await readdir(folder)).toEqual([]);
    await expect(uploads.append(uploadId, 2, bytes('cd'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is refused at once when it can never fit on the disk', () =>
    expect(uploads.begin({ name: 'huge.gguf', bytes: 2 ** 60 })).rejects.toMatchObject({
      code: 'disk-full',
      message: /huge.gguf does not fit/,
    }));

  it('is forgotten when nothing has come for an hour and another one begins', async () => {
    const abandoned = await uploads.begin({ name: 'abandoned', bytes: 4 });
    now = 30 * 60 * 1000;
    const slow = await uploads.begin({ name: 'slow', bytes: 4 });
    now = 61 * 60 * 1000;
    const { uploadId } = await uploads.begin({ name: 'new', bytes: 4 });
    expect((await readdir(folder)).toSorted()).toEqual([slow.uploadId, uploadId].toSorted());
    await expect(uploads.append(abandoned.uploadId, 0, bytes('x'))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('that an earlier run left behind is removed', async () => {
    await writeFile(join(folder, 'left'), 'x');
    const { uploadId } = await new Uploads(folder).begin({ name: 'new', bytes: 1 });
    expect(await readdir(folder)).toEqual([uploadId]);
  });
});
