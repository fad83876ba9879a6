import type Database from 'better-sqlite3';
import { copyFile, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { getLlama } from 'node-llama-cpp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/main/history/index.ts';
import { Library } from '../../src/main/library/index.ts';
import {
  type GgufToWrite,
  type GgufValue,
  readGguf,
  writeGguf,
} from '../../src/main/weights/formats/gguf.ts';
import {
  automaticLoadSettings,
  type Model,
  modelDetailsSchema,
  modelSchema,
} from '../../src/shared/contract/index.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let database: Database.Database;
let library: Library;
let told: Model[][];
const path = (...names: string[]) => join(temporary.folder, ...names);

beforeEach(async () => {
  temporary = await temporaryFolder();
  database = openDatabase(path('puna.db'));
  told = [];
  library = new Library({
    database,
    modelsFolder: path('models'),
    now: () => 1_700_000_000_000,
    onChange: (models) => told.push(models),
  });
});
afterEach(async () => {
  // What is told after the last change is still being found out.
  await library.list();
  database.close();
  await temporary.remove();
});

/** A copy of a file with other metadata, and its tensors' numbers as they are. */
async function rewrite(
  from: string,
  to: string,
  changes: Record<string, GgufValue | null>,
  tensors?: GgufToWrite['tensors'],
) {
  const { metadata } = await readGguf(from);
  const changed = new Map(metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value) changed.set(key, value);
    else changed.delete(key);
  }
  await writeGguf(to, { metadata: changed, tensors: tensors ?? [norm('output_norm.weight')] });
  return to;
}

const norm = (name: string) => ({ name, type: 'F32', shape: [8], data: new Uint8Array(32) }) as const;
const text = (value: string): GgufValue => ({ type: 'string', value });

describe('adding a file', () => {
  it('tells what it is, and tells everybody', async () => {
    const file = await buildTinyModel(path('My model.gguf'), { tensorType: 'Q8_0' });
    const model = await library.add({ path: file });
    expect(modelSchema.parse(model)).toEqual({
      ...{ id: 1, kind: 'model', name: 'My model', path: file, bytes: (await readGguf(file)).bytes },
      ...{ architecture: 'llama', parameters: expect.any(Number), quantization: 'Q8_0', contextLength: 2048 },
      ...{
        hasChatTemplate: true,
        ...{ license: null, origin: 'file', tags: [], verified: null, broken: null },
        loadSettings: automaticLoadSettings,
        missing: false,
        server: null,
        addedAt: 1_700_000_000_000,
      },
    });
    expect(await library.list()).toEqual([model]);
    await expect.poll(() => told).toEqual([[model]]);
  });

  it('knows an adapter', async () => {
    const model = await library.add({ path: await buildTinyAdapter(path('adapter.gguf')) });
    expect(model).toMatchObject({ kind: 'adapter', architecture: 'llama', hasChatTemplate: false });
  });

  it('a second time reads it anew, and keeps what a person has set', async () => {
    const file = await buildTinyModel(path('model.gguf'), { tensorType: 'F32' });
    const { id } = await library.add({ path: file });
    await library.rename(id, 'Mine');
    await library.configure(id, { contextSize: 1024, gpuLayers: null, threads: 2 });
    await buildTinyModel(file, { tensorType: 'Q8_0', chatTemplate: null });
    expect(await library.add({ path: file })).toMatchObject({
      ...{ id, name: 'Mine', quantization: 'Q8_0', hasChatTemplate: false },
      loadSettings: { contextSize: 1024, gpuLayers: null, threads: 2 },
    });
    expect(await library.list()).toHaveLength(1);
  });

  it('takes files beyond four gigabytes', async () => {
    const file = await buildTinyModel(path('large.gguf'));
    const bytes = 5 * 2 ** 30;
    const handle = await open(file, 'r+');
    await handle.truncate(bytes);
    await handle.close();
    expect(await library.add({ path: file })).toMatchObject({ bytes });
  });

  it('refuses what is no GGUF file, damaged or missing, and remembers nothing of it', async () => {
    await writeFile(path('text.gguf'), 'Once upon a time');
    await expect(library.add({ path: path('text.gguf') })).rejects.toMatchObject({
      code: 'not-gguf',
      message: `${path('text.gguf')} is not a GGUF file.`,
    });
    const whole = await buildTinyModel(path('cut.gguf'));
    const handle = await open(whole, 'r+');
    await handle.truncate(100_000);
    await handle.close();
    await expect(library.add({ path: whole })).rejects.toMatchObject({ code: 'file-damaged' });
    await expect(library.add({ path: path('none.gguf') })).rejects.toMatchObject({ code: 'file-missing' });
    expect(await library.list()).toEqual([]);
  });

  it.each<[string, Record<string, GgufValue | null>, RegExp]>([
    [
      'an unknown architecture',
      { 'general.architecture': text('mammoth') },
      /has the architecture "mammoth", which this/,
    ],
    ['no architecture', { 'general.architecture': null }, /does not say of what architecture/],
    [
      'an embedding model',
      { 'general.architecture': text('nomic-bert') },
      /is an embedding model.*\(nomic-bert\)/,
    ],
    ['a projector', { 'general.architecture': text('clip') }, /is a projector/],
    [
      'another kind of adapter',
      { 'general.type': text('adapter'), 'adapter.type': text('ia3') },
      /of the type "ia3"/,
    ],
  ])('refuses %s', async (_, changes, message) => {
    const file = await rewrite(await buildTinyModel(path('model.gguf')), path('other.gguf'), changes);
    await expect(library.add({ path: file })).rejects.toMatchObject({ code: 'unsupported-model', message });
  });

  it('refuses a mere vocabulary', async () => {
    const file = await rewrite(await buildTinyModel(path('model.gguf')), path('vocabulary.gguf'), {}, []);
    await expect(library.add({ path: file })).rejects.toMatchObject({
      code: 'unsupported-model',
      message: /no weights/,
    });
  });
});

describe('an upload', () => {
  const upload = async (build = buildTinyModel) => {
    await build(path('1234'));
    return path('1234');
  };

  it('moves into the folder of models under its own name, with a number where that is taken', async () => {
    const first = await library.add({ uploadPath: await upload(), name: 'model.gguf' });
    const second = await library.add({ uploadPath: await upload(), name: 'model.gguf' });
    expect([first.path, second.path]).toEqual([
      path('models', 'model.gguf'),
      path('models', 'model (2).gguf'),
    ]);
    expect(first.id).not.toBe(second.id);
    expect((await readdir(temporary.folder)).includes('1234')).toBe(false);
  });

  it('that is no model is removed, and called by its own name', async () => {
    await writeFile(path('1234'), 'text');
    await expect(library.add({ uploadPath: path('1234'), name: 'notes.txt' })).rejects.toMatchObject({
      code: 'not-gguf',
      message: 'notes.txt is not a GGUF file.',
    });
    expect((await readdir(temporary.folder)).includes('1234')).toBe(false);
  });
});

describe('a split model', () => {
  /** Three parts as llama.cpp's own splitter writes them: all metadata in the first, tensors in turns. */
  async function split(stem: string): Promise<string[]> {
    const whole = await buildTinyModel(path('whole.gguf'));
    const { metadata, tensors, dataOffset } = await readGguf(whole);
    const handle = await open(whole);
    const parts = [];
    for (let part = 0; part < 3; part++) {
      const file = path(`${stem}-0000${part + 1}-of-00003.gguf`);
      const own: [string, GgufValue][] = [
        ['split.no', { type: 'uint16', value: part }],
        ['split.count', { type: 'uint16', value: 3 }],
        ['split.tensors.count', { type: 'int32', value: tensors.length }],
      ];
      const mine = tensors.filter((_, index) => index % 3 === part);
      await writeGguf(file, {
        metadata: new Map([...(part === 0 ? metadata : []), ...own]),
        tensors: await Promise.all(
          mine.map(async ({ name, type, shape, offset, bytes }) => {
            const data = Buffer.alloc(bytes);
            await handle.read(data, 0, bytes, dataOffset + offset);
            return { name, type: type.name, shape, data };
          }),
        ),
      });
      parts.push(file);
    }
    await handle.close();
    return parts;
  }

  it('is added by its first part, as one model, which llama.cpp loads', async () => {
    const [first = '', second = '', third = ''] = await split('big');
    const whole = await library.add({ path: path('whole.gguf') });
    const model = await library.add({ path: first });
    const sizes = await Promise.all([first, second, third].map(async (part) => (await readGguf(part)).bytes));
    expect(model).toMatchObject({
      ...{ name: 'big', path: first, parameters: whole.parameters },
      bytes: sizes.reduce((sum, bytes) => sum + bytes),
    });
    expect((await library.details(model.id)).tensors).toHaveLength(21);
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 });
    const loaded = await llama.loadModel({ modelPath: first });
    expect(loaded.trainContextSize).toBe(2048);
    await llama.dispose();
  });

  it('is refused by another part, with the name of the first one', async () => {
    const [first = '', second = ''] = await split('big');
    await expect(library.add({ path: second })).rejects.toMatchObject({
      code: 'invalid-input',
      message: `${second} is part 2 of 3 of a model.`,
      remedy: `Choose its first part, ${basename(first)}.`,
    });
  });

  it('is refused when a part is missing, or the names are not those of parts', async () => {
    const [first = '', second = ''] = await split('big');
    await copyFile(first, path('renamed.gguf'));
    await expect(library.add({ path: path('renamed.gguf') })).rejects.toMatchObject({
      code: 'invalid-input',
      remedy: /-00001-of-00003\.gguf/,
    });
    await rm(second);
    await expect(library.add({ path: first })).rejects.toMatchObject({
      code: 'file-missing',
      message: `Part 2 of 3 of this model is missing: ${basename(second)}.`,
    });
  });

  it('cannot be uploaded part by part', async () => {
    const [first = ''] = await split('big');
    await expect(library.add({ uploadPath: first, name: basename(first) })).rejects.toMatchObject({
      code: 'invalid-input',
      message: /is part 1 of 3 of a model/,
    });
  });
});

describe('a model of the library', () => {
  it('is missing while its file is gone', async () => {
    const { id, path: file } = await library.add({ path: await buildTinyModel(path('model.gguf')) });
    await rename(file, path('elsewhere.gguf'));
    expect(await library.get(id)).toMatchObject({ missing: true });
    await expect(library.details(id)).rejects.toMatchObject({ code: 'file-missing' });
    await rename(path('elsewhere.gguf'), file);
    expect(await library.list()).toMatchObject([{ missing: false }]);
  });

  it('shows everything that its file says', async () => {
    const { id } = await library.add({ path: await buildTinyModel(path('model.gguf')) });
    const details = modelDetailsSchema.parse(await library.details(id));
    expect(details.metadata).toContainEqual({ key: 'general.name', type: 'string', value: 'Tiny' });
    expect(details.tensors).toContainEqual({ name: 'blk.1.attn_k.weight', type: 'F32', shape: [64, 32] });
  });

  it('is forgotten when it is removed, and its file stays', async () => {
    const { id, path: file } = await library.add({ path: await buildTinyModel(path('model.gguf')) });
    library.remove(id);
    expect(await library.list()).toEqual([]);
    expect((await readdir(temporary.folder)).includes(basename(file))).toBe(true);
    await expect.poll(() => told.at(-1)).toEqual([]);
  });

  it('never gets the number of one that was removed, which conversations may still name', async () => {
    const file = await buildTinyModel(path('model.gguf'));
    const { id } = await library.add({ path: file });
    library.remove(id);
    expect((await library.add({ path: file })).id).not.toBe(id);
  });

  it('that is not there is said to be gone', async () => {
    const gone = { code: 'not-found' };
    await expect(library.get(99)).rejects.toMatchObject(gone);
    await expect(library.details(99)).rejects.toMatchObject(gone);
    await expect(library.rename(99, 'x')).rejects.toMatchObject(gone);
    await expect(library.configure(99, automaticLoadSettings)).rejects.toMatchObject(gone);
    expect(() => library.remove(99)).toThrow(expect.objectContaining(gone));
  });
});
