import { appendFile, copyFile, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/main/history/index.ts';
import { Library } from '../../src/main/library/index.ts';
import { Starter } from '../../src/main/starter/index.ts';
import { buildTinyModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';
import { asked, buildResources } from '../support/starter.ts';
import { teachingBase } from '../support/teaching.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
let resources: string;
let complaints: string[];
const close: (() => void)[] = [];
const at = (...names: string[]) => join(temporary.folder, ...names);
const sample = (name: string) => join(resources, 'starter', name);

beforeEach(async () => {
  temporary = await temporaryFolder();
  resources = await buildResources(temporary.folder);
  complaints = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => complaints.push(text));
});
afterEach(async () => {
  for (const each of close.splice(0)) each();
  vi.restoreAllMocks();
  await temporary.remove();
});

/** Library and starter as at a start of Puna, in the same data folder each time. */
async function begin(from: string | null = resources) {
  for (const each of close.splice(0)) each();
  const database = openDatabase(at('data', 'puna.db'));
  const library = new Library({ database, modelsFolder: at('data', 'models'), onChange: () => undefined });
  const starter = new Starter({ resources: from, database, library });
  close.push(() => database.close());
  await starter.takeIn();
  return { library, starter, models: await library.list() };
}

describe('the starter model', () => {
  it('is in the library from the first start on, and is used where it lies', async () => {
    const { models } = await begin();
    expect(models).toMatchObject([
      { name: 'Puna Starter', origin: 'starter', path: sample('puna-starter.gguf'), missing: false },
    ]);
    expect(await readFile(sample('puna-starter.gguf'))).toEqual(await readFile(teachingBase));
    expect(complaints).toEqual([]);
  });

  it('stays the same model, with what a person has set, where it lies elsewhere at the next start', async () => {
    const { library, models } = await begin();
    const [{ id } = { id: 0 }] = models;
    await library.rename(id, 'Tiny');
    await library.tag(id, ['first']);
    await rename(resources, at('mounted again'));
    const again = await begin(at('mounted again'));
    expect(again.models).toMatchObject([
      {
        ...{ id, name: 'Tiny', tags: ['first'], missing: false },
        path: at('mounted again', 'starter', 'puna-starter.gguf'),
      },
    ]);
  });

  it('stays the same model when an update has replaced it', async () => {
    const { models } = await begin();
    await buildTinyModel(sample('puna-starter.gguf'));
    const again = await begin();
    expect(again.models).toMatchObject([{ id: models[0]?.id, origin: 'starter', missing: false }]);
    expect(again.models[0]?.parameters).not.toBe(models[0]?.parameters);
  });

  it('is one model where a person has added the file by hand, too', async () => {
    const { models } = await begin();
    await rename(resources, at('moved'));
    const path = at('moved', 'starter', 'puna-starter.gguf');
    const { library } = await begin(null);
    await library.add({ path });
    const again = await begin(at('moved'));
    expect(again.models).toMatchObject([{ id: models[0]?.id, origin: 'starter', path }]);
  });

  it('stays off the list once a person has taken it off, wherever it lies, until it is wanted again', async () => {
    const { library, models } = await begin();
    library.remove(models[0]?.id ?? 0);
    await rename(resources, at('moved'));
    const { starter, library: later, models: none } = await begin(at('moved'));
    expect(none).toEqual([]);
    expect(await starter.samples()).toMatchObject({ modelId: null, chats: { bytes: expect.any(Number) } });
    await starter.bringBack();
    const [back] = await later.list();
    expect(back).toMatchObject({ name: 'Puna Starter', origin: 'starter' });
    expect(await starter.samples()).toMatchObject({ modelId: back?.id });
    expect((await begin(at('moved'))).models).toHaveLength(1);
  });
});

describe('the samples', () => {
  it('are told with their places and sizes', async () => {
    const { starter, models } = await begin();
    const chats = await readFile(sample('chats.jsonl'));
    expect(await starter.samples()).toMatchObject({
      modelId: models[0]?.id,
      chats: { path: sample('chats.jsonl'), bytes: chats.byteLength },
      delta: { path: sample('delta.gguf'), base: sample('base.gguf') },
      questions: { chat: [{ en: asked.chat[0]?.question }, {}] },
    });
  });

  const damages: [string, (list: string) => Promise<void>][] = [
    ['its list is missing', (list) => rm(list)],
    ['its list is cut off', (list) => truncate(list, 40)],
    ['its list is no JSON', (list) => appendFile(list, '}')],
    [
      'its list names a file elsewhere',
      async (list) => {
        const text = await readFile(list, 'utf8');
        await writeFile(list, text.replace('chats.jsonl', '../chats.jsonl'));
      },
    ],
    ['a file of it is missing', () => rm(sample('delta.gguf'))],
  ];
  it.each(damages)('are left out with one sentence where %s, and the model stays', async (_, damage) => {
    await damage(sample('samples.json'));
    const { starter, models } = await begin();
    expect(models).toHaveLength(1);
    expect(await starter.samples()).toEqual({
      ...{ modelId: models[0]?.id, chats: null, delta: null },
      questions: { chat: [], taught: [], delta: [] },
    });
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(/^The samples are left out: .*starter.*\. Install Puna again;[^.]*\.$/);
  });

  it('are nothing where nothing comes with Puna, which is not worth a word', async () => {
    const { starter } = await begin(null);
    expect(await starter.samples()).toMatchObject({ modelId: null, chats: null, delta: null });
    expect(complaints).toEqual([]);
  });
});

describe('a starter model that cannot be read', () => {
  it.each<[string, () => Promise<void>]>([
    ['missing', () => rm(sample('puna-starter.gguf'))],
    ['cut off', () => truncate(sample('puna-starter.gguf'), 5000)],
    ['no model', () => copyFile(sample('chats.jsonl'), sample('puna-starter.gguf'))],
  ])('is left out with one sentence: %s', async (_, damage) => {
    await damage();
    expect((await begin()).models).toEqual([]);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(
      /^The starter model is left out: .*puna-starter.gguf.*\. Install Puna again;[^.]*\.$/,
    );
  });
});

describe('Puna in an empty data folder', () => {
  let shell: Shell;
  afterEach(() => shell.stop());

  it('has the starter model loaded, which answers, and stands back for a larger one', async () => {
    shell = await startShell({ dataFolder: at('data'), resources });
    const { client } = shell;
    const { models, settings } = await client.system.state();
    expect(settings).toMatchObject({ tour: 'new', modelId: null });
    const modelId = models[0]?.id;
    await vi.waitUntil(async () => (await client.system.state()).engine.state === 'ready', 30_000);
    expect((await client.system.state()).engine.modelId).toBe(modelId);

    const first = asked.chat[0];
    const { id: conversationId } = await client.conversations.create({});
    const sampling = { ...settings.sampling, temperature: 0 };
    await client.conversations.update({ conversationId, patch: { sampling } });
    const send = async () => {
      const { reply } = await client.chat.send({
        ...{ conversationId, parentId: null, text: first?.question ?? '', attachments: [] },
      });
      await replyFinished(shell);
      const { messages } = await client.messages.path({ conversationId });
      return messages.find(({ id }) => id === reply.id);
    };
    expect(await send()).toMatchObject({ text: first?.answer, stats: { model: 'Puna Starter' } });

    await client.models.add({ path: await buildTinyModel(at('a small one.gguf')) });
    expect(await send()).toMatchObject({ stats: { model: 'Puna Starter' } });
    const larger = await buildTinyModel(at('larger.gguf'), { shape: { embedding: 512, feedForward: 2048 } });
    await client.models.add({ path: larger });
    expect(await send()).toMatchObject({ stats: { model: 'larger' } });
    await client.conversations.update({ conversationId, patch: { modelId: modelId ?? 0 } });
    expect(await send()).toMatchObject({ stats: { model: 'Puna Starter' } });
  });

  it('has it back when the tour begins anew after a person has taken it off the list', async () => {
    shell = await startShell({ dataFolder: at('data'), resources });
    const { client } = shell;
    const { modelId } = await client.samples.get();
    await client.models.remove({ modelId: modelId ?? 0 });
    await client.settings.update({ tour: 'left' });
    await shell.stop();
    shell = await startShell({ dataFolder: at('data'), resources });
    expect((await shell.client.samples.get()).modelId).toBeNull();
    await shell.client.settings.update({ tour: 'chat' });
    const again = (await shell.client.samples.get()).modelId;
    expect((await shell.client.system.state()).models).toMatchObject([{ id: again, origin: 'starter' }]);
  });

  it('goes on teaching the starter model where it lies elsewhere at the next start', async () => {
    shell = await startShell({ dataFolder: at('data'), resources });
    const { modelId, chats } = await shell.client.samples.get();
    const settings = { steps: 200, checkpointEvery: 10, sampleEvery: null, validation: 0 };
    const { id } = await shell.client.training.start({
      ...{ modelId: modelId ?? 0, data: [chats?.path ?? ''], settings },
    });
    const run = async () => (await shell.client.training.list()).find((each) => each.id === id);
    await vi.waitUntil(async () => ((await run())?.step?.step ?? 0) > 20, 60_000);
    await shell.kill();
    await rename(resources, at('mounted again'));
    // What it learns from is in the data folder, where the sample has become a dataset; a bare file has to come along.
    await mkdir(sample(''), { recursive: true });
    await rename(at('mounted again', 'starter', 'chats.jsonl'), sample('chats.jsonl'));

    shell = await startShell({ dataFolder: at('data'), resources: at('mounted again') });
    const modelPath = at('mounted again', 'starter', 'puna-starter.gguf');
    expect(await run()).toMatchObject({ state: 'stopped', modelId, modelPath });
    await shell.client.training.resume({ runId: id });
    await vi.waitUntil(async () => !['waiting', 'preparing'].includes((await run())?.state ?? ''), 60_000);
    await vi.waitUntil(async () => (await run())?.state !== 'running', 60_000);
    expect(await run()).toMatchObject({ state: 'done', error: null });
  });

  it('does not delete the files of the starter model', async () => {
    shell = await startShell({ dataFolder: at('data'), resources });
    const { modelId } = await shell.client.samples.get();
    const deleting = shell.client.library.delete({ modelId: modelId ?? 0, forGood: true });
    await expect(deleting).rejects.toThrow('does not belong to Puna');
    expect(await readFile(sample('puna-starter.gguf'))).toEqual(await readFile(teachingBase));
  });
});
