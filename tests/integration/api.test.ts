import { getLlama } from 'node-llama-cpp';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildScriptedModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { replyFinished, type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const reply = 'The puna is a high plateau, and its grass is golden.';
const user = (content: string) => [{ role: 'user' as const, content }];

let folder: string;
let removeFolder: () => Promise<void>;
let shell: Shell;
let address: string;
let key: string;
let openai: OpenAI;
let tiny: string;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  tiny = await buildTinyModel(join(folder, 'tiny.gguf'));
  const scripted = await buildScriptedModel(join(folder, 'scripted.gguf'), { reply });
  const thinking = await buildScriptedModel(join(folder, 'thinking.gguf'), {
    reply: '<think>It is high up.</think>A plateau.',
  });
  const endless = await buildScriptedModel(join(folder, 'endless.gguf'), {
    ...{ reply: 'one two three four five six seven ', endless: true, ballast: 20 },
  });
  const adapter = await buildTinyAdapter(join(folder, 'adapter.gguf'));
  shell = await startShell({ dataFolder: join(folder, 'data'), api: true });
  for (const path of [tiny, scripted, thinking, endless, adapter]) await shell.client.models.add({ path });
  ({ address, key } = shell.api ?? { address: '', key: '' });
  openai = new OpenAI({ baseURL: address, apiKey: key, maxRetries: 0 });
});

afterAll(async () => {
  await shell.stop();
  await removeFolder();
});

/** One request with just the headers given, as fetch would not allow them. */
async function bare(path: string, headers: Record<string, string>, method = 'GET'): Promise<IncomingMessage> {
  const { port } = new URL(address);
  const asked = httpRequest({ host: '127.0.0.1', port, path, headers, method }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

describe('who gets in', () => {
  test('is whoever has the key, which is kept for its owner alone', async () => {
    const file = join(shell.dataFolder, 'api-key');
    expect(await readFile(file, 'utf8')).toBe(key);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
    const stranger = new OpenAI({ baseURL: address, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(
      stranger.chat.completions.create({ model: 'scripted', messages: user('Hi') }),
    ).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect((await bare('/v1/models', { host: new URL(address).host })).statusCode).toBe(401);
  });

  test('is nobody under another host, and no web page may read an answer', async () => {
    const authorization = `Bearer ${key}`;
    const host = new URL(address).host;
    expect((await bare('/v1/models', { authorization, host: 'evil.example' })).statusCode).toBe(421);
    expect(
      (await bare('/v1/models', { authorization, host: `evil.example:${host.split(':')[1]}` })).statusCode,
    ).toBe(421);
    const right = await bare('/v1/models', { authorization, host, origin: 'https://evil.example' });
    expect(right.statusCode).toBe(200);
    const preflight = await bare('/v1/models', { host, origin: 'https://evil.example' }, 'OPTIONS');
    expect(preflight.statusCode).toBe(401);
    for (const { headers } of [right, preflight]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

describe('models', () => {
  test('are those of the library, and adapters on models that they fit', async () => {
    const names = (await openai.models.list()).data.map(({ id }) => id);
    expect(names.toSorted()).toEqual(['endless', 'scripted', 'thinking', 'tiny', 'tiny+adapter']);
    expect(await openai.models.retrieve('tiny+adapter')).toMatchObject({ object: 'model', owned_by: 'puna' });
  });

  test('that are not there are told so', async () => {
    const asked = openai.chat.completions.create({ model: 'gpt-4o', messages: user('Hi') });
    await expect(asked).rejects.toMatchObject({
      ...{ status: 404, code: 'model_not_found', param: 'model' },
      message: expect.stringContaining('Puna has no model of the name "gpt-4o"') as string,
    });
    await expect(openai.models.retrieve('scripted+adapter')).rejects.toMatchObject({ status: 404 });
  });
});

describe('a chat completion', () => {
  test('comes whole, with what it took', async () => {
    const { data: whole, response } = await openai.chat.completions
      .create({
        model: 'scripted',
        messages: [{ role: 'developer', content: 'Be brief.' }, ...user('What is the puna?')],
      })
      .withResponse();
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(whole.choices).toMatchObject([
      { message: { role: 'assistant', content: reply }, finish_reason: 'stop' },
    ]);
    expect(whole.model).toBe('scripted');
    const { prompt_tokens: read = 0, completion_tokens: written = 0, total_tokens: all } = whole.usage ?? {};
    expect(read).toBeGreaterThan(5);
    expect(written).toBeGreaterThan(5);
    expect(all).toBe(read + written);
  });

  test('streams, with what it took as the last event where that is wanted', async () => {
    const stream = openai.chat.completions.stream({
      ...{ model: 'scripted', messages: user('What is the puna?') },
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    stream.on('content', (piece) => pieces.push(piece));
    const final = await stream.finalChatCompletion();
    expect(pieces.join('')).toBe(reply);
    expect(final.choices[0]).toMatchObject({ message: { content: reply }, finish_reason: 'stop' });
    expect(final.usage?.completion_tokens).toBeGreaterThan(5);
  });

  test('says its first piece long before its last', async () => {
    const stream = await openai.chat.completions.create({
      ...{ model: 'endless', messages: user('Count'), stream: true, max_tokens: 200 },
    });
    let events = 0;
    for await (const { choices } of stream) if (choices[0]?.delta.content) events++;
    expect(events).toBeGreaterThan(5);
  });

  test('tells thoughts apart, and closes them beforehand where none are wanted', async () => {
    const ask = (effort: 'none' | 'high') =>
      openai.chat.completions.create({
        ...{ model: 'thinking', messages: user('What is the puna?'), reasoning_effort: effort },
      });
    const [thoughtful, thoughtless] = [await ask('high'), await ask('none')];
    const message = { content: 'A plateau.', reasoning_content: 'It is high up.' };
    expect(thoughtful.choices[0]).toMatchObject({ message });
    // A scripted model thinks whatever stands before; but it has read that it had thought already.
    expect(thoughtless.usage?.prompt_tokens).toBeGreaterThan(thoughtful.usage?.prompt_tokens ?? Infinity);
  });

  test('ends at words, and at a length', async () => {
    const ask = async (options: { stop?: string[]; max_completion_tokens?: number }) =>
      (await openai.chat.completions.create({ model: 'scripted', messages: user('Hi'), ...options }))
        .choices[0];
    expect(await ask({ stop: ['golden', ', and'] })).toMatchObject({
      ...{ message: { content: 'The puna is a high plateau' }, finish_reason: 'stop' },
    });
    expect(await ask({ max_completion_tokens: 3 })).toMatchObject({
      ...{ message: { content: 'The puna is' }, finish_reason: 'length' },
    });
  });

  test('goes on with what the assistant has begun', async () => {
    const { choices } = await openai.chat.completions.create({
      model: 'scripted',
      messages: [...user('What is the puna?'), { role: 'assistant', content: 'The puna is a' }],
    });
    expect(choices[0]?.message.content).toBe(' high plateau, and its grass is golden.');
  });

  test('is the same for the same seed', async () => {
    const ask = async (seed: number) => {
      const { choices } = await openai.chat.completions.create({
        ...{ model: 'tiny', messages: user('Hello'), seed, temperature: 1.5, max_tokens: 24 },
      });
      return choices[0]?.message.content;
    };
    const [one, same, other] = [await ask(7), await ask(7), await ask(-8)];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  test('is another one with an adapter', async () => {
    const ask = async (model: string) => {
      const { choices } = await openai.chat.completions.create({
        ...{ model, messages: user('Hello'), temperature: 0, max_tokens: 16 },
      });
      return choices[0]?.message.content;
    };
    const [plain, adapted] = await Promise.all([ask('tiny'), ask('tiny+adapter')]);
    expect(adapted).not.toBe(plain);
    expect(await ask('tiny')).toBe(plain);
  });

  test('fits a JSON schema, from zod and from the client', async () => {
    const schema = z.object({
      name: z.string().max(12),
      kind: z.enum(['plateau', 'desert']),
      height: z.union([z.int(), z.null()]),
      plants: z.array(z.object({ golden: z.boolean() })).max(2),
    });
    const completion = await openai.chat.completions.parse({
      ...{ model: 'tiny', messages: user('Describe the puna.'), seed: 1, max_tokens: 400 },
      response_format: zodResponseFormat(schema, 'place'),
    });
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe('stop');
    expect(schema.parse(choice?.message.parsed)).toEqual(choice?.message.parsed);
  });

  test('is an object of JSON where that is wanted', async () => {
    // It would say forever what it says if nothing held it to an object.
    const { choices } = await openai.chat.completions.create({
      ...{ model: 'scripted', messages: user('Hi'), response_format: { type: 'json_object' }, max_tokens: 4 },
    });
    expect(choices[0]?.message.content?.trimStart()).toMatch(/^\{/);
  });
});

describe('side by side', () => {
  test('many streams say what they would say alone', async () => {
    const ask = async (index: number) => {
      const stream = openai.chat.completions.stream({
        ...{ model: 'tiny', messages: user(`Tell me of grass ${index}`), temperature: 0, max_tokens: 24 },
      });
      return (await stream.finalChatCompletion()).choices[0]?.message.content;
    };
    const numbers = Array.from({ length: 12 }, (_, index) => index);
    const together = await Promise.all(numbers.map(ask));
    const alone: unknown[] = [];
    for (const index of numbers) alone.push(await ask(index));
    expect(together).toEqual(alone);
    expect(new Set(together).size).toBeGreaterThan(6);
  });

  test('streams of one model go on at the same time, and those of others follow', async () => {
    const order: string[] = [];
    const ask = async (model: string, name: string) => {
      const stream = await openai.chat.completions.create({
        ...{ model, messages: user('Hi'), stream: true, max_tokens: 30 },
      });
      for await (const { choices } of stream) if (choices[0]?.delta.content) order.push(name);
    };
    await Promise.all([ask('endless', 'a'), ask('endless', 'b'), ask('scripted', 'c')]);
    const pairs = order.join('').replaceAll('c', '');
    expect(pairs).toMatch(/ab+a|ba+b/);
    expect(order.indexOf('c')).toBeGreaterThan(order.lastIndexOf('a'));
  });

  test('one that nobody reads any more ends, and makes its place free', async () => {
    const controller = new AbortController();
    const stream = await openai.chat.completions.create(
      { model: 'endless', messages: user('Count'), stream: true },
      { signal: controller.signal },
    );
    for await (const { choices } of stream) if (choices[0]?.delta.content) break;
    controller.abort();
    // Another model can be loaded only when nothing of this one is being written.
    const { choices } = await openai.chat.completions.create({ model: 'scripted', messages: user('Hi') });
    expect(choices[0]?.message.content).toBe(reply);
  });

  test('a conversation is answered at once, and what was written meanwhile goes on', async () => {
    const { client } = shell;
    const models = await client.system.state().then((state) => state.models);
    const endless = models.find(({ name }) => name === 'endless')?.id ?? 0;
    const controller = new AbortController();
    const stream = await openai.chat.completions.create(
      { model: 'endless', messages: user('Count'), stream: true },
      { signal: controller.signal },
    );
    let pieces = 0;
    const reading = (async () => {
      for await (const { choices } of stream) if (choices[0]?.delta.content) pieces++;
    })().catch(() => undefined);
    while (pieces === 0) await wait(5);
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1, maxTokens: 8 };
    const conversation = await client.conversations.create({ modelId: endless, sampling });
    await client.chat.send({ conversationId: conversation.id, parentId: null, text: 'Hi', attachments: [] });
    await replyFinished(shell);
    const after = pieces;
    while (pieces < after + 3) await wait(5);
    controller.abort();
    await reading;
    const { path } = await client.messages
      .path({ conversationId: conversation.id })
      .then((page) => ({ path: page.messages }));
    expect(path.at(-1)).toMatchObject({ status: 'complete' });
  });

  test('a conversation with another model ends a stream with a sentence, and what was not begun is done afterwards', async () => {
    const { client } = shell;
    const models = await client.system.state().then((state) => state.models);
    const scripted = models.find(({ name }) => name === 'scripted')?.id ?? 0;
    const stream = await openai.chat.completions.create({
      ...{ model: 'endless', messages: user('Count'), stream: true },
    });
    const begun = Promise.withResolvers<null>();
    const reading = (async () => {
      for await (const { choices } of stream) if (choices[0]?.delta.content) begun.resolve(null);
    })();
    const ended = expect(reading).rejects.toThrow(/made room for another one/);
    const whole = openai.chat.completions.create({
      model: 'endless',
      messages: user('Count'),
      max_tokens: 400,
    });
    await begun.promise;
    const conversation = await client.conversations.create({ modelId: scripted });
    await client.chat.send({ conversationId: conversation.id, parentId: null, text: 'Hi', attachments: [] });
    await replyFinished(shell);
    await ended;
    expect((await whole).usage?.completion_tokens).toBe(400);
  });
});

describe('a completion', () => {
  test('goes on with a text as it stands, whole and as a stream', async () => {
    const whole = await openai.completions.create({ model: 'scripted', prompt: 'The puna is a' });
    expect(whole.choices[0]).toMatchObject({
      ...{ text: ' high plateau, and its grass is golden.', finish_reason: 'stop' },
    });
    const stream = await openai.completions.create({
      model: 'scripted',
      prompt: 'The puna is a',
      stream: true,
    });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.text ?? '';
    expect(text).toBe(whole.choices[0]?.text);
  });
});

describe('embeddings', () => {
  test('are what llama.cpp computes, made as long as 1', async () => {
    const texts = ['The grass of the puna', '하늘은 넓다'];
    const { data, usage } = await openai.embeddings.create({ model: 'tiny', input: texts });
    const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, progressLogs: false });
    const model = await llama.loadModel({ modelPath: tiny });
    const context = await model.createEmbeddingContext({ contextSize: 512, threads: 1 });
    for (const [index, text] of texts.entries()) {
      const { vector } = await context.getEmbeddingFor(text);
      const length = Math.hypot(...vector);
      const own = data[index]?.embedding ?? [];
      expect(own).toHaveLength(vector.length);
      for (const [place, value] of vector.entries()) expect(own[place]).toBeCloseTo(value / length, 3);
    }
    await llama.dispose();
    expect(usage.prompt_tokens).toBeGreaterThan(8);
    const { data: floats } = await openai.embeddings.create({
      ...{ model: 'tiny', input: texts, encoding_format: 'float' },
    });
    expect(floats.map(({ embedding }) => embedding)).toEqual(data.map(({ embedding }) => embedding));
  });
});

describe('what cannot be', () => {
  const chat = { model: 'scripted', messages: user('Hi') };

  test.each([
    ['several answers', { ...chat, n: 2 }, /one answer for a request/],
    ['tools', { ...chat, tools: [{ type: 'function', function: { name: 'f' } }] }, /does not call tools/],
    [
      'pictures',
      { ...chat, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      /part of type "image_url"/,
    ],
    ['probabilities', { ...chat, logprobs: true }, /does not tell probabilities/],
    ['no messages', { model: 'scripted' }, /"messages" is wrong/],
    ['a temperature that is none', { ...chat, temperature: 'hot' }, /"temperature" is wrong/],
    ['no JSON', '{"model":', /no JSON that can be read/],
    [
      'a schema that cannot be held',
      { ...chat, response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { not: {} } } } },
      /"not", which Puna cannot hold/,
    ],
    [
      'a reference to nothing',
      {
        ...chat,
        response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { $ref: '#/$defs/x' } } },
      },
      /refers to "#\/\$defs\/x"/,
    ],
    [
      'too long a conversation',
      { ...chat, messages: user('puna '.repeat(40_000)) },
      /too long: together they have \d+ tokens/,
    ],
  ])('%s is refused in one sentence', async (_, body, sentence) => {
    const { status, body: answer } = await post('/chat/completions', body);
    expect(status).toBe(400);
    expect(answer).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.stringMatching(sentence) as string },
    });
  });

  test('and what is not known is passed over', async () => {
    const { status } = await post('/chat/completions', {
      ...chat,
      user: 'me',
      store: true,
      new_thing: { a: 1 },
    });
    expect(status).toBe(200);
  });

  test('is an address that is none', async () => {
    expect(await post('/images/generations', {})).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown_url' } },
    });
  });
});

test('curl is answered, too', async () => {
  const body = JSON.stringify({ model: 'scripted', messages: user('Hi'), stream: true });
  const { stdout } = await promisify(execFile)('curl', [
    ...['-sN', `${address}/chat/completions`, '-H', `Authorization: Bearer ${key}`],
    ...['-H', 'Content-Type: application/json', '-d', body],
  ]);
  const events = stdout.trim().split('\n\n');
  expect(events.at(-1)).toBe('data: [DONE]');
  const said = events
    .slice(0, -1)
    .map((event) => JSON.parse(event.replace('data: ', '')) as OpenAI.ChatCompletionChunk);
  expect(said.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(reply);
});

describe('the setting', () => {
  test('starts and stops it while Puna runs, and says why it cannot', async () => {
    const { client } = shell;
    const reach = (at: string | null) =>
      fetch(`${at}/models`, { headers: { authorization: `Bearer ${key}` } }).then(
        ({ status }) => status,
        () => null,
      );
    expect(await client.api.status()).toMatchObject({ on: true, address, key });
    const off = await client.api.configure({ on: false });
    expect(off).toMatchObject({ on: false, address: null, error: null });
    expect(await reach(address)).toBeNull();
    const taken = await client.api.configure({ on: true, port: shell.port });
    expect(taken).toMatchObject({ on: true, address: null });
    expect(taken.error).toMatch(/^Port \d+ is taken by another program\./);
    const free = Number(new URL(address).port);
    const on = await client.api.configure({ port: free });
    expect(on).toMatchObject({ on: true, port: free, address, error: null });
    expect(await reach(on.address)).toBe(200);
    expect((await client.system.state()).settings.api).toEqual({ on: true, port: free });
  });
});
