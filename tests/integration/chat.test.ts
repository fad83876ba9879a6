import Database from 'better-sqlite3';
import { copyFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PunaEvent } from '../../src/shared/contract/index.ts';
import { buildScriptedModel, buildTinyModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
let models: { golden: string; endless: string; slow: string; tiny: string };
const slowReply = 'Golden grass on the wide and windy puna';
let shell: Shell;
let run = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  models = {
    golden: await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden grass' }),
    endless: await buildScriptedModel(join(folder, 'endless.gguf'), {
      ...{ reply: ' one two three four five', endless: true, ballast: 60 },
    }),
    slow: await buildScriptedModel(join(folder, 'slow.gguf'), { reply: slowReply, ballast: 200 }),
    tiny: await buildTinyModel(join(folder, 'tiny.gguf')),
  };
});

afterAll(() => removeFolder());

beforeEach(async () => {
  shell = await startShell({ dataFolder: join(folder, `data-${++run}`) });
});

afterEach(() => shell.stop());

const add = (path: string) => shell.client.models.add({ path });
const begin = async () => (await shell.client.conversations.create({})).id;
const send = (conversationId: number, text: string, parentId: number | null = null) =>
  shell.client.chat.send({ conversationId, parentId, text, attachments: [] });
const lastOf = async (conversationId: number) =>
  (await shell.client.messages.path({ conversationId, limit: 10 })).messages.at(-1);

/** Waits until the last message of a conversation has its first words. */
async function writing(conversationId: number): Promise<void> {
  while (!(await lastOf(conversationId))?.text.includes(' ')) await setTimeout(20);
}

describe('a conversation', () => {
  test('is answered, with figures that add up', async () => {
    const { name } = await add(models.golden);
    const id = await begin();
    await send(id, 'What colour?');
    await replyFinished(shell);
    const reply = await lastOf(id);
    expect(reply).toMatchObject({
      text: 'Golden grass',
      status: 'complete',
      stats: { model: name, truncated: false },
    });
    expect(reply?.stats?.contextUsed).toBeGreaterThanOrEqual(reply?.stats?.promptTokens ?? Infinity);
  });

  test('is named by its first words at once, and by the model when it is idle', async () => {
    await add(models.golden);
    const id = await begin();
    await send(id, 'What colour is it?');
    expect((await shell.client.conversations.get({ conversationId: id })).title).toBe('What colour is it?');
    await replyFinished(shell);
    const title = async () => (await shell.client.conversations.get({ conversationId: id })).title;
    await expect.poll(title, { timeout: 10_000 }).toBe('Golden grass');
  });

  test('keeps the name that a person gave it', async () => {
    await add(models.golden);
    const id = await begin();
    await shell.client.conversations.update({ conversationId: id, patch: { title: 'Mine' } });
    await send(id, 'What colour is it?');
    await replyFinished(shell);
    await setTimeout(500);
    expect((await shell.client.conversations.get({ conversationId: id })).title).toBe('Mine');
  });

  test('without any model says what to do, and writes nothing', async () => {
    const id = await begin();
    await expect(send(id, 'Hello')).rejects.toMatchObject({
      data: { code: 'no-model', remedy: expect.stringContaining('Models') as string },
    });
    expect(await lastOf(id)).toBeUndefined();
  });

  test('whose model file is gone gets a failed reply with the reason; the question stays', async () => {
    const path = await buildScriptedModel(join(folder, 'gone.gguf'), { reply: 'x' });
    const { id: modelId } = await add(path);
    await rm(path);
    const { id } = await shell.client.conversations.create({ modelId });
    await send(id, 'Hello');
    await replyFinished(shell);
    expect(await lastOf(id)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('gone.gguf') as string,
    });
  });

  test('is not answered by a model that could not be loaded, until its file is another one', async () => {
    const path = join(folder, 'a-first.gguf');
    await copyFile(models.golden, path);
    const { id: modelId } = await add(path);
    await add(models.tiny);
    await truncate(path, 3000);
    const broken = async () =>
      (await shell.client.system.state()).models.find(({ id }) => id === modelId)?.broken;
    const answer = async () => {
      const id = await begin();
      await send(id, 'What colour?');
      await replyFinished(shell);
      return lastOf(id);
    };
    expect(await broken()).toBeNull();
    expect(await answer()).toMatchObject({ status: 'failed', errorCode: 'file-damaged' });
    expect(await broken()).toMatchObject({
      code: 'file-damaged',
      message: expect.stringContaining(path) as string,
    });
    expect((await answer())?.stats).toMatchObject({ model: 'tiny' });

    // It is remembered, and asked for by name it is tried.
    await shell.stop();
    shell = await startShell({ dataFolder: join(folder, `data-${run}`) });
    expect((await answer())?.stats).toMatchObject({ model: 'tiny' });
    await expect(shell.client.models.load({ modelId })).rejects.toMatchObject({
      data: { code: 'file-damaged' },
    });

    await rm(path);
    await copyFile(models.golden, path);
    expect(await broken()).toBeNull();
    expect(await answer()).toMatchObject({ status: 'complete', text: 'Golden grass' });
  });

  test('gives the model the files of a message', async () => {
    await add(models.tiny);
    const id = await begin();
    const text = 'The grass of the puna is golden. '.repeat(20);
    const attachment = { name: 'grass.txt', mimeType: 'text/plain', bytes: text.length, text };
    await shell.client.chat.send({
      conversationId: id,
      parentId: null,
      text: 'Read',
      attachments: [attachment],
    });
    await replyFinished(shell);
    const { messages } = await shell.client.messages.path({ conversationId: id, limit: 10 });
    expect(messages[0]?.attachments).toEqual([
      { name: 'grass.txt', mimeType: 'text/plain', bytes: 660, characters: 660 },
    ]);
    expect(messages[1]?.stats?.promptTokens).toBeGreaterThan(100);
    const { text: kept } = await shell.client.messages.attachment({
      messageId: messages[0]?.id ?? 0,
      index: 0,
    });
    expect(kept).toBe(text);
  });

  test('whose reply the database refuses to take, as on a full disk, has all of it when that is over', async () => {
    await add(models.slow);
    const id = await begin();
    const { reply } = await send(id, 'What colour?');
    let complaints = '';
    shell.process.stderr?.on('data', (data: Buffer) => (complaints += data.toString()));
    const events = await shell.client.system.events();
    await writing(id);
    const other = new Database(join(shell.dataFolder, 'puna.db'));
    other.exec('BEGIN IMMEDIATE');
    for await (const event of events) {
      if (event.type !== 'message' || event.message.id !== reply.id) continue;
      expect(event.message).toMatchObject({ status: 'interrupted', text: slowReply });
      expect(event.message.error).toContain('saved as soon as');
      break;
    }
    // The title comes next; it is lost, and nothing else with it.
    await expect.poll(() => complaints, { timeout: 20_000 }).toContain('titles.ts');
    other.close();
    await expect
      .poll(() => lastOf(id), { timeout: 20_000 })
      .toMatchObject({ status: 'complete', text: slowReply, error: null, stats: { truncated: false } });
    expect(shell.process.exitCode).toBeNull();
  });

  test('that is deleted in mid-reply stops, and can be brought back with what was said', async () => {
    await add(models.endless);
    const id = await begin();
    await send(id, 'Count');
    await writing(id);
    await shell.client.conversations.remove({ conversationId: id });
    await replyFinished(shell);
    await shell.client.conversations.restore({ conversationId: id });
    expect(await lastOf(id)).toMatchObject({
      status: 'stopped',
      text: expect.stringMatching(/^one two/) as string,
    });
  });
});

describe('several conversations', () => {
  test('take turns; one that waits can be stopped before its turn', async () => {
    await add(models.endless);
    const [first, second] = [await begin(), await begin()];
    const running = await send(first, 'Count');
    const waiting = await send(second, 'Count too');
    await writing(first);
    const { queue } = await shell.client.system.state();
    expect(queue.map(({ messageId, state }) => [messageId, state])).toEqual([
      [running.reply.id, 'writing'],
      [waiting.reply.id, 'waiting'],
    ]);
    await shell.client.chat.stop({ messageId: waiting.reply.id });
    expect(await lastOf(second)).toMatchObject({ status: 'stopped', text: '' });
    await shell.client.chat.stop({ messageId: running.reply.id });
    await replyFinished(shell);
    expect(await lastOf(first)).toMatchObject({ status: 'stopped' });
  });

  test('whose model is to be freed in mid-reply: the next one that is wanted is told to be loading, then ready', async () => {
    const [golden, endless] = [await add(models.golden), await add(models.endless)];
    const one = await shell.client.conversations.create({ modelId: endless.id });
    const other = await shell.client.conversations.create({ modelId: golden.id });
    const running = await send(one.id, 'Count');
    await writing(one.id);
    const unloaded = shell.client.models.unload();
    await send(other.id, 'Colour?');
    const states: string[] = [];
    const events = await shell.client.system.events();
    await shell.client.chat.stop({ messageId: running.reply.id });
    for await (const event of events) {
      if (event.type !== 'engine') continue;
      if (event.status.state !== states.at(-1)) states.push(event.status.state);
      if (event.status.state === 'ready') break;
    }
    await unloaded;
    expect(states).toEqual(['loading', 'ready']);
  });

  test('with different models each get their own', async () => {
    const [golden, endless] = [await add(models.golden), await add(models.endless)];
    const one = await shell.client.conversations.create({ modelId: endless.id });
    const other = await shell.client.conversations.create({ modelId: golden.id });
    await send(one.id, 'Count');
    await writing(one.id);
    await send(other.id, 'Colour?');
    await shell.client.chat.stop({ messageId: (await lastOf(one.id))?.id ?? 0 });
    await replyFinished(shell);
    expect(await lastOf(one.id)).toMatchObject({ stats: { model: endless.name } });
    expect(await lastOf(other.id)).toMatchObject({ text: 'Golden grass', stats: { model: golden.name } });
  });
});

describe('a window', () => {
  test('is told everything: pieces that follow one another, and the end', async () => {
    await add(models.golden);
    const id = await begin();
    const stop = new AbortController();
    const events = await shell.client.system.events(undefined, { signal: stop.signal });
    const { reply } = await send(id, 'Colour?');
    const seen: PunaEvent[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.type === 'message' && event.message.id === reply.id && event.message.status === 'complete')
        break;
    }
    stop.abort();
    const text = seen.reduce((so, event) => {
      if (event.type !== 'delta' || event.part !== 'text') return so;
      expect(event.offset).toBe(so.length);
      return so + event.piece;
    }, '');
    expect(text).toBe('Golden grass');
    expect(seen.some((event) => event.type === 'engine' && event.status.state === 'ready')).toBe(true);
  });

  test('that opens in mid-reply reads just what has been told so far', async () => {
    await add(models.endless);
    const id = await begin();
    const { reply } = await send(id, 'Count');
    await writing(id);
    const events = await shell.client.system.events();
    const told: { offset: number }[] = [];
    const following = (async () => {
      for await (const event of events) {
        if (event.type === 'delta' && told.push(event) === 3) return;
      }
    })();
    const { text } = (await lastOf(id)) ?? { text: '' };
    await following;
    // The snapshot was taken while pieces arrived: it ends where one of them begins or at the first one's end.
    expect(text.length).toBeGreaterThanOrEqual(told[0]?.offset ?? Infinity);
    await shell.client.chat.stop({ messageId: reply.id });
    await replyFinished(shell);
  });
});

describe('a program that quits', () => {
  test('in mid-reply keeps what was said, and the reply can be continued after the next start', async () => {
    await add(models.endless);
    const id = await begin();
    await send(id, 'Count');
    await writing(id);
    const { dataFolder } = shell;
    await shell.stop();
    shell = await startShell({ dataFolder });
    const kept = await lastOf(id);
    expect(kept).toMatchObject({ status: 'interrupted', text: expect.stringMatching(/^one two/) as string });
    await shell.client.chat.continue({ messageId: kept?.id ?? 0 });
    await expect
      .poll(async () => (await lastOf(id))?.text.length, { timeout: 20_000 })
      .toBeGreaterThan(kept?.text.length ?? Infinity);
    await shell.client.chat.stop({ messageId: kept?.id ?? 0 });
    await replyFinished(shell);
    expect((await lastOf(id))?.text.startsWith(kept?.text ?? '?')).toBe(true);
  });
});
