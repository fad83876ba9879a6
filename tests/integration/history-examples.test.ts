import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ExampleOptions, History, openDatabase } from '../../src/main/history/index.ts';
import { temporaryFolder } from '../support/shell.ts';
import { chatIn, type Chat } from '../support/conversations.ts';

let folder: string;
let removeFolder: () => Promise<void>;
beforeAll(async () => void ({ folder, remove: removeFolder } = await temporaryFolder()));
afterAll(() => removeFolder());

let history: History;
let chat: Chat;
let count = 0;
beforeEach(() => {
  history = new History(openDatabase(join(folder, `${++count}.db`)));
  chat = chatIn(history);
});

/** Each example as what is said, with a sign before replies: `+` learnt, `-` only read. */
async function examples(options: Partial<ExampleOptions> = {}) {
  const found: { title: string; said: string[] }[] = [];
  for await (const example of history.examples({ folderId: null, onlyLiked: false, ...options })) {
    const said = example.messages.map(({ role, text, learnt }) =>
      role === 'user' ? text : `${learnt ? '+' : '-'}${text}`,
    );
    found.push({ title: example.title, said });
  }
  return found;
}
const said = async (options: Partial<ExampleOptions> = {}) =>
  (await examples(options)).map((example) => example.said);
const liked = () => said({ onlyLiked: true });

describe('of all conversations', () => {
  test('the branches in view are read, without what was removed', async () => {
    const bread = chat.begin('Bread');
    const [question] = bread.say('How?', 'Knead.');
    bread.say('How long?', 'An hour.');
    const gone = chat.begin('Gone');
    gone.say('Hi', 'Hello');
    history.conversations.remove(gone.id);
    const other = chat.begin('');
    other.say('안녕', '반가워요');
    // Another reply to the first question, which then is in view.
    bread.reply('Let it rise.', question);
    chat.begin('Empty');
    expect(await examples()).toEqual([
      { title: 'Bread', said: ['How?', '+Let it rise.'] },
      { title: '', said: ['안녕', '+반가워요'] },
    ]);
  });

  test('those of one folder can be read alone', async () => {
    const { id: folderId } = history.folders.create({ name: '일' });
    chat.begin('Inside', { folderId }).say('a', 'b');
    chat.begin('Outside').say('c', 'd');
    expect(await examples({ folderId })).toEqual([{ title: 'Inside', said: ['a', '+b'] }]);
  });

  test('what nobody could read, or what failed, is left out, and what is bad or cut short is only read', async () => {
    const one = chat.begin('One');
    one.say('a', '', { status: 'failed' });
    one.say('b', 'B', { rating: 'down' });
    one.say('c', 'C', { status: 'stopped' });
    one.say('d', 'D', { status: 'interrupted', rating: 'up' });
    one.say('e', 'E');
    one.say('f', 'F is being writ', { status: 'streaming' });
    expect(await said()).toEqual([['a', 'b', '-B', 'c', '-C', 'd', '+D', 'e', '+E', 'f']]);
    const bad = chat.begin('Nothing to learn');
    bad.say('a', 'A', { rating: 'down' });
    expect(await said()).toHaveLength(1);
  });

  test('corrections stand where the replies stood, also where those were bad or had failed', async () => {
    const one = chat.begin('One');
    one.say('a', 'A', { rating: 'down', correction: 'Aa' });
    one.say('b', '', { status: 'failed', correction: 'Bb' });
    one.say('c', 'C', { correction: '  ' });
    expect(await said()).toEqual([['a', '+Aa', 'b', '+Bb', 'c', '+C']]);
  });

  test('the system prompt and the texts of files come along', async () => {
    const one = chat.begin('One', { systemPrompt: 'Be kind.' });
    const file = { name: 'a.txt', mimeType: 'text/plain', bytes: 3, text: 'abc' };
    one.say('What is it?', 'Letters.', { attachments: [file] });
    const { value } = await history.examples({ folderId: null, onlyLiked: false }).next();
    expect(value).toMatchObject({ systemPrompt: 'Be kind.', messages: [{ attachments: [file] }, {}] });
  });
});

describe('of replies that somebody likes', () => {
  test('each is learnt once, on the branch that leads to it, whichever is in view', async () => {
    const one = chat.begin('One');
    const [first, good] = one.say('a', 'A', { rating: 'up' });
    one.say('b', 'B');
    one.say('c', 'C', { rating: 'up' });
    one.say('d', 'D');
    // Beside the first reply, and below it.
    one.reply('A2', first, { correction: 'A3' });
    one.say('e', 'E', { parentId: good, rating: 'up' });
    expect(await liked()).toEqual([
      ['a', '+A', 'b', '-B', 'c', '+C'],
      ['a', '+A3'],
      ['a', '-A', 'e', '+E'],
    ]);
  });

  test('no other is learnt, and a conversation without any is left out', async () => {
    const one = chat.begin('One');
    one.say('a', 'A');
    one.say('b', 'B', { rating: 'down' });
    const two = chat.begin('Two');
    two.say('a', 'A', { rating: 'down' });
    two.say('b', 'B', { rating: 'down', correction: 'Bb' });
    expect(await liked()).toEqual([['a', '-A', 'b', '+Bb']]);
  });

  test('those of a tree with many branches are each learnt exactly once', async () => {
    const one = chat.begin('One');
    const replies: number[] = [];
    // Numbers that look random, and are the same each time.
    for (let number = 1, state = 7; number <= 200; number++) {
      state = (state * 48271) % 2147483647;
      const parentId = replies.length === 0 ? null : (replies[state % replies.length] ?? null);
      const [, reply] = one.say(`q${number}`, `r${number}`, {
        parentId,
        ...(state % 3 === 0 && { rating: 'up' }),
      });
      replies.push(reply);
    }
    const wanted = replies.filter((id) => history.messages.get(id).feedback.rating === 'up');
    const learnt = (await liked()).flat().filter((text) => text.startsWith('+'));
    expect(wanted.length).toBeGreaterThan(40);
    expect(learnt.toSorted()).toEqual(wanted.map((id) => `+${history.messages.get(id).text}`).toSorted());
  });
});
