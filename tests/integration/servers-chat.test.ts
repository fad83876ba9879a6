import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSampling, type Message, type Model } from '../../src/shared/contract/index.ts';
import { freePort } from '../support/free-port.ts';
import { buildScriptedModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { type OpenAiServer, sendEvent, startOpenAiServer, streams } from '../support/openai-server.ts';
import {
  type Client,
  connect,
  replyFinished,
  type Shell,
  startShell,
  temporaryFolder,
} from '../support/shell.ts';

const key = 'sk-very-secret-0123456789';
const greedy = { ...defaultSampling, temperature: 0, seed: 1, maxTokens: 24 };

let folder: string;
let removeFolder: () => Promise<void>;
let shell: Shell;
let standIn: OpenAiServer;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  standIn = await startOpenAiServer();
  shell = await startShell({ dataFolder: join(folder, 'data') });
});

afterAll(async () => {
  await shell.stop();
  await standIn.close();
  await removeFolder();
});

async function models(): Promise<Model[]> {
  return (await shell.client.system.state()).models;
}

async function modelOf(name: string): Promise<Model> {
  const found = (await models()).find((model) => model.name === name);
  if (!found) throw new Error(`There is no model ${name}.`);
  return found;
}

/** Asks in a new conversation, and waits for the reply. */
async function ask(modelId: number | null, text: string, { client } = shell): Promise<Message> {
  const conversation = await client.conversations.create({ modelId, sampling: greedy });
  const { reply } = await client.chat.send({ conversationId: conversation.id, parentId: null, text });
  return finished(conversation.id, reply.id);
}

async function finished(conversationId: number, messageId: number): Promise<Message> {
  await replyFinished(shell);
  const { messages } = await shell.client.messages.path({ conversationId });
  const found = messages.find(({ id }) => id === messageId);
  if (!found) throw new Error('The reply is not in view.');
  return found;
}

const asked = () => standIn.asked.map(({ method, path }) => `${method} ${path}`);

describe('nothing goes to a server', () => {
  test('but the question for its models, until a conversation has been given one of them and is answered', async () => {
    const local = await buildScriptedModel(join(folder, 'local.gguf'), {
      reply: 'I am here on this machine.',
    });
    await shell.client.models.add({ path: local });
    const server = await shell.client.servers.add({ name: 'Box', address: standIn.address, key });
    expect(asked()).toEqual(['GET /v1/models']);
    const remote = await modelOf('llama');
    expect(remote).toMatchObject({ kind: 'remote', server: { id: server.id, name: 'Box' } });

    // It is the only model of which nobody knows that it is not here; whatever is not told which model to take takes none of these.
    const said = await ask(null, 'Who are you?');
    expect(said).toMatchObject({ text: 'I am here on this machine.', stats: { model: 'local' } });
    for (const refused of [
      () => shell.client.settings.update({ modelId: remote.id }),
      () => shell.client.models.load({ modelId: remote.id }),
      () => shell.client.models.fit({ modelId: remote.id }),
      () => shell.client.models.details({ modelId: remote.id }),
      () => shell.client.library.delete({ modelId: remote.id }),
      () => shell.client.training.suggest({ modelId: remote.id, datasetIds: [1] }),
      () =>
        shell.client.training.start({
          ...{ modelId: remote.id, name: '', conversationId: null, datasetIds: [], files: [local] },
          settings: {},
        }),
      async () => (await shell.client.library.verify({ modelId: remote.id })).next(),
    ]) {
      await expect(refused()).rejects.toThrow(/answers from the server Box/);
    }
    expect(await shell.client.chat.countTokens({ modelId: remote.id, text: 'Hi' })).toEqual({ tokens: null });
    const conversation = await shell.client.conversations.create({ modelId: remote.id });
    expect(asked()).toEqual(['GET /v1/models']);
    // Not even at the next start.
    await shell.stop();
    shell = await startShell({ dataFolder: join(folder, 'data') });
    expect(await shell.client.servers.list()).toMatchObject([
      { state: 'unknown', models: [{ name: 'llama' }] },
    ]);
    expect(asked()).toEqual(['GET /v1/models']);

    await shell.client.chat.send({
      conversationId: conversation.id,
      parentId: null,
      text: 'Hi there, what is up?',
    });
    await replyFinished(shell);
    expect(asked()).toEqual(['GET /v1/models', 'POST /v1/chat/completions']);
    expect(standIn.asked.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    // Its title are its first words, and nobody was asked for a better one, also after something else was answered here.
    await ask(null, 'Who are you now?');
    expect(await shell.client.conversations.get({ conversationId: conversation.id })).toMatchObject({
      title: 'Hi there, what is up?',
    });
    expect(asked()).toHaveLength(2);
  });

  test('while models of this machine learn from its conversations, write datasets and name conversations', async () => {
    const { client } = shell;
    const before = standIn.asked.length;
    const tiny = await client.models.add({ path: await buildTinyModel(join(folder, 'learner.gguf')) });
    const writer = await client.models.add({
      path: await buildScriptedModel(join(folder, 'writer.gguf'), { reply: 'Grass grows high up there.' }),
    });
    const source = { from: 'history' as const, folderId: null, onlyLiked: false };
    const dataset = await client.datasets.import({
      ...{ kind: 'import', name: 'Mine', sources: [source], clean: null, validation: 0.4 },
    });
    const stateOf = async (id: number) =>
      (await client.datasets.list()).find((each) => each.id === id)?.state;
    await expect.poll(() => stateOf(dataset.id), { timeout: 20_000 }).toBe('ready');
    const { examples } = await client.datasets.page({ datasetId: dataset.id });
    expect(examples.map(({ asked: question }) => question)).toContain('Hi there, what is up?');
    const run = await client.training.start({
      ...{ modelId: tiny.id, datasetIds: [dataset.id], prompts: ['Who are you?'] },
      settings: { rank: 4, alpha: 8, context: 64, steps: 6, threads: 1, sampleEvery: 3, evaluateEvery: 3 },
    });
    const grown = await client.datasets.grow({
      ...{ kind: 'self-chat', name: '', topics: ['grass'], exchanges: 1, language: 'en' },
      ...{ modelId: writer.id, similarity: 0.7, seed: 1 },
    });
    await ask(null, 'What is new?');
    const runNow = async () => (await client.training.list()).find(({ id }) => id === run.id);
    await expect
      .poll(async () => (await runNow())?.samples.at(0)?.replies.length, { timeout: 60_000 })
      .toBeGreaterThan(0);
    await expect.poll(async () => (await runNow())?.state, { timeout: 60_000 }).toBe('done');
    await expect.poll(() => stateOf(grown.id), { timeout: 60_000 }).toMatch(/ready|failed/);
    await client.datasets.remove({ datasetId: grown.id });
    await client.training.remove({ runId: run.id });
    for (const { id } of [tiny, writer]) await client.models.remove({ modelId: id });
    expect(standIn.asked).toHaveLength(before);
  });

  test('by conversations that are brought from elsewhere, whatever their model is called', async () => {
    const { client } = shell;
    const remote = await modelOf('llama');
    let text = '';
    for await (const piece of await client.history.export({ format: 'json' })) text += piece;
    const mentioned = text.match(/"model": ?"llama"/g) ?? [];
    expect(mentioned.length).toBeGreaterThan(0);
    const bytes = Buffer.from(text);
    const { uploadId } = await client.uploads.begin({ name: 'history.json', bytes: bytes.length });
    await client.uploads.append({ uploadId, offset: 0, piece: new Blob([bytes]) });
    const own = async () => {
      const { conversations } = await client.conversations.list({});
      const all = await Promise.all(
        conversations.map(({ id }) => client.conversations.get({ conversationId: id })),
      );
      return all.filter(({ modelId }) => modelId === remote.id).length;
    };
    const before = await own();
    const { conversations } = await client.history.import({ uploadId });
    expect(conversations).toBeGreaterThan(0);
    expect(await own()).toBe(before);
  });

  test('of what other programs ask of Puna, and these do not see its models', async () => {
    const status = await shell.client.api.configure({ on: true, port: await freePort() });
    try {
      const file = await readFile(join(shell.dataFolder, 'api-key'), 'utf8');
      const answer = await fetch(`${status.address}/models`, {
        headers: { authorization: `Bearer ${file}` },
      });
      const { data } = (await answer.json()) as { data: { id: string }[] };
      expect(data.map(({ id }) => id)).toEqual(['local']);
    } finally {
      await shell.client.api.configure({ on: false });
    }
  });

  test('with its key in what Puna keeps, tells or prints, but for the file of secrets', async () => {
    const { client, dataFolder } = shell;
    const state = JSON.stringify([await client.system.state(), await client.servers.list()]);
    expect(state).not.toContain(key);
    for (const name of await readdir(dataFolder)) {
      if (name === 'secrets.json') continue;
      const content = await readFile(join(dataFolder, name)).catch(() => Buffer.alloc(0));
      expect(content.includes(key), name).toBe(false);
    }
  });
});

describe('a conversation with a model of a server', () => {
  test('keeps branches, thoughts, attachments, system prompt and statistics as any other', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    standIn.answers.chat = streams([{ reasoning_content: 'Hm.' }, 'First.'], {
      usage: { prompt_tokens: 30, completion_tokens: 4 },
    });
    const conversation = await client.conversations.create({
      modelId,
      systemPrompt: 'Be kind.',
      sampling: greedy,
    });
    const attachment = { name: 'notes.txt', mimeType: 'text/plain', bytes: 5, text: 'alpha' };
    const sent = await client.chat.send({
      ...{ conversationId: conversation.id, parentId: null, text: 'Read this.', attachments: [attachment] },
    });
    const first = await finished(conversation.id, sent.reply.id);
    expect(first).toMatchObject({ text: 'First.', thinking: 'Hm.', status: 'complete', error: null });
    expect(first.stats).toMatchObject({
      model: 'llama',
      promptTokens: 30,
      tokens: 4,
      contextUsed: 34,
      seed: 1,
    });
    expect(standIn.asked.at(-1)?.body.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'notes.txt:\n```\nalpha\n```\n\nRead this.' },
    ]);
    standIn.answers.chat = streams(['Second.']);
    const again = await client.chat.regenerate({ messageId: first.id });
    expect(await finished(conversation.id, again.reply.id)).toMatchObject({ text: 'Second.', thinking: '' });
    standIn.answers.chat = streams(['Fine.']);
    const next = await client.chat.send({
      conversationId: conversation.id,
      parentId: again.reply.id,
      text: 'And?',
    });
    expect(await finished(conversation.id, next.reply.id)).toMatchObject({ text: 'Fine.' });
    expect(standIn.asked.at(-1)?.body.messages).toMatchObject([
      { role: 'system' },
      { role: 'user' },
      { role: 'assistant', content: 'Second.' },
      { role: 'user', content: 'And?' },
    ]);
  });

  test('keeps what came of a reply that broke off, and continues it', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    standIn.answers.chat = streams(['One two'], {
      instead: (response) => void setTimeout(() => response.destroy(), 50),
    });
    const conversation = await client.conversations.create({ modelId, sampling: greedy });
    const { reply } = await client.chat.send({
      conversationId: conversation.id,
      parentId: null,
      text: 'Count.',
    });
    const broken = await finished(conversation.id, reply.id);
    expect(broken).toMatchObject({
      status: 'interrupted',
      text: 'One two',
      error: /The connection broke to/,
    });
    standIn.answers.chat = streams([' three']);
    await client.chat.continue({ messageId: reply.id });
    expect(await finished(conversation.id, reply.id)).toMatchObject({
      status: 'complete',
      text: 'One two three',
    });
  });

  test('thinks anew where a reply broke off in its thoughts', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    standIn.answers.chat = streams([{ reasoning_content: 'Let me see.' }], { finish: null, done: false });
    const conversation = await client.conversations.create({ modelId, sampling: greedy });
    const { reply } = await client.chat.send({
      conversationId: conversation.id,
      parentId: null,
      text: 'Count.',
    });
    expect(await finished(conversation.id, reply.id)).toMatchObject({
      status: 'interrupted',
      thinking: 'Let me see.',
      text: '',
    });
    standIn.answers.chat = streams([{ reasoning_content: 'I see.' }, 'One.']);
    await client.chat.continue({ messageId: reply.id });
    expect(await finished(conversation.id, reply.id)).toMatchObject({
      status: 'complete',
      thinking: 'I see.',
      text: 'One.',
    });
  });

  test('keeps what its server writes after that was taken away, and is then answered here', async () => {
    const { client } = shell;
    const other = await startOpenAiServer({ models: ['short-lived'] });
    try {
      const server = await client.servers.add({ name: 'Gone', address: other.address, key: null });
      const { id: modelId } = await modelOf('short-lived');
      const more = Promise.withResolvers<null>();
      other.answers.chat = streams(['One'], {
        instead: (response) =>
          void more.promise.then(() => {
            sendEvent(response, { choices: [{ delta: { content: ' two' }, finish_reason: 'stop' }] });
            response.end();
          }),
      });
      const conversation = await client.conversations.create({ modelId, sampling: greedy });
      const { reply } = await client.chat.send({
        conversationId: conversation.id,
        parentId: null,
        text: 'Count.',
      });
      await expect
        .poll(async () => (await client.system.state()).queue)
        .toMatchObject([{ state: 'writing' }]);
      await client.servers.remove({ serverId: server.id });
      more.resolve(null);
      expect(await finished(conversation.id, reply.id)).toMatchObject({
        status: 'complete',
        text: 'One two',
      });
      const asked = other.asked.length;
      const again = await client.chat.regenerate({ messageId: reply.id });
      expect(await finished(conversation.id, again.reply.id)).toMatchObject({
        text: 'I am here on this machine.',
      });
      expect(other.asked).toHaveLength(asked);
    } finally {
      await other.close();
    }
  });

  test('is stopped by the person, and answered beside one of this machine', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    standIn.answers.chat = streams(['One'], { instead: () => undefined });
    const conversation = await client.conversations.create({ modelId, sampling: greedy });
    const { reply } = await client.chat.send({
      conversationId: conversation.id,
      parentId: null,
      text: 'Count.',
    });
    await expect.poll(async () => (await client.system.state()).queue).toMatchObject([{ state: 'writing' }]);
    const local = await client.conversations.create({ sampling: greedy });
    const here = await client.chat.send({ conversationId: local.id, parentId: null, text: 'Who are you?' });
    const path = () => client.messages.path({ conversationId: local.id });
    await expect
      .poll(async () => (await path()).messages.at(-1), { timeout: 20_000 })
      .toMatchObject({ id: here.reply.id, status: 'complete', text: 'I am here on this machine.' });
    expect((await client.system.state()).queue).toMatchObject([{ messageId: reply.id, state: 'writing' }]);
    await client.chat.stop({ messageId: reply.id });
    expect(await finished(conversation.id, reply.id)).toMatchObject({ status: 'stopped', text: 'One' });
  });

  test('is changed to one of this machine and back, by two windows; each reply says who has written it', async () => {
    const { client } = shell;
    const { client: second, socket } = await connect(shell.link, shell.port);
    const [here, there] = [await modelOf('local'), await modelOf('llama')];
    const told = new Map<number, Message>();
    const events = await second.system.events();
    const listening = (async () => {
      for await (const event of events)
        if (event.type === 'message') told.set(event.message.id, event.message);
    })().catch(() => undefined);
    const { id: conversationId } = await client.conversations.create({ modelId: here.id, sampling: greedy });
    const choose = (window: Client, { id: modelId }: Model) =>
      window.conversations.update({ conversationId, patch: { modelId } });
    const send = async (window: Client, text: string) => {
      const { messages } = await window.messages.path({ conversationId });
      const parentId = messages.at(-1)?.id ?? null;
      return (await window.chat.send({ conversationId, parentId, text })).reply.id;
    };
    try {
      const first = await send(client, 'Who are you?');
      await replyFinished(shell);
      await choose(second, there);
      // The other window changes the model while the server writes: this reply stays that of the server.
      const changed = Promise.withResolvers<null>();
      standIn.answers.chat = streams(['From'], {
        instead: (response) =>
          void changed.promise.then(() => {
            sendEvent(response, { choices: [{ delta: { content: ' afar.' }, finish_reason: 'stop' }] });
            response.end();
          }),
      });
      const remote = await send(second, 'And you?');
      await expect
        .poll(async () => (await client.system.state()).queue)
        .toMatchObject([{ messageId: remote, state: 'writing' }]);
      await choose(client, here);
      changed.resolve(null);
      await replyFinished(shell);
      const last = await send(second, 'And now?');
      await replyFinished(shell);

      const from = { model: 'llama', server: { name: 'Box', place: 'this-computer' } };
      const self = { model: 'local', server: null };
      const replies = [
        { id: first, text: 'I am here on this machine.', stats: self },
        { id: remote, text: 'From afar.', stats: from },
        { id: last, text: 'I am here on this machine.', stats: self },
      ];
      for (const window of [client, second]) {
        const { messages } = await window.messages.path({ conversationId });
        expect(messages.filter(({ role }) => role === 'assistant')).toMatchObject(replies);
      }
      await expect.poll(() => replies.map(({ id }) => told.get(id)?.stats)).toMatchObject([self, from, self]);
      // Words of both have gone there, as far as they were in view, and no others.
      expect(standIn.asked.at(-1)?.body.messages).toEqual([
        { role: 'user', content: 'Who are you?' },
        { role: 'assistant', content: 'I am here on this machine.' },
        { role: 'user', content: 'And you?' },
      ]);

      // What it says stays when the server is called otherwise, and goes along into files.
      const [server] = await client.servers.list();
      const serverId = server?.id ?? 0;
      await client.servers.update({ serverId, patch: { name: 'Attic' } });
      const exported = async (format: 'markdown' | 'json') => {
        let all = '';
        for await (const piece of await client.history.export({ conversationId, format })) all += piece;
        return all;
      };
      const heads = (await exported('markdown')).match(/^## .*$/gm);
      expect(heads).toEqual(['## You', '## local', '## You', '## llama on Box', '## You', '## local']);
      const { conversations } = JSON.parse(await exported('json')) as {
        conversations: { messages: Pick<Message, 'stats'>[] }[];
      };
      expect(conversations[0]?.messages[3]).toMatchObject({ stats: from });
      await client.servers.update({ serverId, patch: { name: 'Box' } });
    } finally {
      socket.terminate();
      await listening;
    }
  });

  test('has a name and tags of a person’s own, and is asked by the one that its server knows', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    await client.models.rename({ modelId, name: 'My llama' });
    expect(await client.library.tag({ modelId, tags: ['far', '큰 모델'] })).toMatchObject({
      ...{ name: 'My llama', tags: ['far', '큰 모델'], kind: 'remote' },
    });
    standIn.answers.chat = streams(['Yes.']);
    expect(await ask(modelId, 'Are you there?')).toMatchObject({
      text: 'Yes.',
      stats: { model: 'My llama' },
    });
    expect(standIn.asked.at(-1)?.body.model).toBe('llama');
    const [server] = await client.servers.list();
    await client.servers.refresh({ serverId: server?.id ?? 0 });
    expect(await modelOf('My llama')).toMatchObject({ id: modelId, tags: ['far', '큰 모델'] });
    await client.library.tag({ modelId, tags: [] });
    await client.models.rename({ modelId, name: 'llama' });
  });

  test('is refused with adapters before anything is written', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    const adapter = await client.models.add({ path: await buildTinyAdapter(join(folder, 'adapter.gguf')) });
    const adapters = [{ adapterId: adapter.id, scale: 1 }];
    const conversation = await client.conversations.create({ modelId, adapters });
    const before = standIn.asked.length;
    await expect(
      client.chat.send({ conversationId: conversation.id, parentId: null, text: 'Hi' }),
    ).rejects.toThrow('Adapters work on models of this machine alone, and llama answers from Box.');
    expect((await client.messages.path({ conversationId: conversation.id })).messages).toEqual([]);
    expect(standIn.asked).toHaveLength(before);
  });

  test('is answered by a model of this machine once its own is off the list', async () => {
    const { client } = shell;
    const { id: modelId } = await modelOf('llama');
    const conversation = await client.conversations.create({ modelId, sampling: greedy });
    await client.models.remove({ modelId });
    expect(await client.servers.list()).toMatchObject([{ models: [{ name: 'llama', modelId: null }] }]);
    const before = standIn.asked.length;
    const { reply } = await client.chat.send({ conversationId: conversation.id, parentId: null, text: 'Hi' });
    expect(await finished(conversation.id, reply.id)).toMatchObject({ text: 'I am here on this machine.' });
    expect(standIn.asked).toHaveLength(before);
    const [server] = await client.servers.list();
    await client.servers.choose({ serverId: server?.id ?? 0, names: ['llama'] });
    // A model that is chosen again is another one: what was said meanwhile does not go there by itself.
    expect((await client.conversations.get({ conversationId: conversation.id })).modelId).toBeNull();
  });
});

describe('another Puna as a server', () => {
  test('answers as the same models do here', async () => {
    const other = await startShell({ dataFolder: join(folder, 'other'), api: true });
    try {
      const thinking = '<think>It is high up.</think>A plateau in the Andes.';
      const paths = [
        await buildTinyModel(join(folder, 'tiny.gguf')),
        await buildScriptedModel(join(folder, 'thinker.gguf'), { reply: thinking }),
      ];
      for (const path of paths) {
        await other.client.models.add({ path });
        await shell.client.models.add({ path });
      }
      const { address = '', key: otherKey = '' } = other.api ?? {};
      await expect(shell.client.servers.add({ name: 'Other', address, key: 'wrong' })).rejects.toThrow(
        'does not accept the key',
      );
      const server = await shell.client.servers.add({ name: 'Other', address, key: otherKey });
      expect(server.models.map(({ name }) => name).toSorted()).toEqual(['thinker', 'tiny']);
      for (const name of ['tiny', 'thinker']) {
        const [here, there] = (await models()).filter((model) => model.name === name);
        const replies: Message[] = [];
        for (const model of [here, there]) replies.push(await ask(model?.id ?? null, 'What is a puna?'));
        const [one, two] = replies;
        expect(new Set([here?.kind, there?.kind])).toEqual(new Set(['model', 'remote']));
        expect(one?.text).not.toBe('');
        expect(two).toMatchObject({ text: one?.text, thinking: one?.thinking, status: 'complete' });
        const { promptTokens, tokens } = one?.stats ?? {};
        expect(two?.stats).toMatchObject({ promptTokens, tokens });
      }
    } finally {
      await other.stop();
    }
  });
});

describe('puna servers', () => {
  const run = promisify(execFile);
  const puna = (...words: string[]) =>
    run(process.execPath, ['src/main/cli.ts', ...words, '--data', join(folder, 'commands')], {
      // A proxy at which nobody answers: what is on this computer is reached without.
      env: { ...process.env, HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' },
    });

  test('adds servers, lists them and their models, and removes them', async () => {
    const { stdout } = await puna('servers', 'add', standIn.address, '--name', 'Box');
    expect(stdout).toContain('llama');
    expect((await puna('servers', 'list')).stdout).toContain(standIn.address);
    await expect(puna('servers', 'models', 'Nobody')).rejects.toThrow('There is no server Nobody.');
    expect((await puna('servers', 'models', 'Box', '--choose', 'llama')).stdout).toContain('llama');
    standIn.answers.chat = streams(['Hello', ' you.']);
    const chat = await puna('chat', '--server', 'Box', '--model', 'llama', '--prompt', 'Hi', '--json');
    expect(JSON.parse(chat.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'result',
      text: 'Hello you.',
    });
    await expect(
      puna('chat', '--server', 'Box', '--model', 'llama', '--adapter', 'a.gguf', '--prompt', 'Hi'),
    ).rejects.toThrow('--adapter is for models of this machine');
    await puna('servers', 'remove', 'Box');
    expect((await puna('servers', 'list')).stdout).not.toContain('Box');
  });

  test('asks servers on this computer without a proxy, also by https, and others through it', async () => {
    const fixture = 'tests/fixtures/hub';
    const pem = async (name: string) => readFile(join(fixture, `${name}.pem`));
    const near = createServer({ key: await pem('key'), cert: await pem('certificate') }, (_, response) =>
      response.setHeader('content-type', 'application/json').end('{"data":[{"id":"near"}]}'),
    );
    const tunnels: (string | undefined)[] = [];
    const proxy = createHttpServer().on('connect', ({ url }, socket) => {
      tunnels.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    for (const each of [near, proxy]) await once(each.listen(0, '127.0.0.1'), 'listening');
    const portOf = (each: NetServer) => (each.address() as AddressInfo).port;
    const add = (address: string) =>
      run(process.execPath, ['src/main/cli.ts', 'servers', 'add', address, '--data', join(folder, 'near')], {
        env: {
          ...process.env,
          ...{ HTTPS_PROXY: `http://127.0.0.1:${portOf(proxy)}`, NO_PROXY: '' },
          NODE_EXTRA_CA_CERTS: join(fixture, 'certificate.pem'),
        },
      }).then(
        ({ stdout }) => stdout,
        ({ stderr }: { stderr: string }) => stderr,
      );
    try {
      expect(await add(`https://localhost:${portOf(near)}`)).toContain('has one model');
      expect(await add(`https://127.0.0.1:${portOf(near)}`)).toContain('has one model');
      // Whatever comes of it: nobody listens there, or it is a name that the certificate does not have.
      expect(await add(`https://[::1]:${portOf(near)}`)).toMatch(/^puna: /);
      expect(tunnels).toEqual([]);
      expect(await add('https://models.example/v1')).toContain(
        'The proxy does not let through to models.example',
      );
      expect(tunnels).toEqual(['models.example:443']);
    } finally {
      for (const each of [near, proxy]) each.close();
    }
  });

  test('refuses a server without a name, before it is asked', async () => {
    const before = standIn.asked.length;
    for (const name of ['', '  ']) {
      await expect(puna('servers', 'add', standIn.address, '--name', name)).rejects.toThrow(
        /^puna: The server has no name\. Give it one of at most 100 characters\.$/m,
      );
    }
    await expect(puna('servers', 'add', standIn.address, '--name', 'x'.repeat(101))).rejects.toThrow(
      'The name of the server is too long.',
    );
    expect(standIn.asked).toHaveLength(before);
  });

  test('reads a key from standard input, and keeps it where only its owner can read it', async () => {
    const adding = puna('servers', 'add', standIn.address, '--key', '--json');
    adding.child.stdin?.end(`${key}\n`);
    const { stdout } = await adding;
    expect(JSON.parse(stdout)).toMatchObject({ type: 'result', name: standIn.host, hasKey: true });
    expect(stdout).not.toContain(key);
    expect(standIn.asked.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    const kept = join(folder, 'commands', 'secrets.json');
    if (process.platform !== 'win32') expect((await stat(kept)).mode & 0o777).toBe(0o600);
  });
});
