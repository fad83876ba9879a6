import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CompletionInput, ReplyEvent, ReplyResult } from '../../src/main/inference/messages.ts';
import { greedy, TestEngine } from '../support/inference.ts';
import { buildScriptedModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
const testEngine = new TestEngine();
const { engine } = testEngine;
const load = testEngine.load.bind(testEngine);
let tiny: string;
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

interface Completed extends ReplyResult {
  text: string;
}

async function complete(
  path: string,
  text: string,
  options: Partial<CompletionInput> & { signal?: AbortSignal; onEvent?: (event: ReplyEvent) => void } = {},
): Promise<Completed> {
  const { signal, onEvent, ...rest } = options;
  let written = '';
  const result = await engine.run(
    'complete',
    {
      path,
      prompt: { systemPrompt: '', turns: [{ role: 'user', text }], continued: null },
      ...{ adapters: [], stop: [], grammar: null },
      sampling: { ...greedy, presencePenalty: 0, frequencyPenalty: 0 },
      ...rest,
    },
    {
      ...(signal && { signal }),
      onEvent(event) {
        if (event.type === 'piece') written += event.piece;
        onEvent?.(event);
      },
    },
  );
  return { ...result, text: written };
}

const unbounded = { ...greedy, maxTokens: null, presencePenalty: 0, frequencyPenalty: 0 };

describe('texts for other programs', () => {
  beforeEach(() => load(tiny));

  test('are the same side by side as a conversation is answered alone', async () => {
    const questions = Array.from({ length: 12 }, (_, index) => `Tell me of grass number ${index}`);
    const together = await Promise.all(questions.map((question) => complete(tiny, question)));
    for (const [index, question] of questions.entries()) {
      const alone = await testEngine.ask(question, { sampling: greedy });
      expect(together[index]).toMatchObject({ text: alone.text, tokens: alone.tokens });
    }
  });

  test('leave the contexts of conversations as they are', async () => {
    const question = 'The grass of the puna is golden and the sky is wide. '.repeat(8);
    await testEngine.ask(question);
    await Promise.all(Array.from({ length: 9 }, (_, index) => complete(tiny, `Other ${index}`)));
    const again = await testEngine.ask(question);
    expect(again.cachedTokens).toBe(again.promptTokens - 1);
  });

  test('find what they share with an earlier one', async () => {
    const question = 'The grass of the puna is golden and the sky is wide. '.repeat(8);
    const first = await complete(tiny, question);
    const second = await complete(tiny, question);
    expect(first.cachedTokens).toBe(0);
    expect(second.cachedTokens).toBe(second.promptTokens - 1);
  });

  test('use the adapters that they name, as conversations do', async () => {
    const adapter = await buildTinyAdapter(join(folder, 'adapter.gguf'));
    const adapters = [{ path: adapter, scale: 1 }];
    const [plain, adapted, plainAgain] = await Promise.all([
      complete(tiny, 'Hello'),
      complete(tiny, 'Hello', { adapters }),
      complete(tiny, 'Hello'),
    ]);
    expect(adapted.text).toBe((await testEngine.ask('Hello', { sampling: greedy, adapters })).text);
    expect(plain.text).toBe((await testEngine.ask('Hello', { sampling: greedy })).text);
    expect(plainAgain.text).toBe(plain.text);
    expect(adapted.text).not.toBe(plain.text);
  });

  test('keep to a grammar', async () => {
    const grammar = 'root ::= "[" ("1" | "2") ("," ("1" | "2")){3} "]"';
    const { text, finish } = await complete(tiny, 'Numbers', { grammar });
    expect(text).toMatch(/^\[[12](,[12]){3}\]$/);
    expect(finish).toBe('end');
  });

  test('are refused with a grammar that cannot be read', async () => {
    await expect(complete(tiny, 'Numbers', { grammar: 'root ::= nothing' })).rejects.toMatchObject({
      code: 'invalid-input',
    });
  });

  test('repeat less with penalties', async () => {
    const distinct = async (penalty: number) => {
      const sampling = { ...unbounded, maxTokens: 60, presencePenalty: penalty, frequencyPenalty: penalty };
      const { text } = await complete(tiny, 'Hello', { sampling });
      return new Set(text.match(/\S+/g)).size;
    };
    expect(await distinct(2)).toBeGreaterThan(await distinct(-2));
  });

  test('are refused whole where they do not fit, and nothing is left out', async () => {
    await load(tiny, { contextSize: 256 });
    const prompt = {
      systemPrompt: '',
      turns: Array.from({ length: 21 }, (_, index) => ({
        role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
        text: 'The grass of the puna is golden and the sky is wide.',
      })),
      continued: null,
    };
    const asked = complete(tiny, '', { prompt });
    await expect(asked).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(/too long: together they have \d+ tokens, and 255 fit/) as string,
    });
  });

  test('are for the model that they name and no other', async () => {
    await expect(complete(endless, 'Hello')).rejects.toMatchObject({ code: 'no-model' });
  });
});

describe('side by side with conversations', () => {
  beforeEach(() => load(endless));

  test('a text holds while a conversation is answered, and goes on', async () => {
    const controller = new AbortController();
    const begun = Promise.withResolvers<null>();
    let pieces = 0;
    const text = complete(endless, 'Hello', {
      ...{ sampling: unbounded, signal: controller.signal },
      onEvent(event) {
        if (event.type !== 'piece') return;
        pieces++;
        begun.resolve(null);
      },
    });
    await begun.promise;
    // What was told before the reply's first piece is not yet held.
    let atFirst: number | null = null;
    await testEngine.ask('Hello', {
      sampling: { ...greedy, maxTokens: 40 },
      onEvent: (event) => {
        if (event.type === 'piece') atFirst ??= pieces;
      },
    });
    const atEnd = pieces;
    // One step may have been in the middle when the conversation came.
    expect(atEnd - Number(atFirst)).toBeLessThanOrEqual(1);
    while (pieces < atEnd + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect(await text).toMatchObject({ finish: 'stopped' });
  });

  test('a text makes room for another model', async () => {
    const begun = Promise.withResolvers<null>();
    const text = complete(endless, 'Hello', { sampling: unbounded, onEvent: () => begun.resolve(null) });
    const refused = expect(text).rejects.toMatchObject({ code: 'cancelled' });
    await begun.promise;
    await load(tiny);
    await refused;
    expect(await testEngine.ask('Hello')).toMatchObject({ tokens: 24 });
  });

  test('one that is cancelled while it waits for its place takes none', async () => {
    const controller = new AbortController();
    const many = Array.from({ length: 20 }, () =>
      complete(endless, 'Hello', { sampling: unbounded, signal: controller.signal }).catch(
        (thrown: unknown) => thrown,
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    controller.abort();
    const ends = await Promise.all(many);
    for (const end of ends)
      expect([{ code: 'cancelled' }, { finish: 'stopped' }]).toContainEqual(
        expect.objectContaining(
          'finish' in (end as object) ? { finish: 'stopped' } : { code: 'cancelled' },
        ) as object,
      );
    expect(await complete(endless, 'Hello')).toMatchObject({ tokens: 16 });
  });
});
