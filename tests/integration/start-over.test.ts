import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultSettings } from '../../src/shared/contract/index.ts';
import { buildScriptedModel } from '../support/models.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

let shell: Shell;
let modelId: number;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  const { folder, remove } = await temporaryFolder();
  removeFolder = remove;
  shell = await startShell({ dataFolder: join(folder, 'data') });
  const path = await buildScriptedModel(join(folder, 'golden.gguf'), { reply: 'Golden.' });
  ({ id: modelId } = await shell.client.models.add({ path }));
});

afterAll(async () => {
  await shell.stop();
  await removeFolder();
});

test('threads of the program hold for models that have none of their own, from the next load on', async () => {
  const { client } = shell;
  const device = async () => (await client.models.load({ modelId })).device;
  const automatic = await device();
  await client.settings.update({ computing: { gpuLayers: 0, threads: 3 } });
  expect(await device()).toBe('CPU, 3 threads');
  const own = { contextSize: null, gpuLayers: null, threads: 2 };
  await client.models.configure({ modelId, loadSettings: own });
  expect(await device()).toBe('CPU, 2 threads');
  await client.models.configure({ modelId, loadSettings: { ...own, threads: null } });
  await client.settings.update({ computing: { gpuLayers: null, threads: null } });
  expect(await device()).toBe(automatic);
});

test('settings are reset, and everything else stays', async () => {
  const { client } = shell;
  await client.settings.update({
    ...{ theme: 'dark', systemPrompt: 'Be brief.', modelId, tour: 'done', showDownloaded: true },
    computing: { gpuLayers: 4, threads: 2 },
  });
  await client.api.configure({ on: true, port: 0 }).catch(() => client.api.configure({ port: 43_210 }));
  await client.hub.configure({ endpoint: 'https://hub.example', bytesPerSecond: 1000 });
  await client.hub.setToken({ token: 'hf_abcdefgh12345678' });
  await client.presets.create({ ...{ name: 'Kept', systemPrompt: '' }, sampling: defaultSettings.sampling });
  expect(await client.settings.reset()).toEqual({ ...defaultSettings, tour: 'done' });
  expect(await client.hub.settings()).toMatchObject({ endpoint: '', bytesPerSecond: null });
  expect(await client.api.status()).toMatchObject({ on: false, address: null });
  const state = await client.system.state();
  expect(state.settings).toEqual({ ...defaultSettings, tour: 'done' });
  expect(state.presets).toHaveLength(1);
  expect(state.models).toHaveLength(1);
});

test('all conversations are removed, brought back, and removed for good', async () => {
  const { client } = shell;
  const list = async () =>
    (await client.conversations.list({})).conversations.length +
    (await client.conversations.list({ archived: true })).conversations.length;
  const first = await client.conversations.create({ title: 'Deleted before' });
  await client.conversations.remove({ conversationId: first.id });
  for (const title of ['one', 'two', 'three']) await client.conversations.create({ title });
  const { id: archivedId } = await client.conversations.create({ title: 'archived' });
  await client.conversations.update({ conversationId: archivedId, patch: { archived: true } });

  const { count, removedAt } = await client.conversations.removeAll();
  expect({ count, left: await list(), deleted: (await client.conversations.deleted()).count }).toEqual({
    ...{ count: 4, left: 0, deleted: 5 },
  });
  expect(await client.conversations.restoreAll({ removedAt })).toEqual({ count: 4 });
  expect({ left: await list(), deleted: (await client.conversations.deleted()).count }).toEqual({
    ...{ left: 4, deleted: 1 },
  });
  await client.conversations.removeAll();
  expect(await client.conversations.restoreAll({ removedAt: null })).toEqual({ count: 5 });
  await client.conversations.removeAll();
  const { id: kept } = await client.conversations.create({ title: 'Written afterwards' });
  expect(await client.conversations.purge()).toEqual({ count: 5 });
  expect(await client.conversations.restoreAll({ removedAt: null })).toEqual({ count: 0 });
  expect((await client.conversations.list({})).conversations.map(({ id }) => id)).toEqual([kept]);
  const { database } = await client.system.diagnostics({ check: true });
  expect(database).toMatchObject({ conversations: 1, messages: 0, problems: [] });
});

test('a reply that is being written is stopped when all conversations are removed', async () => {
  const { client } = shell;
  await client.settings.update({ modelId });
  const { id: conversationId } = await client.conversations.create({ modelId });
  const { reply } = await client.chat.send({
    conversationId,
    parentId: null,
    text: 'Go on',
    attachments: [],
  });
  const { removedAt } = await client.conversations.removeAll();
  await expect.poll(async () => (await client.system.state()).queue, { timeout: 60_000 }).toEqual([]);
  await client.conversations.restoreAll({ removedAt });
  const { messages } = await client.messages.path({ conversationId });
  expect(messages.find(({ id }) => id === reply.id)?.status).not.toMatch(/waiting|streaming/);
});

test('the data folder tells what takes its room', async () => {
  const { path, bytes, parts } = await shell.client.system.dataFolder();
  expect(path).toBe(shell.dataFolder);
  expect(parts.find(({ part }) => part === 'conversations')?.bytes).toBeGreaterThan(0);
  expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(bytes);
});
