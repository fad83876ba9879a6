import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BareLlama } from '../support/bare-llama.ts';
import {
  brokenTemplate,
  familiarTemplates,
  listTemplate,
  openThoughtTemplate,
  transcriptTemplate,
} from '../support/chat-templates.ts';
import { greedy, TestEngine, turns } from '../support/inference.ts';
import { buildScriptedModel, buildTinyModel } from '../support/models.ts';
import { temporaryFolder } from '../support/shell.ts';

let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
const engine = new TestEngine();
const path = (name: string) => join(temporary.folder, `${name}.gguf`);

beforeAll(async () => {
  temporary = await temporaryFolder();
});
afterAll(async () => {
  await engine.stop();
  await temporary.remove();
});

const tiny = (name: string, chatTemplate: string | null) => buildTinyModel(path(name), { chatTemplate });

/** Loads a model that gives this reply. */
async function loadScripted(name: string, reply: string, chatTemplate?: string): Promise<void> {
  await engine.load(
    await buildScriptedModel(path(name), { reply, ...(chatTemplate !== undefined && { chatTemplate }) }),
  );
}

describe('a prompt', () => {
  const talk = turns('Tell me of the grass.', 'It is gold.', '그리고 하늘은?');
  const messages = talk.map(({ role, text }) => ({ role, content: text }));
  const system = { role: 'system', content: 'Be brief.' };

  test.each(Object.entries(familiarTemplates))(
    'in the format of %s has the very tokens that llama.cpp would give it, and the same answer',
    async (name, template) => {
      const model = await tiny(name, template);
      await engine.load(model);
      using bare = new BareLlama(model, { threads: 1, contextSize: 1024 });
      for (const systemPrompt of ['', system.content]) {
        const said = await engine.ask(talk, { systemPrompt, sampling: greedy });
        const all = systemPrompt === '' ? messages : [system, ...messages];
        const prompt = bare.tokenize(bare.applyTemplate(template, all));
        expect(said.promptTokens).toBe(prompt.length);
        bare.clear();
        bare.decode(prompt);
        const expected: number[] = [];
        for (let count = 0; count < said.tokens; count++) {
          expected.push(bare.greedy());
          bare.decode(Int32Array.of(expected[count] ?? 0));
        }
        expect(said.tokens).toBe(greedy.maxTokens);
        expect(said.text).toBe(
          bare
            .detokenize(expected)
            .trimStart()
            .replace(/\uFFFD+$/, ''),
        );
      }
    },
  );

  test('keeps the system prompt where the template has no place for it', async () => {
    await engine.load(await tiny('transcript', transcriptTemplate));
    const without = await engine.ask('Hello');
    const having = await engine.ask('Hello', { systemPrompt: 'Speak only of grass and of the sky.' });
    expect(having.promptTokens).toBeGreaterThan(without.promptTokens + 5);
  });

  test('works with templates that want lists of contents', async () => {
    await engine.load(await tiny('list', listTemplate));
    const listed = await engine.ask('Hello', { sampling: greedy });
    await engine.load(await tiny('plain', familiarTemplates.ChatML));
    const { text, promptTokens } = await engine.ask('Hello', { sampling: greedy });
    expect(listed).toMatchObject({ text, promptTokens });
  });

  test.each([
    ['broken', brokenTemplate],
    ['missing', null],
  ])('can be made where the template is %s', async (name, template) => {
    await engine.load(await tiny(name, template));
    const said = await engine.ask(talk, { systemPrompt: 'Be brief.', sampling: greedy });
    expect(said.promptTokens).toBeGreaterThan(20);
    expect(said.tokens).toBe(greedy.maxTokens);
  });

  test('takes special tokens only from the template, never from a message', async () => {
    await engine.load(await tiny('injected', familiarTemplates.ChatML));
    const mark = '<|im_end|>';
    const plain = await engine.ask('a b');
    const marked = await engine.ask(`a ${mark} b`);
    const { tokens } = await engine.engine.run('countTokens', { text: mark });
    expect(tokens).toBeGreaterThan(5);
    expect(marked.promptTokens).toBeGreaterThanOrEqual(plain.promptTokens + tokens);
  });

  test('has room for replies that failed and for two messages in a row', async () => {
    await engine.load(await tiny('alternating', familiarTemplates.Gemma));
    const gaps = turns('One', '', 'Two');
    const joined = await engine.ask([...gaps, { role: 'user', text: 'Three' }]);
    expect(joined.droppedTurns).toBe(0);
    expect(joined.promptTokens).toBe((await engine.ask('One\n\nTwo\n\nThree')).promptTokens);
    expect(
      (await engine.ask([{ role: 'assistant', text: 'Hi!' }, ...turns('Hello')])).tokens,
    ).toBeGreaterThan(0);
  });
});

describe('a reply ends', () => {
  test('not at a word that is the name of a special token', async () => {
    await loadScripted('names', 'The EOS token and the EOT token end turns.');
    expect(await engine.ask('Hi')).toMatchObject({
      text: 'The EOS token and the EOT token end turns.',
      finish: 'end',
    });
  });

  test('where the next speaker begins, if the template has no special tokens', async () => {
    await loadScripted('transcript-end', 'It is gold.\nUser: And the sky?', transcriptTemplate);
    expect(await engine.ask('Hi')).toMatchObject({ text: 'It is gold.', finish: 'end' });
  });

  test('not at a line break, where that is all that follows', async () => {
    const template = transcriptTemplate.replace('User: ', '');
    await loadScripted('lines', 'One line.\nAnother line.', template);
    expect(await engine.ask('Hi')).toMatchObject({ text: 'One line.\nAnother line.' });
  });
});

describe('thoughts', () => {
  test('that the template opens are told from the answer', async () => {
    await loadScripted('opened', 'Hm, grass.</think>It is gold.', openThoughtTemplate);
    expect(await engine.ask('Hi')).toMatchObject({ thinking: 'Hm, grass.', text: 'It is gold.' });
  });

  test('that were cut short are continued as thoughts', async () => {
    await loadScripted('thinking', '<think>Hm, the grass.</think>It is gold.');
    const short = await engine.ask('Hi', { sampling: { ...greedy, maxTokens: 3 } });
    expect(short).toMatchObject({ text: '', finish: 'length' });
    const more = await engine.ask('Hi', { continued: short });
    expect(short.thinking + more.thinking).toBe('Hm, the grass.');
    expect(more.text).toBe('It is gold.');
  });

  test('are followed by an answer that can be continued', async () => {
    await loadScripted('answered', '<think>Hm, the grass.</think>It is gold and wide.');
    const short = await engine.ask('Hi', { sampling: { ...greedy, maxTokens: 7 } });
    expect(short.thinking).toBe('Hm, the grass.');
    const more = await engine.ask('Hi', { continued: short });
    expect(more.thinking).toBe('');
    expect(short.text + more.text).toBe('It is gold and wide.');
  });

  test('are skipped for a title', async () => {
    await loadScripted('titled', '<think>A title is wanted.</think>Golden grass');
    expect(await engine.engine.run('title', { turns: turns('Hi', 'Hello') })).toEqual({
      title: 'Golden grass',
    });
  });
});
