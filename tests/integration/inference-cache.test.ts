import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultSampling } from '../../src/shared/contract/index.ts';
import { greedy, type Question, TestEngine, turns } from '../support/inference.ts';
import { buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';
import { buildRecurrentModel, buildSlidingWindowModel } from '../support/tiny-memory-models.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const engine = new TestEngine();
const path = (name: string) => join(temporary.folder, `${name}.gguf`);
const question = 'The grass of the puna is golden and the sky is wide. '.repeat(6);

beforeAll(async () => {
  temporary = await temporaryFolder();
  await buildTinyModel(path('tiny'));
  await buildSlidingWindowModel(path('sliding'));
  await buildRecurrentModel(path('recurrent'));
});
afterAll(async () => {
  await engine.stop();
  await temporary.remove();
});

/** What the model says to it when it has nothing in its cache. */
async function fresh(
  name: string,
  asked: Question,
  asking: Parameters<TestEngine['ask']>[1],
): Promise<string> {
  await engine.load(path(name));
  const { cachedTokens, text } = await engine.ask(asked, asking);
  expect(cachedTokens).toBe(0);
  return text;
}

describe('a conversation that goes on', () => {
  beforeEach(() => engine.load(path('tiny')));

  test('reads only the new message: the reply before it is in the cache as it was written', async () => {
    const sampling = { ...defaultSampling, temperature: 1, seed: 3, maxTokens: 40 };
    const first = await engine.ask(question, { sampling });
    const second = await engine.ask(turns(question, first.text, 'And then?'), { sampling });
    // The last token of a reply is never read.
    expect(second.cachedTokens).toBe(first.promptTokens + first.tokens - 1);
    const third = await engine.ask(turns(question, first.text, 'And then?', second.text, 'Yes?'), {
      sampling,
    });
    expect(third.cachedTokens).toBe(second.promptTokens + second.tokens - 1);
  });

  test('reads nothing again when a reply is continued, and the parts are as good as the whole', async () => {
    const whole = await engine.ask(question, { sampling: { ...greedy, maxTokens: 30 } });
    await engine.load(path('tiny'));
    const half = await engine.ask(question, { sampling: { ...greedy, maxTokens: 15 } });
    expect(half.finish).toBe('length');
    const rest = await engine.ask(question, { continued: half, sampling: { ...greedy, maxTokens: 15 } });
    expect(rest.cachedTokens).toBe(half.contextUsed);
    expect(half.text + rest.text).toBe(whole.text);
    const next = await engine.ask(turns(question, half.text + rest.text, 'And then?'));
    expect(next.cachedTokens).toBe(rest.contextUsed);
  });

  test('can be continued after the engine has forgotten it', async () => {
    const half = await engine.ask(question, { sampling: { ...greedy, maxTokens: 15 } });
    await engine.load(path('tiny'));
    const rest = await engine.ask(question, { continued: half, sampling: { ...greedy, maxTokens: 15 } });
    expect(rest.cachedTokens).toBe(0);
    expect(rest.promptTokens).toBeGreaterThan(half.promptTokens);
    expect(rest.text.length).toBeGreaterThan(0);
  });

  test('is stopped while its prompt is read, and goes on reading there', async () => {
    const long = question.repeat(8);
    const stop = new AbortController();
    const stopped = await engine.ask(long, {
      signal: stop.signal,
      onEvent: (event) => event.type === 'reading' && event.progress > 0 && stop.abort(),
    });
    expect(stopped).toMatchObject({ finish: 'stopped', tokens: 0, text: '' });
    const again = await engine.ask(long);
    expect(again.cachedTokens).toBeGreaterThan(0);
    expect(again.cachedTokens).toBeLessThan(again.promptTokens);
  });

  test('tells how far the reading is, in steps that grow', async () => {
    const { events } = await engine.ask(question.repeat(8));
    const shares = events.flatMap((event) => (event.type === 'reading' ? [event.progress] : []));
    expect(shares.length).toBeGreaterThanOrEqual(2);
    expect(shares[0]).toBe(0);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
  });

  test('keeps a cache for each choice of adapters', async () => {
    const adapter = { path: await buildTinyAdapter(path('adapter')), scale: 1 };
    const plain = await engine.ask(question, { sampling: greedy });
    const adapted = await engine.ask(question, { adapters: [adapter], sampling: greedy });
    expect(adapted.cachedTokens).toBe(0);
    expect(adapted.text).not.toBe(plain.text);
    expect((await engine.ask(question)).cachedTokens).toBe(plain.promptTokens - 1);
    expect((await engine.ask(question, { adapters: [adapter] })).cachedTokens).toBe(adapted.promptTokens - 1);
  });
});

describe.each(['sliding', 'recurrent'])('a model with another kind of memory: %s', (name) => {
  const sampling = { ...greedy, maxTokens: 20 };

  test('reads only what is new', async () => {
    await engine.load(path(name));
    const first = await engine.ask(question, { sampling });
    const second = await engine.ask(turns(question, first.text, 'And then?'), { sampling });
    expect(second.cachedTokens).toBe(first.promptTokens + first.tokens - 1);
  });

  test('says after a reply that was changed what it says when it reads it anew', async () => {
    await engine.load(path(name));
    await engine.ask(question, { sampling });
    const changed = turns(question, 'No, not at all.', 'And then?');
    const { text } = await engine.ask(changed, { sampling });
    expect(text).toBe(await fresh(name, changed, { sampling }));
  });

  test('makes another reply to the same message without reading it again', async () => {
    await engine.load(path(name));
    const first = await engine.ask(question, { sampling });
    const again = await engine.ask(question, { sampling });
    expect(again.cachedTokens).toBe(first.promptTokens - 1);
    expect(again.text).toBe(first.text);
  });

  test('says on another branch what it says when it reads it anew', async () => {
    const branch = (words: number) => turns(question, 'Yes. '.repeat(words), 'First branch');
    const other = turns(question, 'No.', 'Second branch');
    const expected = await fresh(name, other, { sampling });
    const one = { ...sampling, maxTokens: 1 };
    // Of a short branch all is remembered that the other one needs, of a long one nothing, in between a part.
    for (let words = 40; words <= 240; words += 20) {
      await engine.load(path(name));
      await engine.ask(branch(words), { sampling: one });
      // These fill the other sequences, so that the first one is cut.
      for (const text of ['a', 'b', 'c']) await engine.ask(text.repeat(40), { sampling: one });
      const { text, cachedTokens } = await engine.ask(other, { sampling });
      expect(text).toBe(expected);
      // What has to be read again does not count as cached.
      if (words === 240) expect(cachedTokens).toBeLessThan(20);
    }
  });
});
