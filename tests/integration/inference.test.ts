import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReplyInput } from '../../src/main/inference/messages.ts';
import { automaticLoadSettings, defaultSampling } from '../../src/shared/contract/index.ts';
import { BareLlama } from '../support/bare-llama.ts';
import { greedy, TestEngine, turns } from '../support/inference.ts';
import { buildScriptedModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { rewrite } from '../support/rewritten-gguf.ts';
import { temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
const testEngine = new TestEngine();
const { engine } = testEngine;
const load = testEngine.load.bind(testEngine);
const ask = testEngine.ask.bind(testEngine);
let tiny: string;
/** Big enough that a reply can be stopped in its middle. */
let endless: string;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  tiny = await buildTinyModel(join(folder, 'tiny.gguf'));
  endless = await buildScriptedModel(join(folder, 'endless.gguf'), {
    ...{ reply: 'one two three four five six seven ', endless: true, ballast: 20 },
  });
});

afterAll(async () => {
  await engine.stop();
  await removeFolder();
});

describe('a reply', () => {
  beforeEach(() => load(tiny));

  test('is what llama.cpp itself says: greedily, token for token', async () => {
    const { tokens, text } = await ask('Tell me of the grass', { sampling: greedy });
    using bare = new BareLlama(tiny, { threads: 1, contextSize: 512 });
    const prompt = '<|im_start|>user\nTell me of the grass<|im_end|>\n<|im_start|>assistant\n';
    bare.decode(bare.tokenize(prompt));
    const expected: number[] = [];
    while (expected.length < tokens) {
      const next = bare.greedy();
      expected.push(next);
      bare.decode(Int32Array.of(next));
    }
    expect(tokens).toBe(16);
    // A character that the last token left unfinished is not shown.
    expect(text).toBe(
      bare
        .detokenize(expected)
        .trimStart()
        .replace(/\uFFFD+$/, ''),
    );
  });

  test('is the same for the same seed and another one for another', async () => {
    const hot = { ...defaultSampling, temperature: 1.5, maxTokens: 24 };
    const one = await ask('Hello', { sampling: { ...hot, seed: 7 } });
    const same = await ask('Hello', { sampling: { ...hot, seed: 7 } });
    const other = await ask('Hello', { sampling: { ...hot, seed: 8 } });
    const drawn = await ask('Hello', { sampling: hot });
    expect(same.text).toBe(one.text);
    expect(other.text).not.toBe(one.text);
    expect(await ask('Hello', { sampling: { ...hot, seed: drawn.seed } })).toMatchObject({
      text: drawn.text,
    });
  });

  test('ends at the longest length that was asked for', async () => {
    expect(await ask('Hello', { sampling: { ...greedy, maxTokens: 5 } })).toMatchObject({
      finish: 'length',
      tokens: 5,
    });
  });

  test('counts its tokens, and those of any text', async () => {
    const { promptTokens, contextUsed, tokens } = await ask('Hello', { sampling: greedy });
    expect(contextUsed).toBeGreaterThanOrEqual(promptTokens + tokens - 1);
    using bare = new BareLlama(tiny, { threads: 1, contextSize: 512 });
    const text = '오늘은 golden grass 🌾';
    const plain = await engine.run('countTokens', { text });
    expect(Math.abs(plain.tokens - bare.tokenize(text).length)).toBeLessThanOrEqual(1);
  });
});

describe('the context', () => {
  const long = 'The grass of the puna is golden and the sky is wide. '.repeat(8);

  beforeEach(async () => {
    await load(endless);
    await load(tiny);
  });

  test('survives between messages: only what is new is read', async () => {
    const first = await ask(turns(long));
    const second = await ask(turns(long, first.text, 'And then?'));
    expect(first.cachedTokens).toBe(0);
    expect(second.cachedTokens).toBeGreaterThanOrEqual(first.promptTokens - 2);
  });

  test('survives a switch to another branch and back', async () => {
    await ask(turns(long, 'Yes.', 'First branch'));
    const other = await ask(turns(long, 'Yes.', 'Second branch'));
    expect(other.cachedTokens).toBeGreaterThan(other.promptTokens / 2);
    const back = await ask(turns(long, 'Yes.', 'First branch'));
    expect(back.cachedTokens).toBeGreaterThan(back.promptTokens / 2);
  });

  test('survives another conversation in between', async () => {
    const first = await ask(turns(long));
    await ask(turns('Something else altogether. '.repeat(10)));
    const again = await ask(turns(long, first.text, 'And then?'));
    expect(again.cachedTokens).toBeGreaterThanOrEqual(first.promptTokens - 2);
  });

  test('gives the same reply whether it was read anew or found in the cache', async () => {
    const question = turns(long, 'Yes.', 'Which colour?');
    const fresh = await ask(question, { sampling: greedy });
    const cached = await ask(question, { sampling: greedy });
    expect(cached.cachedTokens).toBe(fresh.promptTokens - 1);
    expect(cached.text).toBe(fresh.text);
  });

  test('that is too small drops the oldest turns, not the system prompt, and says so', async () => {
    await load(tiny, { contextSize: 512 });
    const many = Array.from({ length: 41 }, (_, index) => `Turn ${index} about grass`);
    const systemPrompt = 'Be brief.';
    const reply = await ask(turns(...many), { systemPrompt });
    expect(reply.droppedTurns).toBeGreaterThan(0);
    expect(reply.promptTokens).toBeLessThanOrEqual(512 - 128);
    // A cut stays for a while, so that most of the next messages find their beginning in the cache.
    let found = 0;
    for (let message = 0; message < 6; message++) {
      many.push('ok', `go on ${message}`);
      const next = await ask(turns(...many), { systemPrompt });
      if (next.cachedTokens > next.promptTokens / 2) found++;
    }
    expect(found).toBeGreaterThanOrEqual(4);
  });

  test('refuses a single message that is too long, with the numbers', async () => {
    await load(tiny, { contextSize: 128 });
    await expect(ask('grass '.repeat(400))).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/\d+ tokens, and \d+ fit/) as string,
    });
  });

  test('ends a reply that fills it', async () => {
    await load(endless, { contextSize: 128 });
    const reply = await ask('Go', { sampling: { ...defaultSampling, maxTokens: null } });
    expect(reply.finish).toBe('length');
    expect(reply.contextUsed).toBeLessThanOrEqual(reply.contextSize);
  });
});

describe('what streams', () => {
  test('is whole characters, Korean and emoji too', async () => {
    const text = '풀이 금빛이에요 🌾 그리고 👩‍🌾 좋아요';
    await load(await buildScriptedModel(join(folder, 'korean.gguf'), { reply: text }));
    const said = await ask('Hi', { sampling: { ...defaultSampling, maxTokens: 200 } });
    expect(said.text).toBe(text);
    for (const event of said.events) if (event.type === 'piece') expect(event.piece).not.toContain('\uFFFD');
  });

  test('tells thoughts from the answer', async () => {
    await load(
      await buildScriptedModel(join(folder, 'thinking.gguf'), {
        reply: '<think>Hm, grass.</think>It is gold.',
      }),
    );
    expect(await ask('Hi')).toMatchObject({ thinking: 'Hm, grass.', text: 'It is gold.', finish: 'end' });
  });

  test('says how far the reading of a long prompt is', async () => {
    await load(tiny);
    const { events } = await ask('grass and wind '.repeat(120));
    expect(events[0]).toEqual({ type: 'reading', progress: 0 });
  });

  test('can be stopped, and goes on where it was stopped', async () => {
    await load(endless);
    const stop = new AbortController();
    const sampling = { ...defaultSampling, maxTokens: null };
    const stopped = await ask('Go', {
      sampling,
      signal: stop.signal,
      onEvent: ({ type }) => type === 'piece' && stop.abort(),
    });
    expect(stopped).toMatchObject({ finish: 'stopped' });
    expect(' one two three four five six seven'.repeat(400).trimStart().startsWith(stopped.text)).toBe(true);
    const more = await ask('Go', {
      continued: { text: stopped.text, thinking: '' },
      sampling: { ...defaultSampling, maxTokens: 10 },
    });
    expect(
      ' one two three four five six seven'
        .repeat(400)
        .trimStart()
        .startsWith(stopped.text + more.text),
    ).toBe(true);
    expect(more.text.length).toBeGreaterThan(0);
  });
});

describe('adapters', () => {
  test('change what is said by their scale, and can be switched between messages', async () => {
    await load(tiny);
    const path = await buildTinyAdapter(join(folder, 'adapter.gguf'));
    const say = async (adapters: ReplyInput['adapters']) =>
      (await ask('Hello', { adapters, sampling: greedy })).text;
    const plain = await say([]);
    expect(await say([{ path, scale: 0 }])).toBe(plain);
    expect(await say([{ path, scale: 2 }])).not.toBe(plain);
    expect(await say([])).toBe(plain);
  });

  test('of another shape are refused with a sentence, and the model stays', async () => {
    await load(tiny);
    const path = await buildTinyAdapter(join(folder, 'other.gguf'), { shape: { embedding: 128 } });
    await expect(ask('Hello', { adapters: [{ path, scale: 1 }] })).rejects.toMatchObject({
      code: 'invalid-input',
    });
    expect((await ask('Hello')).tokens).toBeGreaterThan(0);
  });
});

describe('a title', () => {
  test('is the model\u2019s short line without quotes, and leaves the cache alone', async () => {
    await load(await buildScriptedModel(join(folder, 'titles.gguf'), { reply: '"Golden grass".' }));
    const talk = [{ role: 'user' as const, text: 'What colour is the grass? '.repeat(5) }];
    const before = await ask(talk);
    expect(await engine.run('title', { turns: talk })).toEqual({ title: 'Golden grass' });
    expect((await ask(talk)).cachedTokens).toBe(before.promptTokens - 1);
  });
});

describe('a file', () => {
  test.each([
    ['missing', 'file-missing', () => Promise.resolve()],
    ['not GGUF', 'not-gguf', (path: string) => writeFile(path, 'Some notes, no model. '.repeat(10))],
    ['truncated', 'file-damaged', (path: string) => buildTinyModel(path).then(() => truncate(path, 20_000))],
    ['an adapter', 'invalid-input', (path: string) => buildTinyAdapter(path)],
  ] as const)('that is %s is refused as %s, and another loads afterwards', async (name, code, make) => {
    const path = join(folder, `${name}.gguf`);
    await make(path);
    await expect(load(path)).rejects.toMatchObject({ code });
    expect(await load(tiny)).toMatchObject({
      device: expect.stringContaining('') as string,
      contextSize: 2048,
    });
  });

  test('that lacks a part is refused with what llama.cpp misses', async () => {
    const path = join(folder, 'partial.gguf');
    await rewrite(tiny, path, { without: 'output_norm.weight' });
    await expect(load(path)).rejects.toMatchObject({
      code: 'unsupported-model',
      message: expect.stringMatching(/partial\.gguf .*'output_norm\.weight' not found\.$/) as string,
    });
  });

  test.each([0, 0xffff_ffff])('that claims a context of %i tokens gets one that works', async (value) => {
    const path = join(folder, 'boundless.gguf');
    await rewrite(tiny, path, { metadata: [['llama.context_length', { type: 'uint32', value }]] });
    expect((await load(path)).contextSize).toBeGreaterThan(0);
    expect((await ask('Hello')).tokens).toBeGreaterThan(0);
  });

  test('can stop loading', async () => {
    const stop = new AbortController();
    stop.abort();
    const settings = automaticLoadSettings;
    await expect(engine.run('load', { path: tiny, settings }, { signal: stop.signal })).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
    await expect(ask('Hello')).rejects.toMatchObject({ code: 'no-model' });
  });
});

describe('an engine that is killed in mid-reply', () => {
  test('fails the reply with its reason, and the next one works', async () => {
    await load(endless);
    const killed = ask('Go', {
      sampling: { ...defaultSampling, maxTokens: null },
      onEvent: ({ type }) => type === 'piece' && engine.pid && process.kill(engine.pid, 'SIGKILL'),
    });
    await expect(killed).rejects.toMatchObject({
      code: 'engine-died',
      message: expect.stringContaining('SIGKILL') as string,
    });
    await load(tiny);
    expect((await ask('Hello')).tokens).toBeGreaterThan(0);
  });
});
