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

describe('a group of uploads', () => {
  const send = async (groupId: string, name: string, text: string) => {
    const { uploadId } = await uploads.begin({ name, bytes: text.length, groupId });
    if (text !== '') await uploads.append(uploadId, 0, bytes(text));
    return uploadId;
  };

  it('is a folder of its files, all under safe names', async () => {
    const { groupId } = await uploads.beginGroup({ name: '../llama' });
    for (const name of ['config.json', '../../model.safetensors', 'empty']) {
      await send(groupId, name, name === 'empty' ? '' : name);
    }
    const group = uploads.takeGroup(groupId);
    expect(group.folder).toBe(join(folder, groupId, 'llama'));
    expect(group.files).toEqual(['config.json', 'model.safetensors', 'empty']);
    expect(await readFile(join(group.folder, 'config.json'), 'utf8')).toBe('config.json');
    expect((await readdir(group.folder)).toSorted()).toEqual(['config.json', 'empty', 'model.safetensors']);
    expect(() => uploads.takeGroup(groupId)).toThrow(/has ended/);
  });

  it('keeps the folders in it, and nothing leaves it', async () => {
    const { groupId } = await uploads.beginGroup({ name: 'notes' });
    const names = ['2024/may/a.md', '2024/june/a.md', '../.git/../../etc/passwd', 'C:\\x\\b'];
    for (const name of names) await send(groupId, name, name);
    const group = uploads.takeGroup(groupId);
    expect(group.files).toEqual(['2024/may/a.md', '2024/june/a.md', 'git/etc/passwd', 'C_/x/b']);
    const texts = group.files.map((file) => readFile(join(group.folder, file), 'utf8'));
    expect(await Promise.all(texts)).toEqual(names);
    expect(await readdir(folder)).toEqual([groupId]);
  });

  it('refuses a name twice, and cannot be taken before it is whole', async () => {
    const { groupId } = await uploads.beginGroup({ name: 'llama' });
    expect(() => uploads.takeGroup(groupId)).toThrow('No file has arrived.');
    const { uploadId } = await uploads.begin({ name: 'a', bytes: 2, groupId });
    await expect(send(groupId, './a', 'a')).rejects.toThrow('Two files of the folder are called a.');
    expect(() => uploads.takeGroup(groupId)).toThrow('a has not arrived as a whole.');
    await uploads.discard(uploadId);
    await send(groupId, 'a', 'a');
    expect(uploads.takeGroup(groupId).files).toEqual(['a']);
  });

  it('is removed as a whole: when it is discarded, and when it was left for an hour', async () => {
    const [first, second] = [
      await uploads.beginGroup({ name: 'one' }),
      await uploads.beginGroup({ name: 'two' }),
    ];
    await send(first.groupId, 'whole', 'x');
    await uploads.begin({ name: 'half', bytes: 2, groupId: first.groupId });
    await uploads.discardGroup(first.groupId);
    expect(await readdir(folder)).toEqual([second.groupId]);
    now += 60 * 60 * 1000 + 1;
    await uploads.begin({ name: 'later', bytes: 1 });
    expect(await readdir(folder)).not.toContain(second.groupId);
    await expect(send(second.groupId, 'a', 'a')).rejects.toThrow(/has ended/);
  });
});
