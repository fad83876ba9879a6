// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import {
  contentOf,
  draftOf,
  emptyDraft,
  emptyExchange,
} from '../../src/renderer/components/dataset/examples/draft.ts';
import {
  type Answers,
  cleaningOf,
  openQuestion,
  plainName,
  probableMe,
} from '../../src/renderer/components/dataset/import/order.ts';
import { leftOutName, reasonName } from '../../src/renderer/components/dataset/words.ts';
import { setLanguage } from '../../src/renderer/lib/i18n.svelte.ts';
import { reasons } from '../../src/main/datasets/import/reasons.ts';
import type { DataSource, ExampleContent } from '../../src/shared/contract/index.ts';
import { defaultCleanSettings } from '../../src/shared/contract/default-clean.ts';
import { exampleContentSchema } from '../../src/shared/contract/dataset.ts';

const source = (patch: Partial<DataSource> = {}): DataSource => ({
  ...{ path: '/chat.txt', name: 'chat.txt', bytes: 1, files: 1, kind: 'whatsapp' },
  ...{ people: null, me: null, columns: null, strangeDates: null, failure: null },
  ...patch,
});
const people = ['Alice', 'Bob'].map((name) => ({ name, messages: 1 }));
const nothing: Answers = { me: null, columns: null, dates: null };
const table = (names: string[], mapping: NonNullable<DataSource['columns']>['mapping'] = {}) =>
  source({ kind: 'csv', columns: { names, mapping } });

describe('what is asked about a source', () => {
  test.each([
    ['nothing of a document', null, source({ kind: 'pdf' }), nothing],
    ['who of the people is me', 'me', source({ people }), nothing],
    ['nothing more once that is said', null, source({ people }), { ...nothing, me: 'Bob' }],
    ['dates before people', 'dates', source({ people, strangeDates: ['x'] }), nothing],
    ['what the columns are', 'columns', table(['a', 'b']), nothing],
    ['nothing of columns that were guessed', null, table(['a', 'b'], { prompt: 'a', reply: 'b' }), nothing],
    ['the other half of columns', 'columns', table(['a', 'b']), { ...nothing, columns: { prompt: 'a' } }],
    ['nothing of a text', null, table(['a', 'b']), { ...nothing, columns: { text: 'a' } }],
    ['nothing of whole conversations', null, table(['id', 'messages']), nothing],
    ['what a person has begun to say of them', 'columns', table(['messages']), { ...nothing, columns: {} }],
  ] as const)('is %s', (_, question, asked, answers) => {
    expect(openQuestion(asked, answers)).toBe(question);
  });

  test('is answered by who exported it, by other answers, and by nobody who does not speak', () => {
    expect(probableMe(source({ people, me: 'Bob' }), ['Alice'])).toBe('Bob');
    expect(probableMe(source({ people }), [null, 'Carol', 'Alice'])).toBe('Alice');
    expect(probableMe(source({ people }), ['Carol'])).toBeNull();
    expect(probableMe(source(), ['Alice'])).toBeNull();
  });
});

test('cleaning that is switched off as a whole is none', () => {
  expect(cleaningOf(defaultCleanSettings)).toBe(defaultCleanSettings);
  const off = structuredClone(defaultCleanSettings);
  for (const part of Object.values(off)) part.on = false;
  expect(cleaningOf(off)).toBeNull();
});

test('a dataset is called as its first source without the ending', () => {
  expect(plainName('Chat with Bob.txt')).toBe('Chat with Bob');
  expect(plainName('notes')).toBe('notes');
  expect(plainName('Dr. Kim and I')).toBe('Dr. Kim and I');
  expect(plainName('.txt')).toBe('.txt');
});

describe('an example that is edited', () => {
  const conversation: ExampleContent = {
    ...{ kind: 'conversation', system: 'Be brief.' },
    turns: [
      { role: 'user', text: 'Hello', learnt: true },
      { role: 'assistant', text: 'Hi', learnt: false },
      { role: 'user', text: 'Tea?', learnt: true },
      { role: 'assistant', text: 'Please', learnt: true },
    ],
  };

  test.each([conversation, { kind: 'text', text: '  A text.\n' } as const])(
    'stays as it is where nothing is changed',
    (content) => {
      expect(contentOf(draftOf(content))).toEqual(content);
      expect(exampleContentSchema.parse(contentOf(draftOf(content)))).toEqual(content);
    },
  );

  test('cannot be saved with something empty, or with nothing to learn', () => {
    expect(contentOf(emptyDraft())).toBeNull();
    expect(contentOf({ ...emptyDraft(), kind: 'text', text: ' \n' })).toBeNull();
    const half = draftOf(conversation);
    half.exchanges.push({ ...emptyExchange(), question: 'And now?' });
    expect(contentOf(half)).toBeNull();
    const unlearnt = draftOf(conversation);
    for (const exchange of unlearnt.exchanges) exchange.learnt = false;
    expect(contentOf(unlearnt)).toBeNull();
  });
});

describe('in Korean', () => {
  test('every reason of an importer and of a cleaner has words', () => {
    setLanguage('ko');
    const hangul = /[가-힣]/;
    for (const reason of Object.values(reasons)) expect(leftOutName(reason)).toMatch(hangul);
    for (const reason of ['email', 'refusal', 'too-short', 'duplicate', 'de']) {
      expect(reasonName(reason)).toMatch(hangul);
    }
    expect(leftOutName('something new')).toBe('something new');
    setLanguage('en');
  });
});
