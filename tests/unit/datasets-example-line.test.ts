import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleLine } from '../../src/main/datasets/example-line.ts';
import { type Example, readExamples } from '../../src/main/datasets/index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-lines-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function readBack(...examples: Example[]): Promise<Example[]> {
  const path = join(folder, 'examples.jsonl');
  await writeFile(path, examples.map(exampleLine).join(''));
  const read: Example[] = [];
  for await (const example of readExamples(path)) read.push(example);
  return read;
}

const conversation: Example = {
  kind: 'conversation',
  system: 'Be brief.',
  turns: [
    { role: 'user', text: 'Where?' },
    { role: 'assistant', text: 'There.', learnt: false },
    { role: 'user', text: '왜요?\n\n' },
    { role: 'assistant', text: '"바람"이 불어서 🙂' },
  ],
};

test('A conversation is a line as OpenAI takes them, with a weight of 0 where a reply is not learnt', () => {
  expect(JSON.parse(exampleLine(conversation))).toEqual({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Where?' },
      { role: 'assistant', content: 'There.', weight: 0 },
      { role: 'user', content: '왜요?\n\n' },
      { role: 'assistant', content: '"바람"이 불어서 🙂' },
    ],
  });
});

test('A system prompt that is empty is left out, and a line has no line end but the last', () => {
  const line = exampleLine({ ...conversation, system: '' });
  expect(line).not.toContain('system');
  expect(line.indexOf('\n')).toBe(line.length - 1);
});

describe('What is written is read again as it was:', () => {
  test('a conversation', async () => {
    expect(await readBack(conversation)).toEqual([conversation]);
  });

  test.each([
    ['one with every kind of white space', ' a\r\nb\u2028c\u0085\t\u0000d \n\n'],
    ['one that looks like JSON', '{"text": "not this"}\n[1, 2]'],
    ['one with half a character', 'a\ud800b'],
    ['one longer than any line of a chat', `${'The wind. "Still" \\ \n'.repeat(450_000)}end`],
  ])('a text, %s', async (_, text) => {
    const [example, ...others] = await readBack({ kind: 'text', text });
    expect(others).toEqual([]);
    // Not with toEqual, which would print all of it.
    expect(example?.kind === 'text' && example.text === text).toBe(true);
  });

  test('several, in their order', async () => {
    const texts: Example[] = ['one', 'two', 'three'].map((text) => ({ kind: 'text', text }));
    expect(await readBack(...texts, conversation, ...texts)).toEqual([...texts, conversation, ...texts]);
  });
});
