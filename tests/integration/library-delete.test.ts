import { access, chmod, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import moveToTrash from 'trash';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deleteModelFiles } from '../../src/main/library/index.ts';
import { temporaryFolder } from '../support/shell.ts';
import { modelAt } from '../support/shelves.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (...names: string[]) => join(temporary.folder, ...names);
const own = (...names: string[]) => path('data', 'models', ...names);

beforeEach(async () => {
  temporary = await temporaryFolder();
  await mkdir(own(), { recursive: true });
  await mkdir(path('trash'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await temporary.remove();
});

/** A trash of the test's own. */
const trash = (file: string) => rename(file, path('trash', basename(file)));

interface How {
  forGood?: boolean;
  kind?: 'model' | 'weights';
  items?: { path: string; name: string }[];
}

function remove(file: string, { forGood = false, kind = 'model', items = [] }: How = {}): Promise<void> {
  return deleteModelFiles(
    { path: file, kind },
    { ownFolders: [own(), path('data', 'adapters')], items, trash: forGood ? null : trash },
  );
}

const isThere = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

describe("a model's files in Puna's own folders", () => {
  it('go to the trash, with the folders that are empty then', async () => {
    const file = await modelAt(own('maker', 'one', 'one.gguf'));
    await modelAt(own('other.gguf'));
    await remove(file);
    expect(await readdir(path('trash'))).toEqual(['one.gguf']);
    expect(await readdir(own())).toEqual(['other.gguf']);
  });

  it('are removed for good where a person wants that', async () => {
    await remove(await modelAt(own('one.gguf')), { forGood: true });
    await buildTinyFolder(own('base'));
    await remove(own('base'), { kind: 'weights', forGood: true });
    expect(await readdir(own())).toEqual([]);
    expect(await readdir(path('trash'))).toEqual([]);
  });

  it('are deleted with no other model that lies in their folder', async () => {
    await buildTinyFolder(own('maker', 'base'));
    const items = [
      { path: own('maker', 'base'), name: 'Base' },
      { path: await modelAt(own('maker', 'base', 'small.gguf')), name: 'Small' },
    ];
    for (const forGood of [true, false]) {
      await expect(remove(own('maker', 'base'), { kind: 'weights', forGood, items })).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('Small') as string,
      });
    }
    expect(await isThere(own('maker', 'base', 'config.json'))).toBe(true);
    await remove(own('maker', 'base', 'small.gguf'), { items });
    await remove(own('maker', 'base'), { kind: 'weights', items: items.slice(0, 1) });
    expect(await readdir(own())).toEqual([]);
  });

  it('stay where the trash does not take them', async () => {
    const file = await modelAt(own('one.gguf'));
    const refuse = (trashing: (file: string) => Promise<void>) =>
      expect(
        deleteModelFiles({ path: file, kind: 'model' }, { ownFolders: [own()], items: [], trash: trashing }),
      ).rejects;
    await refuse(() => Promise.reject(new Error('No trash.'))).toMatchObject({ code: 'no-trash' });
    await refuse(async () => undefined).toMatchObject({
      code: 'no-trash',
      message: `The system's trash does not take ${file}.`,
    });
    expect(await isThere(file)).toBe(true);
  });

  it('are not said to be removable for good where that would fail just as well', async () => {
    const failing = async (file: string, trashing: () => Promise<void>): Promise<unknown> =>
      deleteModelFiles({ path: file, kind: 'model' }, { ownFolders: [own()], trash: trashing }).catch(
        (thrown: unknown) => thrown,
      );
    const used = await failing(await modelAt(own('used.gguf')), () =>
      Promise.reject(Object.assign(new Error('In use.'), { code: 'EBUSY' })),
    );
    expect(used).toMatchObject({
      code: 'invalid-input',
      message: `Another program uses ${own('used.gguf')}.`,
    });
    const going = await modelAt(own('going.gguf'));
    const gone = await failing(going, async () => {
      await rm(going);
      throw new Error('There is no such file.');
    });
    expect(gone).toMatchObject({ code: 'file-missing' });
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'are not said to be removable for good in a folder that may not be changed',
    async () => {
      const file = await modelAt(own('fixed', 'one.gguf'));
      await chmod(own('fixed'), 0o500);
      const options = { ownFolders: [own()], trash: () => Promise.reject(new Error('Not allowed.')) };
      await expect(deleteModelFiles({ path: file, kind: 'model' }, options)).rejects.toMatchObject({
        code: 'invalid-input',
        message: `Puna is not allowed to use ${file}.`,
      });
      await chmod(own('fixed'), 0o700);
    },
  );

  it('lose a link alone: what it leads to stays', async () => {
    const foreign = await modelAt(path('elsewhere', 'one.gguf'));
    await symlink(foreign, own('link.gguf'));
    await remove(own('link.gguf'), { forGood: true });
    expect(await readdir(own())).toEqual([]);
    expect(await isThere(foreign)).toBe(true);
  });
});

describe("files that are not Puna's", () => {
  it.each(['for good', 'to the trash'])('are never deleted %s', async (how) => {
    const foreign = await modelAt(path('elsewhere', 'one.gguf'));
    await symlink(dirname(foreign), own('linked-folder'));
    await modelAt(path('data', 'models-of-others', 'two.gguf'));
    const refused = [
      foreign,
      own('linked-folder', 'one.gguf'),
      path('data', 'models-of-others', 'two.gguf'),
      own('..', '..', 'elsewhere', 'one.gguf'),
    ];
    for (const file of refused) {
      await expect(remove(file, { forGood: how === 'for good' })).rejects.toMatchObject({
        code: 'invalid-input',
      });
      expect(await isThere(file)).toBe(true);
    }
    await expect(remove(own(), { kind: 'weights', forGood: true })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });
});

it.skipIf(process.platform !== 'linux')("the browser shell's trash is that of freedesktop.org", async () => {
  vi.stubEnv('XDG_DATA_HOME', path('share'));
  const file = await modelAt(own('a [b] *.gguf'));
  await deleteModelFiles(
    { path: file, kind: 'model' },
    { ownFolders: [own()], items: [], trash: (one) => moveToTrash(one, { glob: false }) },
  );
  expect(await isThere(file)).toBe(false);
  expect(await readdir(path('share', 'Trash'))).toEqual(expect.arrayContaining(['files', 'info']));
  expect(await readdir(path('share', 'Trash', 'files'))).toHaveLength(1);
});
