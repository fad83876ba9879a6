import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildTinyAdapter } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { cached, modelAt, pulled, sha256Of, Shelves } from '../support/shelves.ts';
import { buildTinyFolder } from '../support/tiny-folder.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let shelves: Shelves;
const path = (...names: string[]) => join(temporary.folder, ...names);
const home = (...names: string[]) => path('home', ...names);

beforeEach(async () => {
  temporary = await temporaryFolder();
  shelves = new Shelves(temporary.folder);
});
afterEach(async () => {
  await shelves.close();
  await temporary.remove();
});

const hub = () => home('.cache', 'huggingface', 'hub');
const ollama = () => home('.ollama', 'models');

/** All files below a folder with their content and times: what must stay as it is. */
async function everything(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).toSorted();
  const hash = createHash('sha256');
  for (const name of names) {
    const found = await stat(join(folder, name));
    hash.update(`${name} ${found.mtimeMs} ${found.mode}`);
    if (found.isFile()) hash.update(await readFile(join(folder, name)));
  }
  return hash.digest('hex');
}

/** Downloads of all programs, each a model of its own. */
async function fillHome(): Promise<void> {
  await cached(hub(), {
    ...{ repository: 'maker/Hub-GGUF', commit: 'c1', file: 'Q8_0/Hub.Q8_0.gguf' },
    from: await modelAt(path('1'), 1),
  });
  await modelAt(home('.lmstudio', 'models', 'maker', 'Studio-GGUF', 'Studio.gguf'), 2);
  const jan = home('.config', 'Jan', 'data', 'llamacpp', 'models', 'maker', 'Jan-one');
  await modelAt(join(jan, 'model.gguf'), 3);
  await writeFile(
    join(jan, 'model.yml'),
    `model_path: llamacpp/models/maker/Jan-one/model.gguf\nname: Jan one\nmodel_sha256: ${await sha256Of(join(jan, 'model.gguf'))}\n`,
  );
  await modelAt(home('.local', 'share', 'nomic.ai', 'GPT4All', 'For-all.gguf'), 4);
  await pulled(ollama(), {
    name: ['registry.ollama.ai', 'library', 'pulled', '1b'],
    from: await modelAt(path('5'), 5),
  });
}

describe('what other programs have downloaded', () => {
  it('is counted, and in the library only when that is wanted; nothing of it is touched', async () => {
    await fillHome();
    const before = await everything(home());
    expect(await shelves.look()).toEqual([]);
    const { downloaded } = await shelves.folders.state();
    expect(downloaded.map(({ program, models }) => [program, models])).toEqual([
      ['hugging-face', 1],
      ['lm-studio', 1],
      ['jan', 1],
      ['gpt4all', 1],
      ['ollama', 1],
    ]);
    expect(downloaded[4]?.bytes).toBeGreaterThan(100_000);

    const models = await shelves.show(true);
    expect(models.map(({ name, origin, kind }) => [name, origin, kind])).toEqual([
      ['For-all', 'gpt4all', 'model'],
      ['Hub.Q8_0', 'hugging-face', 'model'],
      ['Jan one', 'jan', 'model'],
      ['pulled:1b', 'ollama', 'model'],
      ['Studio', 'lm-studio', 'model'],
    ]);
    // As publishers call them, or, where they give no name, by the hash that the program keeps.
    for (const { id } of models.filter(({ origin }) => ['hugging-face', 'jan', 'ollama'].includes(origin))) {
      expect(await shelves.verify(id)).toMatchObject({ result: 'confirmed' });
    }
    await shelves.library.tag(models[0]?.id ?? 0, ['mine']);
    expect(await shelves.show(false)).toEqual([]);
    expect(await shelves.library.get(models[0]?.id ?? 0)).toMatchObject({ tags: ['mine'] });
    expect((await shelves.show(true)).map(({ id }) => id)).toEqual(models.map(({ id }) => id));
    expect(await everything(home())).toBe(before);
  });

  it('comes and goes by itself', async () => {
    await shelves.show(true);
    const told = () => shelves.told.at(-1)?.map(({ name, missing }) => [name, missing]);
    const blob = await pulled(ollama(), {
      name: ['hf.co', 'maker', 'model', 'Q4_K_M'],
      from: await modelAt(path('a')),
    });
    await expect.poll(told, { timeout: 20_000 }).toEqual([['hf.co/maker/model:Q4_K_M', false]]);
    await rm(blob);
    await expect.poll(told, { timeout: 20_000 }).toEqual([['hf.co/maker/model:Q4_K_M', true]]);
  });

  it('is once in the library, though programs share it, and belongs to whom a person has given it', async () => {
    const shared = await modelAt(home('.lmstudio', 'models', 'maker', 'one', 'one.gguf'));
    await mkdir(home('.local', 'share', 'nomic.ai', 'GPT4All'), { recursive: true });
    await symlink(shared, home('.local', 'share', 'nomic.ai', 'GPT4All', 'linked.gguf'));
    expect(await shelves.show(true)).toMatchObject([{ name: 'one', origin: 'lm-studio' }]);
    await mkdir(path('mine'));
    await symlink(shared, path('mine', 'my-own.gguf'));
    await shelves.show(false);
    await shelves.folders.add(path('mine'));
    await shelves.folders.settled();
    expect(await shelves.library.list()).toMatchObject([
      { id: 1, origin: 'folder', path: path('mine', 'my-own.gguf') },
    ]);
    expect(await shelves.show(true)).toMatchObject([{ id: 1, origin: 'folder' }]);
  });

  it('stays when a person has added it by itself, and tells where it comes from', async () => {
    const file = await modelAt(home('.lmstudio', 'models', 'maker', 'one', 'one.gguf'));
    await shelves.library.add({ path: file });
    expect(await shelves.show(true)).toMatchObject([{ id: 1, origin: 'lm-studio' }]);
    expect(await shelves.show(false)).toMatchObject([{ id: 1, origin: 'lm-studio' }]);
  });
});

describe("Hugging Face's cache", () => {
  it('gives folders of weights under the name of their repository', async () => {
    const snapshot = join(hub(), 'models--maker--Base-1B', 'snapshots', 'c1');
    await buildTinyFolder(path('folder'));
    await mkdir(snapshot, { recursive: true });
    for (const name of await readdir(path('folder'))) {
      await cached(hub(), {
        ...{ repository: 'maker/Base-1B', commit: 'c1', file: name },
        from: path('folder', name),
      });
    }
    await shelves.show(true);
    const { weights } = await shelves.folders.state();
    expect(weights).toMatchObject([
      {
        name: 'maker/Base-1B',
        kind: 'weights',
        origin: 'hugging-face',
        path: snapshot,
        architecture: 'llama',
      },
    ]);
    const [{ id = 0 } = {}] = weights;
    expect(await shelves.verify(id)).toMatchObject({ result: 'confirmed', damaged: [], sha256: null });
  });

  it('keeps a model whose snapshot was replaced by a newer one of the same file', async () => {
    const link = await cached(hub(), {
      ...{ repository: 'maker/one', commit: 'c1', file: 'one.gguf' },
      from: await modelAt(path('a')),
    });
    await shelves.show(true);
    const newer = join(hub(), 'models--maker--one', 'snapshots', 'c2');
    await cp(join(link, '..'), newer, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(hub(), 'models--maker--one', 'refs', 'main'), 'c2');
    expect(await shelves.look()).toHaveLength(1);
    await rm(join(link, '..'), { recursive: true });
    expect(await shelves.look()).toMatchObject([{ id: 1, path: join(newer, 'one.gguf'), missing: false }]);
  });
});

describe("Ollama's models", () => {
  it('are those of its manifests: other blobs, and manifests that say nothing, are left out', async () => {
    await modelAt(join(ollama(), 'blobs', `sha256-${'a'.repeat(64)}`));
    const manifests = join(ollama(), 'manifests', 'registry.ollama.ai', 'library', 'odd');
    await mkdir(manifests, { recursive: true });
    await writeFile(join(manifests, 'broken'), '{"layers": [');
    await writeFile(
      join(manifests, 'outside'),
      JSON.stringify({
        layers: [
          { mediaType: 'application/vnd.ollama.image.model', digest: 'sha256:../../../../etc/passwd' },
        ],
      }),
    );
    await writeFile(
      join(manifests, 'gone'),
      JSON.stringify({
        layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${'b'.repeat(64)}` }],
      }),
    );
    expect(await shelves.show(true)).toEqual([]);
  });

  it('of two names are one model, and adapters of theirs are adapters', async () => {
    const file = await modelAt(path('a'));
    await cp(file, path('b'));
    await pulled(ollama(), { name: ['registry.ollama.ai', 'library', 'one', '8b'], from: file });
    await pulled(ollama(), { name: ['registry.ollama.ai', 'library', 'one', 'latest'], from: path('b') });
    const adapter = await buildTinyAdapter(path('c'));
    const digest = `sha256:${await sha256Of(adapter)}`;
    await cp(adapter, join(ollama(), 'blobs', digest.replace(':', '-')));
    const manifest = join(ollama(), 'manifests', 'registry.ollama.ai', 'me', 'taught', 'latest');
    await mkdir(join(manifest, '..'), { recursive: true });
    await writeFile(
      manifest,
      JSON.stringify({ layers: [{ mediaType: 'application/vnd.ollama.image.adapter', digest }] }),
    );
    expect((await shelves.show(true)).map(({ name, kind }) => [name, kind])).toEqual([
      ['me/taught:latest adapter', 'adapter'],
      ['one:8b', 'model'],
    ]);
  });
});

describe('programs that keep their models elsewhere', () => {
  it('are followed by their settings', async () => {
    await mkdir(home('.lmstudio'), { recursive: true });
    await writeFile(
      home('.lmstudio', 'settings.json'),
      JSON.stringify({ downloadsFolder: path('disk', 'lm') }),
    );
    await modelAt(path('disk', 'lm', 'maker', 'one', 'studio.gguf'), 1);

    await mkdir(home('.config', 'nomic.ai'), { recursive: true });
    await writeFile(
      home('.config', 'nomic.ai', 'GPT4All.ini'),
      `[General]\nmodelPath=${path('disk', 'g4a')}\n`,
    );
    await modelAt(path('disk', 'g4a', 'for-all.gguf'), 2);

    await mkdir(home('.config', 'Jan'), { recursive: true });
    await writeFile(
      home('.config', 'Jan', 'settings.json'),
      JSON.stringify({ data_folder: path('disk', 'jan') }),
    );
    await modelAt(path('disk', 'jan', 'llamacpp', 'models', 'jan-two', 'model.gguf'), 3);
    // One that was imported lies elsewhere still.
    const imported = path('disk', 'jan', 'llamacpp', 'models', 'imported');
    await modelAt(path('disk', 'given.gguf'), 4);
    await mkdir(imported, { recursive: true });
    await writeFile(join(imported, 'model.yml'), `model_path: ${path('disk', 'given.gguf')}\n`);
    // So does one that LM Studio has, too: it is there once, though a link leads to it.
    const again = path('disk', 'jan', 'llamacpp', 'models', 'again');
    await mkdir(again, { recursive: true });
    await symlink(path('disk', 'lm'), path('disk', 'link'));
    const link = path('disk', 'link', 'maker', 'one', 'studio.gguf');
    await writeFile(join(again, 'model.yml'), `model_path: ${link}\n`);

    expect((await shelves.show(true)).map(({ name, origin }) => [name, origin])).toEqual([
      ['for-all', 'gpt4all'],
      ['imported', 'jan'],
      ['jan-two', 'jan'],
      ['studio', 'lm-studio'],
    ]);
  });
});
