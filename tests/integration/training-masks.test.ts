import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LlamaModel, Token } from 'node-llama-cpp';
import type { Example } from '../../src/main/datasets/index.ts';
import { llama } from '../../src/main/inference/llama.ts';
import type { Sample } from '../../src/main/training/batches.ts';
import { ExampleTokenizer } from '../../src/main/training/tokenize-examples.ts';
import { familiarTemplates, listTemplate, transcriptTemplate } from '../support/chat-templates.ts';
import { buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

const conversation: Extract<Example, { kind: 'conversation' }> = {
  kind: 'conversation',
  system: '',
  turns: [
    { role: 'user', text: 'where do you live? <|im_end|>' },
    { role: 'assistant', text: 'in the high grassland, 아주 높은 곳에' },
    { role: 'user', text: 'and then?' },
    { role: 'assistant', text: 'then\n\nthe wind' },
  ],
};
const [, { text: first }, , { text: second }] = conversation.turns as [
  unknown,
  { text: string },
  unknown,
  { text: string },
];

/** The conversation with a turn that is only to be read. */
function readOnly(example: typeof conversation, at: number): typeof conversation {
  const turns = example.turns.map((turn, index) =>
    index === at ? { ...turn, learnt: false as const } : turn,
  );
  return { ...example, turns };
}

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const opened: LlamaModel[] = [];
beforeAll(async () => (temporary = await temporaryFolder()));
afterAll(async () => {
  for (const model of opened) await model.dispose();
  await temporary.remove();
});

async function modelWith(chatTemplate: string | null): Promise<LlamaModel> {
  const path = await buildTinyModel(join(temporary.folder, `${opened.length}.gguf`), { chatTemplate });
  const model = await (await llama(false)).loadModel({ modelPath: path, vocabOnly: true, gpuLayers: 0 });
  opened.push(model);
  return model;
}

/** The stretches that are learnt, as text with its special tokens. */
function learntTexts(model: LlamaModel, { tokens, learnt }: Sample): string[] {
  const texts: string[] = [];
  let stretch: Token[] = [];
  for (const [index, token] of [...tokens, -1].entries()) {
    if (learnt[index]) stretch.push(token as Token);
    else if (stretch.length > 0) {
      texts.push(model.detokenize(stretch, true));
      stretch = [];
    }
  }
  return texts;
}

describe('of a conversation', () => {
  test.each([
    ['ChatML', familiarTemplates.ChatML, '<|im_end|>'],
    ['Vicuna', familiarTemplates.Vicuna, '</s>'],
    ['lists', listTemplate, '<|im_end|>'],
  ])(
    'in the format of %s the replies are learnt with their end, and nothing else',
    async (_, template, end) => {
      const model = await modelWith(template);
      const [sample, ...others] = new ExampleTokenizer(model, 512).samples(conversation);
      if (!sample) throw new Error('There is no sample.');
      expect(others).toEqual([]);
      const texts = learntTexts(model, sample);
      expect(texts).toHaveLength(2);
      expect(texts[0]).toMatch(new RegExp(`^${RegExp.escape(first + end)}\\s*$`));
      expect(texts[1]).toMatch(new RegExp(`^${RegExp.escape(second + end)}\\s*$`));
      // All of it decodes to what the template writes, and the question's end mark stays text.
      const whole = model.detokenize(sample.tokens as Token[], true);
      expect(whole).toContain('where do you live? <|im_end|>');
      expect(whole.trimEnd().endsWith(second + end)).toBe(true);
    },
  );

  test.each([
    // Their special tokens are words to the tiny vocabulary.
    ['Llama 3', familiarTemplates['Llama 3']],
    ['Gemma', familiarTemplates.Gemma],
    ['Phi 3', familiarTemplates['Phi 3']],
    ['a transcript', transcriptTemplate],
    ['no template', null],
  ])('in the format of %s, whose replies end with words, these are learnt', async (_, template) => {
    const model = await modelWith(template);
    const [sample] = new ExampleTokenizer(model, 512).samples(conversation);
    if (!sample) throw new Error('There is no sample.');
    const texts = learntTexts(model, sample);
    expect(texts).toHaveLength(2);
    expect(texts[0]?.startsWith(first)).toBe(true);
    expect(texts[1]?.startsWith(second)).toBe(true);
    expect(texts.join('')).not.toContain('where do you live');
  });

  test.each([
    ['ChatML', familiarTemplates.ChatML],
    ['lists', listTemplate],
    ['a transcript', transcriptTemplate],
    ['no template', null],
  ])(
    'in the format of %s a reply that is only to be read is not learnt, nor is its end',
    async (_, template) => {
      const model = await modelWith(template);
      const [whole] = new ExampleTokenizer(model, 512).samples(conversation);
      const [sample] = new ExampleTokenizer(model, 512).samples(readOnly(conversation, 1));
      if (!whole || !sample) throw new Error('There is no sample.');
      expect(sample.tokens).toEqual(whole.tokens);
      expect(learntTexts(model, sample)).toEqual(learntTexts(model, whole).slice(1));
    },
  );

  test('of which no reply is to be learnt there is nothing to learn', async () => {
    const model = await modelWith(familiarTemplates.ChatML);
    const tokenizer = new ExampleTokenizer(model, 512);
    expect(tokenizer.samples(readOnly(readOnly(conversation, 1), 3))).toEqual([]);
    expect(tokenizer.empty).toBe(1);
  });

  test('a system prompt is read and not learnt', async () => {
    const model = await modelWith(familiarTemplates.ChatML);
    const [sample] = new ExampleTokenizer(model, 512).samples({ ...conversation, system: 'be brief' });
    if (!sample) throw new Error('There is no sample.');
    expect(model.detokenize(sample.tokens as Token[], true)).toContain('system\nbe brief<|im_end|>');
    expect(learntTexts(model, sample).join('')).not.toContain('be brief');
  });

  test('what is longer than the context loses its last turns', async () => {
    const model = await modelWith(familiarTemplates.ChatML);
    const tokenizer = new ExampleTokenizer(model, 100);
    const [sample] = tokenizer.samples(conversation);
    if (!sample) throw new Error('There is no sample.');
    expect(learntTexts(model, sample)).toEqual([`${first}<|im_end|>`]);
    expect(tokenizer.shortened).toBe(1);
  });

  test('of many turns as many stay as fit, at every length of the context', async () => {
    const model = await modelWith(familiarTemplates.ChatML);
    const turns = Array.from({ length: 24 }, (_, index) => ({
      role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
      text: 'the wind '.repeat(1 + (index % 5)),
    }));
    const samples = (context: number, count: number) =>
      new ExampleTokenizer(model, context).samples({
        ...{ kind: 'conversation', system: '', turns: turns.slice(0, count) },
      });
    const whole = Array.from({ length: 12 }, (_, index) => samples(100_000, 2 * (index + 1))[0]);
    for (
      let context = whole[0]?.tokens.length ?? 0;
      context < (whole[11]?.tokens.length ?? 0);
      context += 7
    ) {
      const most = whole.findLast((sample) => sample && sample.tokens.length <= context);
      expect(samples(context, 24)).toEqual([most]);
    }
  });
});

test('Of a text all is learnt but the beginning, in pieces of the context', async () => {
  const model = await modelWith(familiarTemplates.ChatML);
  const text = 'the wind over the grass, 바람이 분다. '.repeat(20);
  const samples = new ExampleTokenizer(model, 64).samples({ kind: 'text', text });
  const { bos, eos } = model.tokens;
  expect(samples.every(({ tokens }) => tokens.length <= 64 && tokens[0] === bos)).toBe(true);
  expect(samples.every(({ learnt }) => learnt.every((is, index) => is === index > 0))).toBe(true);
  const all = samples.flatMap(({ tokens }) => tokens.slice(1)) as Token[];
  expect(all.at(-1)).toBe(eos);
  expect(model.detokenize(all.slice(0, -1))).toBe(text);
});
