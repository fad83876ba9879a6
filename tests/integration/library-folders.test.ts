import { chmod, cp, mkdir, readdir, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GgufValue, readGguf, writeGguf } from '../../src/main/weights/formats/gguf.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { modelAt, Shelves } from '../support/shelves.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let shelves: Shelves;
const path = (...names: string[]) => join(temporary.folder, ...names);

beforeEach(async () => {
  temporary = await temporaryFolder();
  await mkdir(path('mine'));
  shelves = new Shelves(temporary.folder);
});
afterEach(async () => {
  await shelves.close();
  await temporary.remove();
});

const names = (models: readonly { name: string }[]) => models.map(({ name }) => name);

/** What is told when something happens by itself. */
const told = () => names(shelves.told.at(-1) ?? []);

async function addMine(): Promise<string[]> {
  await shelves.folders.add(path('mine'));
  await shelves.folders.settled();
  return names(await shelves.library.list());
}

describe('a folder that a person adds', () => {
  it('brings its models, adapters and Hugging Face folders into the library, from all folders in it', async () => {
    await modelAt(path('mine', 'publisher', 'big', 'Big.Q8_0.gguf'));
    await buildTinyAdapter(path('mine', 'voice.gguf'));
    await buildTinyFolder(path('mine', 'base'));
    await writeFile(path('mine', 'notes.gguf'), 'no model');
    await writeFile(path('mine', 'notes.txt'), 'no model');
    expect(await addMine()).toEqual(['Big.Q8_0', 'voice']);
    const [big, voice] = await shelves.library.list();
    expect(big).toMatchObject({ kind: 'model', origin: 'folder', architecture: 'llama', missing: false });
    expect(voice).toMatchObject({ kind: 'adapter', origin: 'folder' });
    const state = await shelves.folders.state();
    expect(state).toMatchObject({
      folders: [{ path: path('mine'), state: 'there', models: 3, isCut: false }],
      weights: [{ kind: 'weights', name: 'base', path: path('mine', 'base'), architecture: 'llama' }],
      reading: false,
    });
    // Nobody can chat with those.
    await expect(shelves.library.get(state.weights[0]?.id ?? 0)).rejects.toMatchObject({ code: 'not-found' });
    expect(shelves.states.at(-1)).toEqual(state);
  });

  it('is watched: what comes, goes and comes back is told', async () => {
    await addMine();
    const elsewhere = await modelAt(path('elsewhere.gguf'));
    await cp(elsewhere, path('mine', 'first.gguf'));
    await expect.poll(told, { timeout: 20_000 }).toEqual(['first']);
    await mkdir(path('mine', 'new', 'deeper'), { recursive: true });
    await cp(elsewhere, path('mine', 'new', 'deeper', 'second.gguf'));
    await expect.poll(told, { timeout: 20_000 }).toEqual(['first', 'second']);

    const missing = () => shelves.told.at(-1)?.map((model) => model.missing);
    await rename(path('mine', 'first.gguf'), path('away.gguf'));
    await expect.poll(missing, { timeout: 20_000 }).toEqual([true, false]);
    await rename(path('away.gguf'), path('mine', 'first.gguf'));
    await expect.poll(missing, { timeout: 20_000 }).toEqual([false, false]);
    expect(await shelves.library.list()).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it('that is gone, as a disk that is unplugged, keeps its models as missing, and gives them back', async () => {
    await modelAt(path('mine', 'model.gguf'), 3);
    await addMine();
    const [{ id = 0 } = {}] = await shelves.library.list();
    await shelves.library.rename(id, 'Mine');
    await shelves.library.tag(id, ['good']);
    await rename(path('mine'), path('unplugged'));
    const state = () => shelves.states.at(-1)?.folders[0]?.state;
    await expect.poll(state, { timeout: 20_000 }).toBe('missing');
    expect(await shelves.library.list()).toMatchObject([{ id, name: 'Mine', missing: true }]);
    // Such as the empty place where a disk is mounted.
    await mkdir(path('mine'));
    await expect.poll(state, { timeout: 20_000 }).toBe('there');
    expect(await shelves.library.list()).toMatchObject([{ id, missing: true }]);
    await rm(path('mine'), { recursive: true });
    await rename(path('unplugged'), path('mine'));
    const now = () => shelves.library.list();
    await expect.poll(now, { timeout: 20_000 }).toMatchObject([{ id, missing: false, tags: ['good'] }]);
    // And is watched again.
    await modelAt(path('mine', 'second.gguf'), 4);
    await expect.poll(told, { timeout: 20_000 }).toEqual(['Mine', 'second']);
  });

  it('keeps a model that is moved within it: conversations and tags stay with it', async () => {
    const file = await modelAt(path('mine', 'model-a.gguf'));
    await addMine();
    const [{ id = 0 } = {}] = await shelves.library.list();
    await shelves.library.tag(id, ['good']);
    await mkdir(path('mine', 'sorted'));
    await rename(file, path('mine', 'sorted', 'model-a.gguf'));
    expect(await shelves.look()).toMatchObject([
      { id, tags: ['good'], path: path('mine', 'sorted', 'model-a.gguf'), missing: false },
    ]);
  });

  it('reads a file again when it has changed, and one that was not whole when it is', async () => {
    const whole = await modelAt(path('whole.gguf'));
    await cp(whole, path('mine', 'coming.gguf'));
    await truncate(path('mine', 'coming.gguf'), 100_000);
    expect(await addMine()).toEqual([]);
    await cp(whole, path('mine', 'coming.gguf'));
    await expect.poll(told, { timeout: 20_000 }).toEqual(['coming']);
    await buildTinyModel(path('mine', 'coming.gguf'), { tensorType: 'Q8_0' });
    expect(await shelves.look()).toMatchObject([{ id: 1, quantization: 'Q8_0' }]);
  });

  it('tells of a model whose file has become unreadable what is wrong with it, until it can be read again', async () => {
    const file = await modelAt(path('mine', 'a.gguf'));
    await cp(file, path('whole.gguf'));
    await addMine();
    await truncate(file, 100_000);
    expect(await shelves.look()).toMatchObject([{ id: 1, missing: false, broken: { code: 'file-damaged' } }]);
    await cp(path('whole.gguf'), file);
    expect(await shelves.look()).toMatchObject([{ id: 1, broken: null }]);
  });

  it('takes its models away when it is removed, and gives them back as they were', async () => {
    const file = await modelAt(path('mine', 'a.gguf'));
    await addMine();
    await shelves.library.rename(1, 'Mine');
    const { folders } = await shelves.folders.state();
    expect(await shelves.folders.remove(folders[0]?.id ?? 0)).toMatchObject({ folders: [] });
    expect(await shelves.library.list()).toEqual([]);
    expect((await stat(file)).isFile()).toBe(true);
    expect(await addMine()).toEqual(['Mine']);
    await expect(shelves.folders.remove(99)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('does not bring back what a person took off the list, until it is added by itself or comes anew', async () => {
    const file = await modelAt(path('mine', 'a.gguf'));
    await addMine();
    shelves.library.remove(1);
    expect(await shelves.look()).toEqual([]);
    await shelves.library.add({ path: file });
    expect(names(await shelves.look())).toEqual(['a']);
    shelves.library.remove(2);
    await rm(file);
    await shelves.look();
    await modelAt(file);
    expect(names(await shelves.look())).toEqual(['a']);
  });

  it('has each file once, through whichever links and folders it is found', async () => {
    const file = await modelAt(path('mine', 'store', 'a.gguf'));
    await symlink(file, path('mine', 'link.gguf'));
    await symlink(path('mine', 'store'), path('mine', 'folder-link'));
    await symlink(path('mine'), path('mine', 'store', 'circle'));
    await symlink(path('nowhere.gguf'), path('mine', 'broken.gguf'));
    expect(await addMine()).toHaveLength(1);
    await shelves.folders.add(path('mine', 'store'));
    await shelves.folders.settled();
    const before = shelves.told.length;
    expect(await shelves.look()).toHaveLength(1);
    expect(shelves.told).toHaveLength(before);
    const { folders } = await shelves.folders.state();
    expect(folders).toHaveLength(2);
  });

  it('takes a split model by its first part, once the others are there', async () => {
    const whole = await readGguf(await modelAt(path('whole.gguf')));
    const part = async (number: number) => {
      const own: [string, GgufValue][] = [
        ['split.no', { type: 'uint16', value: number - 1 }],
        ['split.count', { type: 'uint16', value: 2 }],
      ];
      const file = path('mine', `big-0000${number}-of-00002.gguf`);
      const norm = { name: `norm.${number}`, type: 'F32', shape: [8], data: new Uint8Array(32) } as const;
      await writeGguf(file, {
        metadata: new Map([...(number === 1 ? whole.metadata : []), ...own]),
        tensors: [norm],
      });
    };
    await part(1);
    expect(await addMine()).toEqual([]);
    await part(2);
    await expect.poll(told, { timeout: 20_000 }).toEqual(['big']);
    expect(await shelves.library.list()).toMatchObject([{ parameters: 16 }]);
  });

  it('leaves out what cannot be chatted with, hidden folders, and deltas', async () => {
    await modelAt(path('mine', '.trash', 'a.gguf'));
    await modelAt(path('mine', 'vicuna-delta.gguf'));
    expect(await addMine()).toEqual([]);
  });

  it('is refused if it is a file, not there, or Puna’s own', async () => {
    const file = await modelAt(path('a.gguf'));
    await shelves.look();
    const refused = (folder: string) => expect(shelves.folders.add(folder)).rejects;
    await refused(file).toMatchObject({ code: 'invalid-input', message: `${file} is a file.` });
    await refused(path('none')).toMatchObject({ code: 'file-missing' });
    await refused(shelves.own.models).toMatchObject({ code: 'invalid-input' });
    expect((await shelves.folders.state()).folders).toEqual([]);
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'says so if it may not be read',
    async () => {
      await chmod(path('mine'), 0);
      await addMine();
      expect(await shelves.folders.state()).toMatchObject({ folders: [{ state: 'unreadable' }] });
      await chmod(path('mine'), 0o755);
    },
  );

  it('of two thousand files is looked through without reading any of them twice', async () => {
    const file = await modelAt(path('one.gguf'));
    const folders = Array.from({ length: 20 }, (_, index) => path('mine', `folder ${index}`));
    for (const folder of folders) {
      await mkdir(folder);
      // What cannot be used is not read again either.
      await Promise.all(
        Array.from({ length: 100 }, (_, index) => writeFile(join(folder, `${index}.gguf`), 'text')),
      );
    }
    await cp(file, path('mine', 'folder 7', 'model-7.gguf'));
    expect(await addMine()).toEqual(['model-7']);
    await cp(file, path('mine', 'folder 3', 'model-3.gguf'));
    await expect.poll(told, { timeout: 60_000 }).toEqual(['model-3', 'model-7']);
    await shelves.look();
    expect(shelves.read).toHaveLength(2002);
    expect(new Set(shelves.read).size).toBe(2002);
  });
});

describe("Puna's own folders", () => {
  it('are made, looked through and watched', async () => {
    await shelves.look();
    await modelAt(join(shelves.own.models, 'maker', 'a.gguf'));
    await expect.poll(told, { timeout: 20_000 }).toEqual(['a']);
    expect(await shelves.library.list()).toMatchObject([{ origin: 'puna' }]);
  });

  it('tell where a model lies that was added before they were looked through', async () => {
    const own = await modelAt(join(shelves.own.models, 'a.gguf'));
    // As a version of Puna has left it that kept less.
    const { id } = await shelves.library.add({ path: own });
    shelves.database.exec(
      `UPDATE models SET origin = 'file', real_path = NULL, file_bytes = NULL, modified_at = NULL`,
    );
    expect(await shelves.look()).toMatchObject([{ id, origin: 'puna' }]);
  });

  it('leave out what training runs have written: runs add it themselves', async () => {
    await mkdir(shelves.own.adapters, { recursive: true });
    const adapter = await buildTinyAdapter(join(shelves.own.adapters, 'notes 2026-01-31 1.gguf'));
    for (const other of ['notes 2026-01-31 1-last.gguf', 'notes 2026-01-31 1.sample-40.gguf']) {
      await cp(adapter, join(shelves.own.adapters, other));
    }
    await buildTinyAdapter(join(shelves.own.adapters, 'given.gguf'));
    shelves.database
      .prepare(
        `INSERT INTO training_runs (name, state, model_name, model_path, data, settings, losses, validations, notes,
           adapter_path, created_at) VALUES ('', 'running', '', '', '[]', '{}', '[]', '[]', '[]', ?, 0)`,
      )
      .run(adapter);
    expect(names(await shelves.look())).toEqual(['given']);
    expect(await readdir(dirname(adapter))).toHaveLength(4);
    expect((await shelves.library.add({ path: adapter })).origin).toBe('puna');
    expect(names(await shelves.look())).toEqual(['given', basename(adapter, '.gguf')]);
  });
});
