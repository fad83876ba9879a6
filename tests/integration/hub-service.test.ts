import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Download, PunaEvent } from '../../src/shared/contract/index.ts';
import { sha256, startFileServer, startHub, type StandInHub } from '../support/hub.ts';
import { buildScriptedModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const id = 'someone/golden-GGUF';
const slow = { bytesPerSecond: 300_000 };

let folder: string;
let removeFolder: () => Promise<void>;
let small: Buffer;
/** Some megabytes, so that it can be stopped in the middle. */
let large: Buffer;
let hub: StandInHub;
let shell: Shell;
let run = 0;

beforeAll(async () => {
  // That of whoever runs the tests goes before all others.
  Reflect.deleteProperty(process.env, 'HF_TOKEN');
  ({ folder, remove: removeFolder } = await temporaryFolder());
  const built = async (name: string, ballast: number) =>
    readFile(await buildScriptedModel(join(folder, name), { reply: 'Golden grass', ballast }));
  small = await built('small.gguf', 0);
  large = await built('large.gguf', 6);
});
afterAll(() => removeFolder());

beforeEach(async () => {
  hub = await startHub([
    {
      ...{ id, downloads: 12, cardData: { license: 'apache-2.0', language: ['en', 'ko'] } },
      files: {
        'README.md': Buffer.from('---\nlicense: apache-2.0\n---\n# Golden'),
        'golden-Q4_K_M.gguf': small,
        'golden-Q8_0.gguf': large,
      },
    },
  ]);
  shell = await started(join(folder, `data-${++run}`));
});
afterEach(async () => {
  await shell.stop();
  await hub.close();
});

async function started(dataFolder: string): Promise<Shell> {
  const begun = await startShell({ dataFolder });
  await begun.client.hub.configure({ endpoint: hub.url });
  return begun;
}

const models = (name = '') => join(shell.dataFolder, 'models', name);
const place = (name = '') => join(models(), ...id.split('/'), name);
const start = (file: string | null, repository = id) => shell.client.downloads.start({ repository, file });
const list = () => shell.client.downloads.list();
const library = async () => (await shell.client.system.state()).models;
const settled = async (downloadId: number) => {
  await expect
    .poll(async () => (await now(downloadId)).state, { timeout: 60_000 })
    .not.toMatch(/^(waiting|working)$/);
  return now(downloadId);
};

async function now(downloadId: number): Promise<Download> {
  const download = (await list()).find((each) => each.id === downloadId);
  if (!download) throw new Error('It is not on the list.');
  return download;
}

/** Waits until something of it is on the disk for good. */
async function begunOnDisk(path: string): Promise<number> {
  const journal = join(dirname(path), `.${path.slice(dirname(path).length + 1)}.download.journal`);
  const end = async () => {
    const text = await readFile(journal, 'utf8').catch(() => '{"ranges":[]}');
    return (JSON.parse(text) as { ranges: [number, number][] }).ranges[0]?.[1] ?? 0;
  };
  await expect.poll(end, { timeout: 30_000 }).toBeGreaterThan(0);
  return end();
}

/** Where the requests for a file of the hub's other host began. */
const begunAt = (name: string) =>
  hub.seen
    .filter(({ server, path }) => server === 'files' && path.includes(name))
    .map(({ range }) => Number(/^bytes=(\d+)/.exec(range ?? '')?.[1]));

describe('The hub', () => {
  test('is searched, tells what there is, and what was downloaded can be chatted with', async () => {
    const { models: found, next } = await shell.client.hub.search({ words: ' golden ' });
    expect(found).toMatchObject([{ id, downloads: 12, gated: false }]);
    expect(next).toBeNull();

    const repository = await shell.client.hub.repository({ id: `https://huggingface.co/${id}` });
    expect(repository).toMatchObject({
      ...{ id, license: 'apache-2.0', languages: ['en', 'ko'], card: '# Golden', folder: null },
      page: `${hub.url}/${id}`,
      files: [
        { name: 'golden-Q4_K_M', quantization: 'Q4_K_M', bytes: small.length, parts: 1, recommended: true },
        { name: 'golden-Q8_0', quantization: 'Q8_0', bytes: large.length, recommended: false },
      ],
    });
    expect(repository.files.map(({ fits, modelId }) => ({ fits, modelId }))).toEqual([
      { fits: true, modelId: null },
      { fits: true, modelId: null },
    ]);

    const begun = await start('golden-Q4_K_M');
    expect(begun).toMatchObject({
      ...{ repository: id, file: 'golden-Q4_K_M', name: 'golden-Q4_K_M', quantization: 'Q4_K_M' },
      ...{ bytes: small.length, path: place('golden-Q4_K_M.gguf'), modelId: null, error: null },
    });
    const done = await settled(begun.id);
    expect(done).toMatchObject({ state: 'done', doneBytes: small.length, bytesPerSecond: null });
    const [model] = await library();
    expect(model).toMatchObject({ id: done.modelId, path: done.path, missing: false });
    const checked = [];
    for await (const progress of await shell.client.library.verify({ modelId: done.modelId ?? 0 })) {
      if (progress.verified) checked.push(progress.verified.result);
    }
    expect(checked).toEqual(['confirmed']);
    const after = await shell.client.hub.repository({ id });
    expect(after.files.map(({ modelId }) => modelId)).toEqual([done.modelId, null]);

    const { id: conversationId } = await shell.client.conversations.create({ modelId: done.modelId });
    await shell.client.chat.send({ conversationId, parentId: null, text: 'Hello', attachments: [] });
    await replyFinished(shell);
    const { messages } = await shell.client.messages.path({ conversationId, limit: 10 });
    expect(messages.at(-1)).toMatchObject({ text: 'Golden grass', status: 'complete' });
  });

  test('knows a file that is in the library from elsewhere', async () => {
    // As Hugging Face's own programs keep what they have downloaded: named by its hash.
    const cache = join(folder, 'cache', 'models--someone--else');
    const [blob, link] = [join(cache, 'blobs', sha256(large)), join(cache, 'snapshots', 'abc', 'other.gguf')];
    await mkdir(dirname(blob), { recursive: true });
    await mkdir(dirname(link), { recursive: true });
    await writeFile(blob, large);
    await symlink(blob, link);
    await shell.client.library.addFolder({ path: dirname(link) });
    await expect.poll(async () => (await library()).length, { timeout: 20_000 }).toBe(1);
    const { files } = await shell.client.hub.repository({ id });
    expect(files.map(({ modelId }) => modelId)).toEqual([null, (await library())[0]?.id]);
  });

  test('recommends models, and keeps how it is asked over a restart', async () => {
    const recommended = await shell.client.hub.recommended();
    expect(recommended.length).toBeGreaterThan(3);
    expect(recommended[0]).toMatchObject({ fits: true, modelId: null });

    const path = models('Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, small);
    const { id: modelId } = await shell.client.models.add({ path });
    expect((await shell.client.hub.recommended()).map((each) => each.modelId)).toEqual(
      recommended.map(({ repository }) => (repository.startsWith('Qwen/Qwen2.5-0.5B') ? modelId : null)),
    );

    await shell.client.hub.configure({ bytesPerSecond: 5_000_000 });
    await expect(shell.client.hub.configure({ endpoint: 'ftp://x' })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
    await shell.stop();
    shell = await startShell({ dataFolder: shell.dataFolder });
    const settings = { endpoint: hub.url, bytesPerSecond: 5_000_000 };
    expect(await shell.client.hub.settings()).toMatchObject({ ...settings, hasToken: false });
    expect(await shell.client.hub.configure({ endpoint: '' })).toMatchObject({ endpoint: '' });
  });

  test('gets the token, and nobody else does', async () => {
    hub.put({ id: 'closed/door', gated: 'manual', files: { 'door-Q4_K_M.gguf': small } });
    const refused = await settled((await start('door-Q4_K_M', 'closed/door')).id);
    expect(refused).toMatchObject({ state: 'failed', modelId: null, error: { code: 'no-access' } });
    expect(refused.error?.message).toContain('only to those who have accepted its conditions');
    expect(refused.error?.remedy).toContain(`${hub.url}/closed/door`);

    await expect(shell.client.hub.setToken({ token: 'two words' })).rejects.toMatchObject({
      data: { code: 'invalid-input' },
    });
    const settings = await shell.client.hub.setToken({ token: ` ${hub.token}\n` });
    expect(settings).toEqual({
      ...{ endpoint: hub.url, address: hub.url, bytesPerSecond: null },
      ...{ isOpenWay: false, hasToken: true },
    });
    const kept = join(shell.dataFolder, 'secrets.json');
    if (process.platform !== 'win32') expect((await stat(kept)).mode & 0o777).toBe(0o600);

    hub.seen.length = 0;
    await shell.client.downloads.resume({ downloadId: refused.id });
    expect(await settled(refused.id)).toMatchObject({ state: 'done', error: null });
    const authorizations = (server: 'hub' | 'files') =>
      hub.seen.filter((each) => each.server === server).map(({ authorization }) => authorization);
    expect(new Set(authorizations('hub'))).toEqual(new Set([`Bearer ${hub.token}`]));
    expect(authorizations('files').length).toBeGreaterThan(0);
    expect(new Set(authorizations('files'))).toEqual(new Set([undefined]));

    // Another hub has a token of its own, and one that is overheard is told of.
    const other = await startHub([]);
    expect(await shell.client.hub.configure({ endpoint: other.url })).toMatchObject({ hasToken: false });
    await shell.client.hub.search({ words: 'anything' });
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
    await other.close();
    expect(await shell.client.hub.configure({ endpoint: 'http://mirror.example' })).toMatchObject({
      ...{ address: 'http://mirror.example', isOpenWay: true, hasToken: false },
    });
    expect(await shell.client.hub.configure({ endpoint: hub.url })).toMatchObject({ hasToken: true });

    expect(await shell.client.hub.setToken({ token: null })).toMatchObject({ hasToken: false });
    expect(await readFile(kept, 'utf8')).toBe('{}');
  });

  test.each(['https://me:hidden@hub.example', 'https://hub.example/?token=hidden', 'me:hidden@hub.example'])(
    'has no address with a secret in it, which nobody gets to read again: %s',
    async (endpoint) => {
      const thrown: unknown = await shell.client.hub.configure({ endpoint }).catch((error: unknown) => error);
      expect(thrown).toMatchObject({ data: { code: 'invalid-input' } });
      expect(JSON.stringify([thrown, String(thrown)])).not.toContain('hidden');
      expect(await shell.client.hub.settings()).toMatchObject({ endpoint: hub.url });
    },
  );
});

describe('A download', () => {
  test('is paused and goes on where it was', async () => {
    hub.fault('golden-Q8_0.gguf', slow);
    const events = await shell.client.system.events();
    const { id: downloadId, path } = await start('Q8_0');
    const there = await begunOnDisk(path);
    for await (const event of events) {
      if (event.type !== 'download' || event.download.doneBytes === 0) continue;
      expect(event.download).toMatchObject({ id: downloadId, state: 'working', bytes: large.length });
      break;
    }
    const paused = await shell.client.downloads.pause({ downloadId });
    expect(paused).toMatchObject({ state: 'paused', bytesPerSecond: null, secondsLeft: null, error: null });
    expect(paused.doneBytes).toBeGreaterThanOrEqual(there);
    expect(paused.doneBytes).toBeLessThan(large.length);
    expect(await library()).toEqual([]);
    expect(existsSync(path)).toBe(false);

    // It stays so over a restart.
    await shell.stop();
    shell = await started(shell.dataFolder);
    expect(await now(downloadId)).toMatchObject({ state: 'paused', doneBytes: paused.doneBytes });
    hub.fault('golden-Q8_0.gguf', null);
    hub.seen.length = 0;
    await shell.client.downloads.resume({ downloadId });
    expect(await settled(downloadId)).toMatchObject({ state: 'done', doneBytes: large.length });
    expect(Math.min(...begunAt('golden-Q8_0'))).toBeGreaterThanOrEqual(there);
    expect(sha256(await readFile(path))).toBe(sha256(large));
  });

  test.each(['stop', 'kill'] as const)(
    'goes on by itself after the program has ended in the middle (%s)',
    async (end) => {
      hub.fault('golden-Q8_0.gguf', slow);
      const { id: downloadId, path } = await start('golden-Q8_0');
      const there = await begunOnDisk(path);
      await shell[end]();
      hub.fault('golden-Q8_0.gguf', null);
      hub.seen.length = 0;
      shell = await startShell({ dataFolder: shell.dataFolder });
      const done = await settled(downloadId);
      expect(done).toMatchObject({ state: 'done', bytes: large.length, doneBytes: large.length });
      expect(Math.min(...begunAt('golden-Q8_0'))).toBeGreaterThanOrEqual(there);
      expect(sha256(await readFile(path))).toBe(sha256(large));
      expect((await library()).map((model) => model.id)).toEqual([done.modelId]);
      expect(await readdir(place())).toEqual(['golden-Q8_0.gguf']);
    },
  );

  test('of which the bytes are others fails, and leaves nothing in the library', async () => {
    hub.fault('golden-Q4_K_M.gguf', { bytes: Buffer.alloc(small.length, 7) });
    const failed = await settled((await start('golden-Q4_K_M')).id);
    expect(failed).toMatchObject({ state: 'failed', modelId: null, error: { code: 'network' } });
    expect(failed.error?.message).toContain('hash');
    expect(await library()).toEqual([]);
    expect(existsSync(failed.path)).toBe(false);

    // Starting it once more is the same as resuming it.
    hub.fault('golden-Q4_K_M.gguf', null);
    expect(await start('golden-Q4_K_M')).toMatchObject({ id: failed.id, error: null });
    expect(await settled(failed.id)).toMatchObject({ state: 'done', error: null });
  });

  test('that failed asks the hub anew, and gets what is there now', async () => {
    hub.fault('golden-Q4_K_M.gguf', { status: 404 });
    const failed = await settled((await start('golden-Q4_K_M')).id);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'not-found' } });
    hub.fault('golden-Q4_K_M.gguf', null);
    hub.put({ id, files: { 'golden-Q4_K_M.gguf': large } });
    await shell.client.downloads.resume({ downloadId: failed.id });
    expect(await settled(failed.id)).toMatchObject({ state: 'done', bytes: large.length });
    expect(sha256(await readFile(failed.path))).toBe(sha256(large));
  });

  test('of no model fails when it is whole, and is gone when it is removed', async () => {
    hub.put({ id, files: { 'golden-Q4_K_M.gguf': Buffer.alloc(5000, 1) } });
    const failed = await settled((await start('golden-Q4_K_M')).id);
    expect(failed).toMatchObject({ state: 'failed', modelId: null, error: { code: 'not-gguf' } });
    await shell.client.downloads.remove({ downloadId: failed.id });
    expect(existsSync(models('someone'))).toBe(false);
  });

  test('of a file that two windows want is one', async () => {
    hub.fault('golden-Q8_0.gguf', slow);
    const both = await Promise.all([start('golden-Q8_0'), start('golden-Q8_0.gguf'), start('q8_0')]);
    expect(new Set(both.map((download) => download.id)).size).toBe(1);
    expect(await list()).toHaveLength(1);
  });

  test('that is done comes back as it is, and brings back what is gone', async () => {
    const done = await settled((await start('golden-Q4_K_M')).id);
    hub.seen.length = 0;
    expect(await start('golden-Q4_K_M')).toEqual(done);
    expect(begunAt('golden-Q4_K_M')).toEqual([]);
    // Taken off the library, the file is added again without another download.
    await shell.client.models.remove({ modelId: done.modelId ?? 0 });
    await start('golden-Q4_K_M');
    const again = await settled(done.id);
    expect(again).toMatchObject({ state: 'done' });
    expect((await library()).map((model) => model.id)).toEqual([again.modelId]);
    expect(begunAt('golden-Q4_K_M')).toEqual([]);
  });

  test('waits its turn, and two are at work', async () => {
    const files = Object.fromEntries(
      ['Q2_K', 'Q3_K_M', 'Q5_K_M', 'Q6_K'].map((name) => [`m-${name}.gguf`, large]),
    );
    hub.put({ id: 'many/m', files });
    for (const name of Object.keys(files)) hub.fault(name, slow);
    const [first, , third] = [
      await start('Q2_K', 'many/m'),
      await start('Q3_K_M', 'many/m'),
      await start('Q5_K_M', 'many/m'),
      await start('Q6_K', 'many/m'),
    ];
    const states = async () => (await list()).map(({ state }) => state).reverse();
    expect(await states()).toEqual(['working', 'working', 'waiting', 'waiting']);
    await shell.client.downloads.pause({ downloadId: third.id });
    expect(await states()).toEqual(['working', 'working', 'paused', 'waiting']);
    await shell.client.downloads.pause({ downloadId: first.id });
    expect(await states()).toEqual(['paused', 'working', 'paused', 'working']);
    await shell.client.downloads.resume({ downloadId: first.id });
    expect(await states()).toEqual(['waiting', 'working', 'paused', 'working']);
  });

  test('leaves bandwidth to others until the limit is lifted', async () => {
    await shell.client.hub.configure({ bytesPerSecond: 100_000 });
    const { id: downloadId } = await start('golden-Q8_0');
    await expect.poll(async () => (await now(downloadId)).doneBytes, { timeout: 30_000 }).toBeGreaterThan(0);
    // Another program has several times the file meanwhile.
    for (let times = 0; times < 3; times++) {
      const answer = await fetch(`${hub.url}/${id}/resolve/main/golden-Q8_0.gguf`);
      expect((await answer.arrayBuffer()).byteLength).toBe(large.length);
    }
    expect((await now(downloadId)).doneBytes).toBeLessThan(large.length / 2);
    await shell.client.hub.configure({ bytesPerSecond: null });
    expect(await settled(downloadId)).toMatchObject({ state: 'done' });
  });

  test('that is removed leaves nothing of what was begun, and all that is done', async () => {
    hub.fault('golden-Q8_0.gguf', slow);
    const events = await shell.client.system.events();
    const begun = await start('golden-Q8_0');
    await begunOnDisk(begun.path);
    await Promise.all([
      shell.client.downloads.remove({ downloadId: begun.id }),
      shell.client.downloads.remove({ downloadId: begun.id }),
    ]);
    const seen: PunaEvent['type'][] = [];
    for await (const event of events) {
      seen.push(event.type);
      if (event.type === 'download-removed') break;
    }
    expect(seen.at(-1)).toBe('download-removed');
    expect(await list()).toEqual([]);
    expect(existsSync(models('someone'))).toBe(false);
    await expect(shell.client.downloads.resume({ downloadId: begun.id })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });

    const done = await settled((await start('golden-Q4_K_M')).id);
    await shell.client.downloads.remove({ downloadId: done.id });
    expect(await list()).toEqual([]);
    expect((await library()).map((model) => model.path)).toEqual([done.path]);
    expect(sha256(await readFile(done.path))).toBe(sha256(small));
    const { files } = await shell.client.hub.repository({ id });
    expect(files.map(({ modelId }) => modelId)).toEqual([done.modelId, null]);
  });

  test('takes no other file’s place, and removing it leaves that', async () => {
    await mkdir(place(), { recursive: true });
    await writeFile(place('golden-Q4_K_M.gguf'), 'mine');
    const failed = await settled((await start('golden-Q4_K_M')).id);
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'invalid-input' } });
    expect(failed.error?.message).toContain('is another file');
    await shell.client.downloads.remove({ downloadId: failed.id });
    expect(await readFile(failed.path, 'utf8')).toBe('mine');
  });

  test('of a whole repository makes a folder that is no model of the library', async () => {
    const weights = Buffer.alloc(3_000_000, 1);
    hub.put({
      id: 'someone/plain',
      files: {
        'config.json': Buffer.from('{}'),
        'model.safetensors': weights,
        'original/consolidated.pth': weights,
        'plain-Q4_K_M.gguf': small,
      },
    });
    const { folder: offered } = await shell.client.hub.repository({ id: 'someone/plain' });
    expect(offered).toEqual({ files: 2, bytes: weights.length + 2 });
    await expect(start(null)).rejects.toMatchObject({ data: { code: 'not-found' } });

    hub.fault('model.safetensors', slow);
    const begun = await start(null, 'someone/plain');
    expect(begun).toMatchObject({
      name: 'someone/plain',
      file: null,
      path: models(join('someone', 'plain')),
    });
    // A model of the same repository gets in nobody's way.
    const model = await settled((await start('plain-Q4_K_M', 'someone/plain')).id);
    expect(model).toMatchObject({ state: 'done' });
    await shell.client.downloads.remove({ downloadId: begun.id });
    expect(await readdir(models('someone'))).toEqual(['plain-gguf']);

    hub.fault('model.safetensors', null);
    const done = await settled((await start(null, 'someone/plain')).id);
    expect(done).toMatchObject({ state: 'done', modelId: null, bytes: weights.length + 2 });
    expect((await readdir(done.path)).toSorted()).toEqual(['config.json', 'model.safetensors']);
    expect((await library()).map((each) => each.path)).toEqual([model.path]);
  });

  test('that does not fit on the disk says so before it begins', async () => {
    const sibling = { rfilename: 'huge-Q4_K_M.gguf', lfs: { sha256: 'a'.repeat(64), size: 1e15 } };
    const asked: string[] = [];
    const server = await startFileServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ id: 'huge/model', sha: 'x', siblings: [sibling] }));
    });
    try {
      await shell.client.hub.configure({ endpoint: server.url });
      const failed = await settled((await start('Q4_K_M', 'huge/model')).id);
      expect(failed).toMatchObject({ state: 'failed', error: { code: 'disk-full' } });
      expect(asked.filter((path) => path.includes('resolve'))).toEqual([]);
    } finally {
      await server.close();
    }
  });

  test('of a file whose name leads elsewhere is refused', async () => {
    const sibling = { rfilename: 'sub/..\\..\\evil-Q4_K_M.gguf', size: 10 };
    const server = await startFileServer((_, response) =>
      response.end(JSON.stringify({ id: 'evil/model', sha: 'x', siblings: [sibling] })),
    );
    try {
      await shell.client.hub.configure({ endpoint: server.url });
      await expect(start('Q4_K_M', 'evil/model')).rejects.toMatchObject({ data: { code: 'invalid-input' } });
      expect((await shell.client.hub.repository({ id: 'evil/model' })).files).toHaveLength(1);
      expect(await list()).toEqual([]);
    } finally {
      await server.close();
    }
  });
});
