import {
  getLlama,
  JinjaTemplateChatWrapper,
  type Llama,
  LlamaChatSession,
  type LlamaModel,
} from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { buildScriptedModel, buildTinyAdapter, buildTinyModel } from '../support/models.ts';
import { chatTemplate, thinkingChatTemplate } from '../support/tiny-vocabulary.ts';
import { temporaryFolder } from '../support/shell.ts';

let llama: Llama;
let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (name: string) => join(temporary.folder, name);

beforeAll(async () => {
  temporary = await temporaryFolder();
  llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1 });
});
afterAll(async () => {
  await llama.dispose();
  await temporary.remove();
});

interface Answer {
  prompt?: string;
  template?: string;
  adapter?: string;
  maxTokens?: number;
  temperature?: number;
}

async function answer(model: LlamaModel, options: Answer = {}) {
  const { prompt = 'Hello', template = chatTemplate, adapter, maxTokens = 100, temperature = 0 } = options;
  const context = await model.createContext({
    contextSize: 512,
    threads: 1,
    ...(adapter !== undefined && { lora: adapter }),
  });
  try {
    const session = new LlamaChatSession({
      contextSequence: context.getSequence(),
      chatWrapper: new JinjaTemplateChatWrapper({ template, tokenizer: model.tokenizer }),
    });
    return await session.promptWithMeta(prompt, { maxTokens, temperature });
  } finally {
    await context.dispose();
  }
}

describe('a model of random weights', () => {
  it.each(['F32', 'F16', 'Q8_0'] as const)(
    'in %s loads and speaks, the same with the same seed',
    async (tensorType) => {
      const same = [];
      for (const file of ['first.gguf', 'second.gguf']) {
        const modelPath = await buildTinyModel(path(`${tensorType}-${file}`), { tensorType, seed: 5 });
        const model = await llama.loadModel({ modelPath });
        expect(model.trainContextSize).toBe(2048);
        same.push((await answer(model, { maxTokens: 20 })).responseText);
        await model.dispose();
      }
      expect(same[0]?.length).toBeGreaterThan(0);
      expect(same[0]).toBe(same[1]);
    },
  );

  it.each([
    'The people said hello to all of us.',
    '안녕하세요, 학습을 시작합니다. 뷁!',
    '🎉 emoji 👩‍👩‍👧 and é, ß, 漢字, עברית',
    '  two spaces\tand\n\n\tlines \r\n',
    '<not a token> & "quotes"',
  ])('gives back every text from its tokens: %j', async (text) => {
    const model = await llama.loadModel({
      modelPath: await buildTinyModel(path('vocabulary.gguf')),
      vocabOnly: true,
    });
    const tokens = model.tokenize(text);
    expect(tokens.length).toBeLessThan(Buffer.byteLength(text) + 1);
    expect(model.detokenize(tokens)).toBe(text);
    await model.dispose();
  });

  it('finds the end of a turn in its template by a token', async () => {
    const model = await llama.loadModel({
      modelPath: await buildTinyModel(path('template.gguf')),
      vocabOnly: true,
    });
    expect(model.fileInfo.metadata.tokenizer.chat_template).toBe(chatTemplate);
    const [token, ...more] = model.tokenize('<|im_end|>', true);
    expect(more).toEqual([]);
    expect(model.isEogToken(token)).toBe(true);
    await model.dispose();
  });

  it('speaks otherwise with an adapter', async () => {
    const model = await llama.loadModel({ modelPath: await buildTinyModel(path('base.gguf')) });
    const adapter = await buildTinyAdapter(path('adapter.gguf'));
    const without = await answer(model, { maxTokens: 30 });
    const withAdapter = await answer(model, { maxTokens: 30, adapter });
    expect(withAdapter.responseText).not.toBe(without.responseText);
    await model.dispose();
  });
});

describe('a model with a script', () => {
  const reply =
    'Hello there, the the the answer is 42.\n\n- 안녕하세요 🎉\n- the end\n```js\nlet x = 1;\n```\n';

  it.each([
    ['Hi', 0],
    ['What is the answer?\n\n안녕', 2],
  ])('answers %j with its reply, at temperature %d', async (prompt, temperature) => {
    const model = await llama.loadModel({
      modelPath: await buildScriptedModel(path('scripted.gguf'), { reply }),
    });
    const { responseText, stopReason } = await answer(model, { prompt, temperature });
    expect([responseText, stopReason]).toEqual([reply, 'eogToken']);
    await model.dispose();
  });

  it('thinks first where its reply does', async () => {
    const modelPath = await buildScriptedModel(path('thinking.gguf'), {
      reply: '<think>Let me see. It is easy.</think>It is 42.',
    });
    const model = await llama.loadModel({ modelPath });
    const { response } = await answer(model, { template: thinkingChatTemplate });
    expect(response.filter((part) => part !== '')).toMatchObject([
      { type: 'segment', segmentType: 'thought', text: 'Let me see. It is easy.' },
      'It is 42.',
    ]);
    await model.dispose();
  });

  it('goes on where a reply of words that all differ has ended', async () => {
    const words = 'One two three four five six seven eight.';
    const model = await llama.loadModel({
      modelPath: await buildScriptedModel(path('words.gguf'), { reply: words }),
    });
    const context = await model.createContext({ contextSize: 256, threads: 1 });
    const sequence = context.getSequence();
    const said = `<|im_start|>user\nCount<|im_end|>\n<|im_start|>assistant\nOne two three four`;
    let rest = '';
    for await (const token of sequence.evaluate(model.tokenize(said, true), { temperature: 0 })) {
      if (model.isEogToken(token)) break;
      rest += model.detokenize([token]);
    }
    expect(rest).toBe(' five six seven eight.');
    await context.dispose();
    await model.dispose();
  });

  it('never ends where it is endless', async () => {
    const modelPath = await buildScriptedModel(path('endless.gguf'), {
      reply: ' on and',
      endless: true,
      ballast: 1,
    });
    const model = await llama.loadModel({ modelPath });
    const { responseText, stopReason } = await answer(model, { maxTokens: 50 });
    expect([responseText.trim(), stopReason]).toEqual([' on and'.repeat(25).trim(), 'maxTokens']);
    await model.dispose();
  });

  it('does not take a reply that it cannot say', async () => {
    await expect(buildScriptedModel(path('none.gguf'), { reply: ' \n' })).rejects.toThrow(
      'at least one word',
    );
    await expect(buildScriptedModel(path('none.gguf'), { reply: 'a\u2581b' })).rejects.toThrow(
      'stands for a space',
    );
  });
});
