import { describe, expect, test } from 'vitest';
import { labelsOf, nameFor } from '../../src/main/collection/names.ts';
import { LeftOutList } from '../../src/main/dataset-engine/left-out.ts';
import { PunaError } from '../../src/shared/error.ts';
import type { DatasetRecipe, ImportSource } from '../../src/shared/contract/index.ts';

const file = (path: string): ImportSource => ({
  ...{ from: 'file', path, me: null, columns: null, dates: null },
});
const grown = { name: '', modelId: 1, similarity: 0.7, seed: 1 };

describe('a name that a person leaves open', () => {
  const named = (recipe: DatasetRecipe) =>
    nameFor(recipe, { folders: [{ id: 3, name: '일' }], datasetName: () => '등대' });
  const imported = (sources: ImportSource[], name = ''): DatasetRecipe => ({
    ...{ kind: 'import', name, sources, clean: null, validation: 0 },
  });

  test.each<[string, DatasetRecipe]>([
    ['Mine', imported([file('/a/chat.txt')], '  Mine ')],
    ['KakaoTalk_Chat_김철수', imported([file('/a/KakaoTalk_Chat_김철수.txt')])],
    ['notes +2', imported([file('/a/notes'), file('/b.md'), file('/c.md')])],
    ['일', imported([{ from: 'history', folderId: 3, onlyLiked: false }])],
    ['Conversations', imported([{ from: 'history', folderId: null, onlyLiked: true }])],
    ['Examples', imported([])],
    ['등대 Q&A', { kind: 'pairs', datasetId: 1, perText: 1, ...grown }],
    [
      `${'가'.repeat(60)}…`,
      {
        ...{ kind: 'self-chat', topics: ['가'.repeat(100), 'b'], exchanges: 1, language: 'ko' },
        ...grown,
      },
    ],
  ])('is %s', (name, recipe) => expect(named(recipe)).toBe(name));
});

test('files of the same name are told apart by their folders', () => {
  expect(labelsOf(['/a/result.json', '/b/result.json', '/b/other.json', '/b/other.json'])).toEqual([
    ...['a/result.json', 'b/result.json', 'other.json', 'other.json'],
  ]);
});

describe('what was left out', () => {
  test('is summed up over files, with the first places and the files that they are in', () => {
    const list = new LeftOutList();
    list.add([{ reason: 'broken JSON', count: 2, where: ['line 1', 'line 2'] }], 'a.json');
    list.add([{ reason: 'broken JSON', count: 5, where: ['line 7', 'line 8'] }], 'b.json');
    list.add([{ reason: 'empty messages', count: 1 }], 'b.json');
    expect(list.entries).toEqual([
      { reason: 'broken JSON', count: 7, where: ['a.json, line 1', 'a.json, line 2', 'b.json, line 7'] },
      { reason: 'empty messages', count: 1 },
    ]);
  });

  test('calls files as a person does, and does not fill the screen with them', () => {
    const list = new LeftOutList();
    for (let number = 1; number <= 100; number++) {
      const path = `/data/uploaded/${number}`;
      const error = new PunaError('invalid-input', `${path} is empty.`, `Choose another one than ${path}.`);
      list.fail(error, { path, label: `${number}.txt` });
    }
    expect(list.firstFailure).toMatchObject({
      ...{ code: 'invalid-input', message: '1.txt is empty.', remedy: 'Choose another one than 1.txt.' },
    });
    expect(list.entries[19]).toEqual({ reason: '20.txt is empty.', count: 1 });
    expect(list.entries.slice(20)).toEqual([
      {
        ...{ reason: 'other files that could not be read', count: 80 },
        where: ['21.txt', '22.txt', '23.txt'],
      },
    ]);
  });
});
