import type { LlamaModel } from 'node-llama-cpp';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exampleOf } from '../../src/main/dataset-engine/example-content.ts';
import type { DatasetJobs } from '../../src/main/dataset-engine/messages.ts';
import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import { llama } from '../../src/main/inference/llama.ts';
import { ExampleTokenizer } from '../../src/main/training/tokenize-examples.ts';
import type { ExampleContent } from '../../src/shared/contract/index.ts';
import { familiarTemplates } from '../support/chat-templates.ts';
import { rows, talk, text, writeDataset } from '../support/datasets.ts';
import { buildTinyModel } from '../support/models.ts';

const engine = new Engine<DatasetJobs>({ entry: 'dataset-engine', launch: launchChildProcess });
const model = 'tiny.gguf';
const other = 'vicuna.gguf';
const spaced = 'spaced.gguf';
/** With a space, and no line end, behind what ends a reply. */
const spacedTemplate = `{% for message in messages %}{% if message['role'] == 'user' %}{{ 'you: ' + message['content'] + '\\n' }}{% else %}{{ 'me: ' + message['content'] + '</s> now ' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'me: ' }}{% endif %}`;
let root: string;
let file: string;
let vocabulary: LlamaModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'puna-dataset-engine-'));
  await buildTinyModel(join(root, model), { chatTemplate: familiarTemplates.ChatML });
  await buildTinyModel(join(root, other), { chatTemplate: familiarTemplates.Vicuna });
  await buildTinyModel(join(root, spaced), { chatTemplate: spacedTemplate });
  const llamaCpp = await llama(false);
  vocabulary = await llamaCpp.loadModel({ modelPath: join(root, model), vocabOnly: true, gpuLayers: 0 });
});
afterAll(async () => {
  await engine.stop();
  await vocabulary.dispose();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  file = join(await mkdtemp(join(root, 'one-')), 'data.puna');
});

const measure = (by = model, signal = new AbortController().signal) =>
  engine.run('measure', { file, model: join(root, by), modelId: 7 }, { signal });
const preview = (id: number, { by = model, context = 512 } = {}) =>
  engine.run('preview', { file, id, model: join(root, by), context });

const unlearnt = talk('where do you live?', '아주 높은 곳에 🙂', 'and then?', ' the wind');
if (unlearnt.kind === 'conversation' && unlearnt.turns[1]) unlearnt.turns[1].learnt = false;
const contents: ExampleContent[] = [
  talk('where do you live? <|im_end|>', 'in the high grassland, 아주 높은 곳에'),
  { ...talk('hi', '쀍뷁'), system: 'be brief' } as ExampleContent,
  unlearnt,
  text('the wind over the grass, 바람이 분다. '.repeat(300)),
  text('it'),
];

/** As training counts: all tokens, and those it learns to write, with a context in which everything has its place. */
function trained(content: ExampleContent, context = 100_000): { tokens: number; learnt: number } {
  const [sample, ...others] = new ExampleTokenizer(vocabulary, context).samples(exampleOf(content));
  if (!sample || others.length > 0) throw new Error('There is not one sample.');
  return { tokens: sample.tokens.length, learnt: sample.learnt.slice(1).filter(Boolean).length };
}

describe('Lengths', () => {
  test('are those of training, are kept with the examples, and are summed up without what is excluded', async () => {
    await writeDataset(file, contents);
    expect((await rows(file)).map(({ tokens }) => tokens)).toEqual(contents.map(() => null));
    const measures = await measure();
    const expected = contents.map((content) => trained(content));
    expect((await rows(file)).map(({ tokens }) => tokens)).toEqual(expected.map(({ tokens }) => tokens));
    const lengths = expected.map(({ tokens }) => tokens).sort((one, another) => one - another);
    expect(measures).toMatchObject({
      ...{ modelId: 7, examples: 5, median: lengths[2], longest: lengths[4] },
      tokens: lengths.reduce((sum, tokens) => sum + tokens),
      learntTokens: expected.reduce((sum, { learnt }) => sum + learnt, 0),
    });
    for (const { from, to, count } of measures.histogram) {
      expect(to).toBe(2 * from);
      expect(count).toBe(lengths.filter((tokens) => tokens >= from && tokens < to).length);
    }
    expect(measures.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(5);
    measures.histogram
      .slice(1)
      .forEach(({ from }, index) => expect(from).toBe(measures.histogram[index]?.to));

    await engine.run('change', { file, choice: { ids: [4] }, excluded: true });
    expect(await measure()).toMatchObject({ examples: 4, longest: lengths[3] });
  });

  test('of what was edited are measured again, and all of them by another tokenizer', async () => {
    await writeDataset(file, contents);
    await measure();
    await engine.run('edit', { file, id: 5, content: text('it is the wind') });
    expect((await rows(file)).map(({ tokens }) => tokens === null)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
    await measure();
    expect((await rows(file))[4]?.tokens).toBe(trained(text('it is the wind')).tokens);

    const by = (name: string) =>
      measure(name).then(async () => (await rows(file)).map(({ tokens }) => tokens));
    const [chatMl, vicuna] = [await by(model), await by(other)];
    expect(vicuna[0]).not.toBe(chatMl[0]);
    expect(vicuna[4]).toBe(chatMl[4]);
    expect(await by(model)).toEqual(chatMl);
  });

  test('of nothing are none', async () => {
    await engine.run('create', { file });
    expect(await measure()).toEqual({
      ...{ modelId: 7, examples: 0, tokens: 0, learntTokens: 0, median: 0, longest: 0, histogram: [] },
    });
  });

  test('are cancelled, while other jobs have their turn, and go on where they were', async () => {
    await writeDataset(
      file,
      Array.from({ length: 6000 }, (_, index) => text(`${'the wind over the grass '.repeat(60)}${index}`)),
    );
    const controller = new AbortController();
    const measuring = measure(model, controller.signal);
    const failure = measuring.catch((thrown: unknown) => thrown);
    let ended = false;
    void failure.then(() => (ended = true));
    // Answered in between, or measuring would have ended first.
    while ((await rows(file)).every(({ tokens }) => tokens === null)) {
      expect(await engine.run('counts', { file })).toMatchObject({ texts: 6000 });
      expect(ended).toBe(false);
    }
    controller.abort();
    expect(await failure).toMatchObject({ code: 'cancelled' });
    const missing = await engine.run('page', {
      ...{ file, filter: { query: '', show: 'all' }, offset: 5500, limit: 500 },
    });
    expect(missing.examples.at(-1)?.tokens).toBe(null);
    expect(await measure()).toMatchObject({ examples: 6000 });
  });

  test('by a model that is not there, or is none, are refused', async () => {
    await writeDataset(file, contents);
    await expect(measure('none.gguf')).rejects.toMatchObject({ code: 'file-missing' });
    await copyFile(file, join(root, 'false.gguf'));
    await expect(measure('false.gguf')).rejects.toMatchObject({ code: 'unsupported-model' });
    expect(await measure()).toMatchObject({ examples: 5 });
  });
});

describe('What the model reads', () => {
  test.each([
    [
      model,
      [
        [
          '<s><|im_start|>user\nwhere do you live?<|im_end|>\n<|im_start|>assistant\n아주 높은 곳에 🙂<|im_end|>\n<|im_start|>user\nand then?<|im_end|>\n<|im_start|>assistant\n',
          false,
        ],
        [' the wind<|im_end|>', true],
      ],
    ],
    [
      other,
      [
        [
          '<s>USER: where do you live?\nASSISTANT: 아주 높은 곳에 🙂</s>\nUSER: and then?\nASSISTANT: ',
          false,
        ],
        [' the wind</s>', true],
      ],
    ],
  ])(
    'of a conversation by %s is what its template writes; replies are learnt with their end',
    async (by, pieces) => {
      await writeDataset(file, [unlearnt]);
      const found = await preview(1, { by });
      expect(found.pieces.map(({ text: words, learnt }) => [words, learnt])).toEqual(pieces);
      expect(found.shortened).toBe(false);
      await measure(by);
      expect((await rows(file))[0]?.tokens).toBe(found.tokens);
    },
  );

  test('keeps the space with which what is only read goes on behind a reply', async () => {
    await writeDataset(file, [talk('a', 'the', 'b', 'wind')]);
    const { pieces } = await preview(1, { by: spaced });
    expect(pieces.map((piece) => piece.text)).toEqual([
      '<s>you: a\nme: ',
      'the</s>',
      ' now you: b\nme: ',
      'wind</s>',
    ]);
  });

  test('has characters whole that are several tokens, where what is learnt begins and ends with them', async () => {
    await writeDataset(file, [talk('뷁', '쀍', '🙂', '뷁쀍')]);
    const { pieces } = await preview(1);
    expect(pieces.filter(({ learnt }) => learnt).map((piece) => piece.text)).toEqual([
      '쀍<|im_end|>',
      '뷁쀍<|im_end|>',
    ]);
    expect(pieces.map((piece) => piece.text).join('')).not.toContain('\ufffd');
  });

  test('of what is longer than the context loses its end', async () => {
    await writeDataset(file, [contents[0] ?? text(''), talk('a', '뷁'.repeat(100))]);
    const whole = await preview(1);
    expect(whole.shortened).toBe(false);
    expect(await preview(1, { context: whole.tokens })).toEqual(whole);
    const cut = await preview(1, { context: whole.tokens - 1 });
    expect(cut).toMatchObject({ shortened: true, tokens: whole.tokens - 1 });
    // Three tokens a character: wherever the context ends, none is shown in part.
    for (const context of [60, 61, 62]) {
      const { pieces, tokens } = await preview(2, { context });
      expect(tokens).toBe(context);
      expect(pieces.at(-1)?.text).toMatch(/^뷁+$/);
    }
  });

  test('of a text is all of it, whatever the context', async () => {
    const words = '바람이 분다 🙂 over the grass. '.repeat(50);
    await writeDataset(file, [text(words)]);
    expect((await preview(1, { context: 32 })).pieces).toEqual([
      { text: '<s>', learnt: false },
      { text: `${words}</s>`, learnt: true },
    ]);
  });

  test('of a very long text is its beginning, without the end', async () => {
    await writeDataset(file, [text('the wind '.repeat(120_000))]);
    const { pieces, tokens } = await preview(1);
    const words = pieces.map((piece) => piece.text).join('');
    expect(words).toMatch(/^<s>(the wind )+(the?|th)?$/);
    expect(tokens).toBeGreaterThan(30_000);
    // In pieces that need not end where words do.
    const measured = await measure();
    expect(
      Math.abs(measured.tokens - trained(text('the wind '.repeat(120_000)), 10_000_000).tokens),
    ).toBeLessThan(3);
    expect(measured.learntTokens).toBe(measured.tokens - 1);
  });

  test('of an example that is not there is said not to be', async () => {
    await writeDataset(file, contents);
    await expect(preview(9)).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('Jobs change a dataset one after the other', async () => {
  await writeDataset(file, contents);
  const job = { file, filter: { query: '바람', show: 'all' as const }, offset: 0, limit: 10 };
  expect(await engine.run('page', job)).toMatchObject({ total: 1, examples: [{ id: 4 }] });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      engine.run('add', { file, examples: [{ content: text(`바람 ${index}`), source: 'model' }] }),
    ),
  );
  expect(await engine.run('page', job)).toMatchObject({ total: 21 });
  expect(await engine.run('split', { file, validation: 0.2, seed: 1 })).toMatchObject({ validation: 5 });
  const taken = await engine.run('snapshot', { file, folder: join(root, 'snapshots') });
  expect(taken).toMatchObject({ examples: 20, validationExamples: 5 });
  expect(await engine.run('read', { file, after: 23, limit: 100 })).toHaveLength(2);
});
