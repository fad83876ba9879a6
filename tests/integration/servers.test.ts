import type Database from 'better-sqlite3';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { databaseFile, openDatabase } from '../../src/main/history/index.ts';
import { Library } from '../../src/main/library/index.ts';
import { FileSecrets, secretsFile } from '../../src/main/secrets/index.ts';
import { Servers } from '../../src/main/servers/index.ts';
import { defaultSampling, type Server } from '../../src/shared/contract/index.ts';
import { freePort } from '../support/free-port.ts';
import {
  type Answer,
  answersPage,
  beginStream,
  knowsNot,
  listed,
  type OpenAiServer,
  type Piece,
  redirects,
  refuses,
  saysNothing,
  sendEvent,
  startOpenAiServer,
  streams,
} from '../support/openai-server.ts';
import { temporaryFolder } from '../support/shell.ts';

const key = 'sk-very-secret-0123456789';
/** Short enough for a test that waits until it is over. */
const patience = { connectMs: 5_000, modelsMs: 400, firstPieceMs: 400, silenceMs: 400 };

let folder: string;
let removeFolder: () => Promise<void>;
let database: Database.Database;
let library: Library;
let servers: Servers;
let standIn: OpenAiServer;
let told: Server[][];

beforeEach(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  database = openDatabase(databaseFile(folder));
  library = new Library({ database, modelsFolder: join(folder, 'models'), onChange: () => undefined });
  told = [];
  servers = new Servers({
    ...{ database, library, patience, secrets: new FileSecrets(secretsFile(folder)) },
    onChange: (list) => told.push(list),
  });
  standIn = await startOpenAiServer();
});

afterEach(async () => {
  await standIn.close();
  database.close();
  await removeFolder();
});

const add = (more: Partial<Parameters<Servers['add']>[0]> = {}) =>
  servers.add({ name: 'Box', address: standIn.address, key: null, ...more });

/** What comes of asking the first model of the stand-in. */
async function reply(
  options: Partial<Parameters<Servers['reply']>[1]> = {},
  signal = new AbortController().signal,
) {
  const [model] = await library.listAll();
  if (!model) throw new Error('There is no model.');
  const said = { text: '', thinking: '' };
  const conversation = {
    ...{ systemPrompt: 'Be brief.', turns: [{ role: 'user' as const, text: 'Hi' }] },
    ...{ continued: null, sampling: { ...defaultSampling, seed: 7 }, ...options },
  };
  const outcome = await servers
    .reply(model, conversation, {
      signal,
      onEvent: (event) => {
        if (event.type === 'piece') said[event.part] += event.piece;
      },
    })
    .then(
      (result) => ({ result, error: null }),
      (error: unknown) => ({ result: null, error: error as Error & { remedy: string; code: string } }),
    );
  return { ...said, ...outcome };
}

describe('a server that is added', () => {
  test('is asked for its models alone, and has those that one can talk to in the list', async () => {
    standIn.answers.models = listed([
      'qwen',
      { id: 'llama', max_model_len: 4096 },
      'nomic-embed-text',
      'whisper-1',
    ]);
    const server = await add();
    expect(server).toMatchObject({
      name: 'Box',
      address: standIn.address,
      place: 'this-computer',
      hasKey: false,
    });
    expect(server).toMatchObject({ state: 'reached', failure: null });
    expect(standIn.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/models']);
    const models = await library.listAll();
    const common = { kind: 'remote', origin: 'server', path: '', bytes: 0, missing: false };
    const from = { id: server.id, name: 'Box', place: 'this-computer' };
    expect(models).toMatchObject([
      { name: 'llama', ...common, server: from, contextLength: 4096 },
      { name: 'qwen', ...common, server: from, contextLength: null },
    ]);
    const ids = Object.fromEntries(models.map(({ name, id }) => [name, id]));
    expect(server.models).toEqual([
      { name: 'qwen', modelId: ids.qwen },
      { name: 'llama', modelId: ids.llama },
      { name: 'nomic-embed-text', modelId: null },
      { name: 'whisper-1', modelId: null },
    ]);
    expect(told.at(-1)).toEqual([server]);
  });

  test('with many models has none of them in the list until some are chosen', async () => {
    standIn.answers.models = listed(Array.from({ length: 13 }, (_, index) => `model-${index}`));
    const { id } = await add();
    expect(await library.listAll()).toEqual([]);
    servers.choose(id, ['model-3', 'model-12']);
    expect((await library.listAll()).map(({ name }) => name)).toEqual(['model-12', 'model-3']);
    const [first] = await library.listAll();
    await library.rename(first?.id ?? 0, 'Mine');
    servers.choose(id, ['model-12']);
    expect(await library.listAll()).toMatchObject([{ id: first?.id, name: 'Mine' }]);
    expect(() => servers.choose(id, ['none'])).toThrow('Box has no model none.');
    await reply();
    expect(standIn.asked.at(-1)?.body.model).toBe('model-12');
  });

  test('that names models after their files has them in the list without folders, and is asked by their whole names', async () => {
    const path = '/srv/models/Qwen3-8B-Q4_K_M.gguf';
    standIn.answers.models = listed([path, 'Qwen/Qwen3-8B']);
    await add();
    expect((await library.listAll()).map(({ name }) => name)).toEqual(['Qwen/Qwen3-8B', 'Qwen3-8B-Q4_K_M']);
    servers.choose(1, [path]);
    await reply();
    expect(standIn.asked.at(-1)?.body.model).toBe(path);
  });

  test.for<[string, Answer, RegExp]>([
    [
      'that does not take the key',
      refuses(401, { error: { message: `Wrong key ${key}` } }),
      /does not accept the key. It says: Wrong key …$/,
    ],
    ['that has no list of models', refuses(404, 'page not found'), /has no list of models at http:/],
    ['that has trouble', refuses(503, {}), /has trouble of its own \(503\)/],
    ['that wants to be left alone', refuses(429, {}, { 'retry-after': '7' }), /asked too often/],
    ['that is a web page', answersPage, /answers with a web page instead/],
    ['that says something else', refuses(200, { hello: 1 }), /answers with something else instead/],
    ['that says nothing', saysNothing, /has said nothing for a second/],
    ['that ends at once', (response) => void response.destroy(), /connection broke/],
    [
      'that leads elsewhere',
      redirects('https://elsewhere.example/v1/models'),
      /redirects to https:\/\/elsewhere.example, and nothing was sent/,
    ],
  ])('and one %s is not kept', async ([, answer, sentence]) => {
    standIn.answers.models = answer;
    await expect(add({ key })).rejects.toThrow(sentence);
    expect(servers.list()).toEqual([]);
    expect(await new FileSecrets(secretsFile(folder)).get('server-key-1')).toBeNull();
  });

  test('is not one that nobody answers at', async () => {
    const { address } = standIn;
    const port = await freePort();
    await expect(add({ address: `http://127.0.0.1:${port}/v1` })).rejects.toThrow(
      `No server answers at 127.0.0.1:${port}.`,
    );
    await expect(add({ address: 'http://nobody.invalid/v1' })).rejects.toThrow('nobody.invalid');
    expect(address).toBe(standIn.address);
  });

  test('sends its key to its own address alone', async () => {
    const other = await startOpenAiServer();
    try {
      standIn.answers.models = redirects(`${other.address}/models`);
      await expect(add({ key })).rejects.toThrow('redirects to');
      standIn.answers.models = listed(['llama']);
      const { id } = await add({ key });
      standIn.answers.chat = redirects(`${other.address}/chat/completions`);
      expect((await reply()).error?.message).toContain('redirects to');
      // Another name for the same machine is another host.
      const elsewhere = other.address.replace('127.0.0.1', 'localhost');
      await expect(servers.update(id, { address: elsewhere })).rejects.toThrow(
        'does not go to another host by itself',
      );
      expect(other.asked).toEqual([]);
      await servers.update(id, { address: elsewhere, key: null });
      expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
      expect(standIn.asked.map(({ headers }) => headers.authorization)).toEqual(
        standIn.asked.map(() => `Bearer ${key}`),
      );
    } finally {
      await other.close();
    }
  });

  test('takes its key along to another host where a person has said so, and keeps it with that one', async () => {
    const other = await startOpenAiServer();
    try {
      const { id } = await add({ key });
      const elsewhere = other.address.replace('127.0.0.1', 'localhost');
      await servers.update(id, { address: elsewhere, takesKeyAlong: true });
      expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${key}`]);
      expect((await reply()).error).toBeNull();
      expect(other.asked.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
      // What was said of one host says nothing of the next one, nor of the one before.
      await expect(servers.update(id, { address: standIn.address })).rejects.toThrow(
        'does not go to another host by itself',
      );
      await expect(
        servers.update(id, { address: 'http://api.models.example/v1', takesKeyAlong: true }),
      ).rejects.toThrow('The key would go to api.models.example unencrypted');
      expect(servers.list()).toMatchObject([{ address: elsewhere, hasKey: true }]);
    } finally {
      await other.close();
    }
  });

  test('has a name', async () => {
    await expect(add({ name: ' ' })).rejects.toThrow('The server has no name.');
    expect(standIn.asked).toEqual([]);
    const { id } = await add();
    await expect(servers.update(id, { name: '' })).rejects.toThrow('The server has no name.');
    await expect(servers.update(id, { name: 'x'.repeat(101) })).rejects.toThrow('is too long');
    expect(servers.list()).toMatchObject([{ name: 'Box' }]);
  });

  test('sends its key nowhere else, even if its address becomes another one behind its back', async () => {
    const other = await startOpenAiServer();
    try {
      const { id } = await add({ key });
      const elsewhere = other.address.replace('127.0.0.1', 'localhost');
      database.prepare('UPDATE servers SET address = ?').run(elsewhere);
      expect((await reply()).error?.message).toBe('The key of Box was given for another host.');
      expect((await servers.refresh(id)).failure?.message).toContain('given for another host');
      expect(other.asked).toEqual([]);
      await servers.update(id, { key });
      expect(other.asked).toMatchObject([{ headers: { authorization: `Bearer ${key}` } }]);
    } finally {
      await other.close();
    }
  });

  test('has its key neither in the database nor in what is told of it', async () => {
    const { id } = await add({ key });
    standIn.answers.chat = refuses(401, { error: { message: `Incorrect API key provided: ${key}.` } });
    const { error } = await reply();
    await servers.refresh(id);
    expect(JSON.stringify([servers.list(), told, error?.message, error?.remedy])).not.toContain(key);
    database.pragma('wal_checkpoint(TRUNCATE)');
    expect((await readFile(databaseFile(folder))).includes(key)).toBe(false);
    await servers.remove(id);
    expect(await readFile(secretsFile(folder), 'utf8')).toBe('{}');
    expect(await library.listAll()).toEqual([]);
  });

  test('keeps what it was when a change does not work', async () => {
    const { id } = await add({ key });
    standIn.answers.models = refuses(401, {});
    await expect(servers.update(id, { key: 'sk-other' })).rejects.toThrow('does not accept the key');
    standIn.answers.models = listed(['llama']);
    expect((await servers.refresh(id)).state).toBe('reached');
    expect(standIn.asked.at(-1)?.headers.authorization).toBe(`Bearer ${key}`);
    const asked = standIn.asked.length;
    expect(await servers.update(id, { name: 'Renamed' })).toMatchObject({ name: 'Renamed', hasKey: true });
    expect(standIn.asked).toHaveLength(asked);
    expect(await library.listAll()).toMatchObject([{ server: { name: 'Renamed' } }]);
  });

  test('tells anew how long conversations may be when it is asked again', async () => {
    standIn.answers.models = listed([{ id: 'llama', max_model_len: 4096 }]);
    const { id } = await add();
    standIn.answers.models = listed([{ id: 'llama', max_model_len: 8192 }, 'qwen']);
    await servers.refresh(id);
    expect(await library.listAll()).toMatchObject([{ name: 'llama', contextLength: 8192 }]);
    expect((await reply()).result).toMatchObject({ contextSize: 8192 });
  });

  test('may have no models yet, as Ollama says it', async () => {
    standIn.answers.models = refuses(200, { object: 'list', data: null });
    expect(await add()).toMatchObject({ state: 'reached', models: [] });
  });

  test('says why it cannot be reached now, and keeps its models', async () => {
    const { id } = await add();
    standIn.answers.models = refuses(500, { error: 'No memory' });
    const server = await servers.refresh(id);
    expect(server).toMatchObject({ state: 'failed', models: [{ name: 'llama' }] });
    expect(server.failure?.message).toContain('No memory');
    expect(told.map(([one]) => one?.state)).toEqual(['reached', 'asking', 'failed']);
  });
});

describe('a reply of a server', () => {
  test('comes in pieces, with what it took', async () => {
    await add({ key });
    standIn.answers.chat = streams(['Hello', ' there', '.'], {
      usage: { prompt_tokens: 21, completion_tokens: 3 },
    });
    const { text, thinking, result } = await reply();
    expect({ text, thinking }).toEqual({ text: 'Hello there.', thinking: '' });
    expect(result).toMatchObject({ finish: 'end', seed: 7, promptTokens: 21, tokens: 3, contextUsed: 24 });
    expect(standIn.asked.at(-1)).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: {
        ...{ model: 'llama', stream: true, seed: 7, temperature: defaultSampling.temperature },
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
      },
    });
  });

  test.for<[string, Piece[]]>([
    [
      'by llama-server and DeepSeek',
      [{ reasoning_content: ' It is' }, { reasoning_content: ' high.' }, '\n\nA plateau.'],
    ],
    ['by vLLM and Ollama', [{ reasoning: ' It is' }, { reasoning: ' high.' }, 'A plateau.']],
    ['in its words', ['<thi', 'nk>\nIt is', ' high.</th', 'ink>\n\nA plateau.']],
  ])('has thoughts and answer apart where they are told %s', async ([, pieces]) => {
    standIn.answers.chat = streams(pieces);
    await add();
    expect(await reply()).toMatchObject({
      thinking: 'It is high.',
      text: 'A plateau.',
      result: { finish: 'end' },
    });
  });

  test('has every character whole, wherever the network cuts it, and its end without a line behind it', async () => {
    const words = '안녕하세요, 푸나예요 🏔️.';
    standIn.answers.chat = async (response) => {
      beginStream(response);
      const said = JSON.stringify({ choices: [{ delta: { content: words } }] });
      const end = JSON.stringify({ choices: [{ delta: {}, finish_reason: 'stop' }] });
      const bytes = Buffer.from(`: a comment\r\n\r\ndata: ${said}\r\n\r\ndata: ${end}`);
      // Seven bytes are no whole number of Korean letters.
      for (let at = 0; at < bytes.length; at += 7) {
        response.write(bytes.subarray(at, at + 7));
        await wait(2);
      }
      response.end();
    };
    await add();
    expect(await reply()).toMatchObject({ text: words, error: null });
  });

  test('is whole also from a server that does not stream, tells no usage, or does not end its stream', async () => {
    await add();
    standIn.answers.chat = refuses(200, {
      choices: [{ message: { role: 'assistant', content: 'At once.' } }],
    });
    expect(await reply()).toMatchObject({ text: 'At once.', result: { finish: 'end', promptTokens: 0 } });
    standIn.answers.chat = streams(['One', ' two'], { usage: null, done: false });
    expect(await reply()).toMatchObject({ text: 'One two', result: { finish: 'end', tokens: 2 } });
    standIn.answers.chat = streams(['One'], { finish: 'length' });
    expect(await reply()).toMatchObject({ text: 'One', result: { finish: 'length' } });
    standIn.answers.chat = streams(['One'], {
      instead: (response) => void response.write('data: [DONE]\n\n'),
    });
    expect(await reply()).toMatchObject({ text: 'One', result: { finish: 'end' } });
  });

  test('comes also from a server that refuses parameters, which is asked without them from then on', async () => {
    await add();
    const unknown = ['top_k', 'min_p', 'repeat_penalty', 'stream_options'];
    standIn.answers.chat = knowsNot(unknown, streams(['Yes.']));
    const sampling = { ...defaultSampling, seed: 7, maxTokens: 50, repeatPenalty: 1.1 };
    expect(await reply({ sampling })).toMatchObject({ text: 'Yes.', error: null });
    const asked = standIn.asked.length;
    expect(await reply({ sampling })).toMatchObject({ text: 'Yes.', error: null });
    expect(standIn.asked).toHaveLength(asked + 1);
    const body = standIn.asked.at(-1)?.body ?? {};
    expect(Object.keys(body).filter((name) => unknown.includes(name))).toEqual([]);
    expect(body).toMatchObject({ temperature: sampling.temperature, max_tokens: 50, seed: 7 });
  });

  test('has its longest length under the name that newer models of OpenAI want', async () => {
    await add();
    standIn.answers.chat = (response, asked) => {
      if (!('max_tokens' in asked.body)) return streams(['Yes.'])(response, asked);
      const message =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
      return refuses(400, { error: { message, param: 'max_tokens', code: 'unsupported_parameter' } })(
        response,
        asked,
      );
    };
    const sampling = { ...defaultSampling, maxTokens: 50 };
    expect(await reply({ sampling })).toMatchObject({ text: 'Yes.' });
    expect(standIn.asked.at(-1)?.body).toMatchObject({ max_completion_tokens: 50 });
  });

  test('is asked for with all that a person has set, whatever was refused before for another reason', async () => {
    await add();
    standIn.answers.chat = refuses(400, { error: { message: 'These words are not allowed.' } });
    expect((await reply()).error?.message).toContain('These words are not allowed.');
    standIn.answers.chat = streams(['Yes.']);
    expect(await reply()).toMatchObject({ text: 'Yes.' });
    const { topK, minP } = defaultSampling;
    expect(standIn.asked.at(-1)?.body).toMatchObject({ seed: 7, top_k: topK, min_p: minP });
  });

  test('is asked for with all again where its server has another address', async () => {
    const { id } = await add();
    standIn.answers.chat = knowsNot(['top_k'], streams(['Yes.']));
    await reply();
    expect(standIn.asked.at(-1)?.body).not.toHaveProperty('top_k');
    const other = await startOpenAiServer();
    try {
      await servers.update(id, { address: other.address });
      await reply();
      expect(other.asked.at(-1)?.body).toMatchObject({ top_k: defaultSampling.topK });
    } finally {
      await other.close();
    }
  });

  test('goes on through events without words, and is no whole one while its end has no reason', async () => {
    await add();
    const said = (content: string, finish_reason: string | null) => ({
      choices: [{ delta: { content }, finish_reason }],
    });
    const goesOn: Answer = (response) => {
      beginStream(response);
      response.write('data:\n\n');
      sendEvent(response, said('One', ''));
      sendEvent(response, { choices: null });
      sendEvent(response, said(' two', ''));
    };
    standIn.answers.chat = async (response, asked) => {
      await goesOn(response, asked);
      sendEvent(response, said('', 'stop'));
      response.end();
    };
    expect(await reply()).toMatchObject({ text: 'One two', result: { finish: 'end' } });
    standIn.answers.chat = async (response, asked) => {
      await goesOn(response, asked);
      response.end();
    };
    const { text, error } = await reply();
    expect(text).toBe('One two');
    expect(error?.message).toContain('ended in the middle of the reply');
  });

  test('comes also from a server that refuses without saying what', async () => {
    await add();
    standIn.answers.chat = (response, asked) =>
      'min_p' in asked.body ? refuses(422, 'no')(response, asked) : streams(['Yes.'])(response, asked);
    expect(await reply()).toMatchObject({ text: 'Yes.' });
    standIn.answers.chat = refuses(400, { error: { message: 'Never.' } });
    expect((await reply()).error?.message).toContain('refuses this (400). It says: Never.');
  });

  test('is written on with what it has, or refused where the server cannot do that', async () => {
    await add();
    standIn.answers.chat = streams([' there.']);
    const continued = { text: 'Hello', thinking: '' };
    expect(await reply({ continued })).toMatchObject({ text: ' there.' });
    expect(standIn.asked.at(-1)?.body).toMatchObject({
      messages: [{ role: 'system' }, { role: 'user' }, { role: 'assistant', content: 'Hello' }],
      ...{ continue_final_message: true, add_generation_prompt: false },
    });
    standIn.answers.chat = knowsNot(['continue_final_message'], streams(['No.']));
    const { error } = await reply({ continued });
    expect(error?.message).toContain('does not write on where a reply ended');
    expect(error?.remedy).toBe('Make the reply again instead.');
  });

  test('that is stopped ends the request', async () => {
    await add();
    const stop = new AbortController();
    const closed = new Promise<void>((resolve) => {
      standIn.answers.chat = (response, asked) => {
        response.on('close', resolve);
        return streams(['One'], {
          instead: () => void setTimeout(() => stop.abort(), 50),
        })(response, asked);
      };
    });
    expect(await reply({}, stop.signal)).toMatchObject({
      text: 'One',
      result: { finish: 'stopped', tokens: 1 },
    });
    await closed;
    standIn.answers.chat = saysNothing;
    const early = new AbortController();
    const waiting = reply({}, early.signal);
    early.abort();
    expect((await waiting).error).toMatchObject({ code: 'cancelled' });
  });

  const broken: [string, Answer, RegExp, string][] = [
    [
      'a connection that breaks',
      streams(['One'], { instead: (response) => void setTimeout(() => response.destroy(), 50) }),
      /The connection broke to/,
      'One',
    ],
    [
      'a stream that ends without an end',
      streams(['One'], { finish: null, done: false }),
      /ended in the middle of the reply/,
      'One',
    ],
    [
      'a stream that ends within an event',
      streams(['One'], { instead: (response) => void response.end('data: {"choices":[{"del') }),
      /ended in the middle of the reply/,
      'One',
    ],
    [
      'silence in the middle',
      streams(['One'], { instead: () => undefined }),
      /has said nothing for a second/,
      'One',
    ],
    ['silence from the beginning', saysNothing, /has said nothing for a second/, ''],
    [
      'a failure in the middle',
      streams(['One'], {
        instead: (response) => void sendEvent(response, { error: { message: 'Out of memory', code: 500 } }),
      }),
      /trouble of its own \(500\). It says: Out of memory/,
      'One',
    ],
    [
      'a failure in a field of its own',
      streams(['One'], {
        instead: (response) => void response.end('error: {"code":500,"message":"Out of memory"}\n\n'),
      }),
      /It says: Out of memory/,
      'One',
    ],
    [
      'something that is no JSON',
      streams(['One'], { instead: (response) => void response.write('data: {oops\n\n') }),
      /answers with something else/,
      'One',
    ],
    [
      'another protocol',
      (response) => {
        response.socket?.end(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
        );
      },
      /does not answer as HTTP has it/,
      '',
    ],
    ['a web page', answersPage, /answers with a web page/, ''],
    [
      'a refused key',
      refuses(403, { error: { message: 'Forbidden' } }),
      /wants a key. It says: Forbidden/,
      '',
    ],
    [
      'a model that is gone',
      refuses(404, { error: { message: 'The model `llama` does not exist.', code: 'model_not_found' } }),
      /has no model llama any more/,
      '',
    ],
    ['an address without a chat', refuses(404, {}), /has no chat at/, ''],
    [
      'too many requests',
      refuses(429, { error: { message: 'Slow down' } }, { 'retry-after': '20' }),
      /asked too often, or its allowance is used up. It says: Slow down/,
      '',
    ],
    [
      'a context that is full, as OpenAI says it',
      refuses(400, {
        error: {
          message:
            "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
          code: 'context_length_exceeded',
        },
      }),
      /too long for llama/,
      '',
    ],
    [
      'a context that is full, as llama-server says it',
      refuses(400, {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
        },
      }),
      /too long for llama/,
      '',
    ],
    [
      'rules on content',
      streams(['One'], { finish: 'content_filter' }),
      /because of its rules on content/,
      'One',
    ],
  ];
  test.for(broken)('says so at %s, and keeps what came', async ([, answer, sentence, kept]) => {
    standIn.answers.chat = answer;
    await add();
    const { text, error } = await reply();
    expect(error?.message).toMatch(sentence);
    expect(error?.message).toContain(standIn.host);
    expect(text).toBe(kept);
    // One request each: what has failed is not sent again by itself.
    expect(standIn.asked.filter(({ path }) => path.endsWith('completions'))).toHaveLength(1);
  });

  test('says when to ask again', async () => {
    standIn.answers.chat = refuses(429, {}, { 'retry-after': '20' });
    await add();
    expect((await reply()).error?.remedy).toBe('Try again in 20 seconds.');
  });
});
