import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseShardIndex } from '../../src/main/weights/formats/index-file.ts';
import { openShards } from '../../src/main/weights/formats/shard-index.ts';
import { describeTensors, pytorchSays, tensorFixture } from '../support/tensor-files.ts';

const firstShard = 'model-00001-of-00002.safetensors';
const secondShard = 'model-00002-of-00002.safetensors';
const indexName = 'model.safetensors.index.json';

let folder = '';
let copies = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-shards-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A copy of a folder of fixtures, with the index replaced. */
async function copyOf(fixture: string, index?: object): Promise<string> {
  const copy = join(folder, `copy-${copies++}`);
  await cp(tensorFixture(fixture), copy, { recursive: true });
  if (index) await writeFile(join(copy, indexName), JSON.stringify(index));
  return copy;
}

/** A new folder with single fixtures under other names. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const made = join(folder, `made-${copies++}`);
  await mkdir(made);
  for (const [name, fixture] of Object.entries(files)) await cp(tensorFixture(fixture), join(made, name));
  return made;
}

const map = { a: firstShard, b: firstShard, c: secondShard };

describe('a folder of a model in several files', () => {
  it.each(['safetensors', 'pytorch'] as const)('is one collection of tensors (%s)', async (format) => {
    await using shards = await openShards(tensorFixture(`sharded-${format}`));
    expect(await describeTensors(shards)).toEqual(pytorchSays[`sharded-${format}`]);
    expect(shards).toMatchObject({ format, warnings: [] });
    expect(shards.files).toHaveLength(2);
  });

  it('says, as no error, that its index counts other bytes', async () => {
    const copy = await copyOf('sharded-safetensors', { metadata: { total_size: 72 }, weight_map: map });
    await using shards = await openShards(copy);
    expect(shards.warnings).toEqual([
      `${join(copy, indexName)} counts 72 bytes of tensors, and its files have 36.`,
    ]);
  });

  it('can be in a cache of Hugging Face, whose files are links', async () => {
    const copy = await copyOf('sharded-safetensors');
    const snapshot = join(folder, 'cache', 'snapshots', '0123');
    await mkdir(join(folder, 'cache', 'blobs'), { recursive: true });
    await mkdir(snapshot, { recursive: true });
    for (const name of [firstShard, secondShard, indexName]) {
      await rename(join(copy, name), join(folder, 'cache', 'blobs', `blob-${name}`));
      await symlink(`../../blobs/blob-${name}`, join(snapshot, name));
    }
    await using shards = await openShards(snapshot);
    expect(await describeTensors(shards)).toEqual(pytorchSays['sharded-safetensors']);
  });

  it.each<[what: string, weightMap: Record<string, string>, sentence: string]>([
    ['lacks a tensor', { ...map, d: firstShard }, 'it lacks the tensor "d", which its index'],
    [
      'has one that the index does not name',
      { a: firstShard, c: secondShard },
      'it has the tensor "b", which its index',
    ],
    [
      'has one that the index places elsewhere',
      { ...map, b: secondShard },
      'it has the tensor "b", which its index',
    ],
    ['is missing', { ...map, c: 'model-3.safetensors' }, 'There is no file or folder'],
  ])('is refused if a file of it %s', async (_, weight_map, sentence) => {
    await expect(openShards(await copyOf('sharded-safetensors', { weight_map }))).rejects.toMatchObject({
      ...{ name: 'PunaError', message: expect.stringContaining(sentence) as string },
    });
  });

  it('is refused if a file of it is a link out of it', async () => {
    const copy = await copyOf('sharded-safetensors');
    await rename(join(copy, secondShard), join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), join(copy, secondShard));
    await expect(openShards(copy)).rejects.toThrow(
      `the file "${secondShard}" that it names is a link out of its folder`,
    );
  });
});

describe('a folder with a model in one file', () => {
  it('is read from safetensors rather than PyTorch, whatever else is there', async () => {
    const made = await folderOf({
      ...{ 'model.safetensors': 'types.safetensors', 'pytorch_model.bin': 'views.bin' },
      ...{ 'optimizer.pt': 'checkpoint.pt', 'other.safetensors': 'types.safetensors' },
    });
    await using shards = await openShards(made);
    expect(shards).toMatchObject({ format: 'safetensors', files: [join(made, 'model.safetensors')] });
    expect(await describeTensors(shards)).toEqual(pytorchSays['types.safetensors']);
  });

  it.each<[name: string, fixture: string]>([
    ['adapter_model.safetensors', 'types.safetensors'],
    ['model.safetensors.zst', 'types.safetensors.zst'],
    ['pytorch_model.bin', 'types-2.bin'],
    ['consolidated.00.pth', 'types-2.bin'],
  ])('may have it as %s', async (name, fixture) => {
    const made = await folderOf({
      [name]: fixture,
      'optimizer.pt': 'checkpoint.pt',
      'training_args.bin': 'command-2.bin',
    });
    await using shards = await openShards(made);
    expect(shards.files).toEqual([join(made, name)]);
    expect(await describeTensors(shards)).toEqual(pytorchSays[fixture]);
  });

  it.each<[what: string, files: Record<string, string>, sentence: string]>([
    ['no model', { 'config.json': 'expected.json' }, 'has no model in safetensors or PyTorch files.'],
    [
      'several',
      { 'a.bin': 'types-2.bin', 'b.bin': 'types-2.bin' },
      'several files that could be the model, such as "a.bin" and "b.bin".',
    ],
  ])('is refused with %s', async (_, files, sentence) => {
    await expect(openShards(await folderOf(files))).rejects.toMatchObject({
      ...{ code: 'invalid-input', message: expect.stringContaining(sentence) as string },
    });
  });

  it('that is not there is refused', async () => {
    await expect(openShards(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'file-missing' });
  });
});

describe('an index', () => {
  const parse = (json: string) => parseShardIndex(Buffer.from(json), 'index');

  it.each([
    ...['../a', 'a/b', '/a', 'a\\b', '..', '.', '', 'C:a', 'a\0', 'a\n', 'nul', 'COM1.bin', 'x'.repeat(256)],
  ])('that names the file %j is refused', (name) => {
    expect(() => parse(JSON.stringify({ weight_map: { a: name } }))).toThrow(
      /^index is damaged: it names the file ".*", which is no plain name of a file beside it\.$/,
    );
  });

  it.each<[what: string, json: string, sentence: string]>([
    ['that is no JSON', '{"weight_map":', 'index is damaged: the index is not valid JSON.'],
    ['without a map', '{"metadata":{}}', 'it has no sound list of tensors and files (weight_map)'],
    [
      'with a list of files',
      '{"weight_map":["a"]}',
      'it has no sound list of tensors and files (weight_map)',
    ],
    [
      'with a number as a file',
      '{"weight_map":{"a":1}}',
      'it has no sound list of tensors and files (weight_map.a)',
    ],
    ['with a size that is none', '{"metadata":{"total_size":-1},"weight_map":{}}', '(metadata.total_size)'],
    ['with a tensor twice', '{"weight_map":{"a":"x","a":"y"}}', 'the index has the name "a" twice'],
  ])('%s is refused', (_, json, sentence) => {
    expect(() => parse(json)).toThrow(sentence);
  });
});
