import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { browse } from '../../src/main/library/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-browse-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('browsing', () => {
  it('shows folders and GGUF files by name, hidden folders last', async () => {
    for (const name of ['model 10', 'Model 2', '.cache']) await mkdir(join(folder, name));
    for (const name of ['b.gguf', 'A.GGUF', 'notes.txt']) await writeFile(join(folder, name), name);
    expect(await browse(folder)).toEqual({
      path: folder,
      parent: tmpdir(),
      folders: ['Model 2', 'model 10', '.cache'],
      files: [
        { name: 'A.GGUF', bytes: 6 },
        { name: 'b.gguf', bytes: 6 },
      ],
    });
  });

  it('shows files of another kind where they are asked for', async () => {
    const names = ['a.gguf', 'b.safetensors', 'c.BIN', 'd.pth', 'e.zst', 'f.yaml', 'g.yml', 'h.txt', 'i.png'];
    for (const name of names) await writeFile(join(folder, name), '');
    const seen = async (show: 'weights' | 'text') =>
      (await browse(folder, { show })).files.map(({ name }) => name);
    expect(await seen('weights')).toEqual(names.slice(0, 7));
    expect(await seen('text')).toEqual(['h.txt']);
  });

  it.skipIf(process.platform === 'win32')(
    'follows links, and leaves out those that lead nowhere',
    async () => {
      await mkdir(join(folder, 'blobs'));
      await writeFile(join(folder, 'blobs', '1234'), 'weights');
      await symlink(join(folder, 'blobs', '1234'), join(folder, 'model.gguf'));
      await symlink(join(folder, 'blobs'), join(folder, 'linked'));
      await symlink(join(folder, 'nowhere'), join(folder, 'broken.gguf'));
      expect(await browse(folder)).toMatchObject({
        folders: ['blobs', 'linked'],
        files: [{ name: 'model.gguf', bytes: 7 }],
      });
    },
  );

  it("begins in the person's home, which ~ is, too", async () => {
    expect((await browse(null)).path).toBe(homedir());
    expect((await browse('~')).path).toBe(homedir());
  });

  it('ends at the root', async () => {
    const { root } = parse(folder);
    expect(await browse(root)).toMatchObject({ path: root, parent: null });
  });

  it('says when a folder is not there, is a file, or may not be read', async () => {
    await expect(browse(join(folder, 'none'))).rejects.toMatchObject({ code: 'file-missing' });
    await writeFile(join(folder, 'file'), '');
    await expect(browse(join(folder, 'file'))).rejects.toMatchObject({
      code: 'invalid-input',
      message: `${join(folder, 'file')} is not a folder.`,
    });
    // Nothing is forbidden to root, and Windows has no such bits.
    if (process.platform === 'win32' || process.getuid?.() === 0) return;
    await mkdir(join(folder, 'locked'));
    await chmod(join(folder, 'locked'), 0);
    await expect(browse(join(folder, 'locked'))).rejects.toMatchObject({
      code: 'invalid-input',
      message: /not allowed/,
    });
  });
});
