import type { App, MessageBoxOptions } from 'electron';
import { describe, expect, test, vi } from 'vitest';
import { answerOpenRequest, type Opening } from '../../src/main/electron/open.ts';
import { type OpenRequest, readFiles, readLink, readWords } from '../../src/main/electron/open-request.ts';
import { OpenRequests } from '../../src/main/electron/open-requests.ts';
import { wordsFor } from '../../src/main/electron/words.ts';
import { PunaError } from '../../src/shared/error.ts';
import { fakeEmitter } from '../support/electron.ts';

describe('A link', () => {
  test.each([
    ['puna://open?page=chat', '#/'],
    ['puna://open?page=models', '#/models'],
    ['puna://open/?page=settings', '#/settings'],
    ['PUNA://open?page=weights', '#/weights'],
    ['puna://open?model=Qwen/Qwen3-0.6B-GGUF', '#/models/discover/Qwen/Qwen3-0.6B-GGUF'],
    ['puna://open?model=Qwen%2FQwen3-0.6B-GGUF', '#/models/discover/Qwen/Qwen3-0.6B-GGUF'],
  ])('%s leads to a page', (link, hash) => {
    expect(readLink(link)).toEqual({ kind: 'page', hash });
  });

  test.each([
    'puna:',
    'puna://',
    'puna://open',
    'puna:open?page=chat',
    'puna://delete?page=chat',
    'puna://open/chat?page=chat',
    'puna://open?page=../secrets',
    'puna://open?page=constructor',
    'puna://open?page=chat&page=teach',
    'puna://open?page=chat&run=1',
    'puna://open?page=chat#/settings',
    'puna://somebody@open?page=chat',
    'puna://open:80?page=chat',
    'puna://open?model=../..',
    'puna://open?model=/etc/passwd',
    'puna://open?model=a/b/c',
    'puna://open?model=a/b%23/settings',
    'puna://open?model=a/b%0A',
    'puna://open?model=https://example.org/a',
    `puna://open?model=a/${'b'.repeat(600)}`,
    'https://open?page=chat',
    'javascript:open?page=chat',
    'file:///open?page=chat',
  ])('%s leads nowhere', (link) => {
    expect(readLink(link)).toBeNull();
  });
});

describe('The words of a start', () => {
  test('may name models, from where it was made', () => {
    expect(readWords(['--data', 'here.gguf', 'a.gguf', '/models/B.GGUF', 'notes.txt'], '/home/ada')).toEqual({
      kind: 'files',
      paths: ['/home/ada/a.gguf', '/models/B.GGUF'],
    });
  });

  test('may be a link, which goes before all else', () => {
    expect(readWords(['a.gguf', 'puna://open?page=teach'], '/')).toEqual({ kind: 'page', hash: '#/teach' });
    expect(readWords(['a.gguf', 'puna://evil'], '/')).toBeNull();
  });

  test('mean nothing otherwise', () => {
    expect(readWords(['--allow-file-access-from-files', '--model=a.gguf', 'notes.txt'], '/')).toBeNull();
    expect(readFiles([])).toBeNull();
  });
});

describe('What Puna is asked to open', () => {
  const started = (words: string[]) => {
    const { target, tell } = fakeEmitter<App>();
    const requests = new OpenRequests(target, { words, folder: '/start', skipped: 1 });
    return { requests, tell };
  };

  test('before there is a window waits for one', () => {
    const { requests, tell } = started(['a.gguf']);
    expect(tell('open-url', {}, 'puna://open?page=models').prevented).toBe(true);
    const follow = vi.fn();
    requests.follow(follow);
    expect(follow.mock.calls).toEqual([
      [{ kind: 'files', paths: ['/start/a.gguf'] }],
      [{ kind: 'page', hash: '#/models' }],
    ]);
  });

  test('later is told at once, by a second start or by macOS', () => {
    const { requests, tell } = started([]);
    const follow = vi.fn();
    requests.follow(follow);
    expect(follow).not.toHaveBeenCalled();
    tell('second-instance', {}, ['/opt/puna/puna.gguf', '--flag', 'b.gguf'], '/elsewhere');
    expect(follow).toHaveBeenLastCalledWith({ kind: 'files', paths: ['/elsewhere/b.gguf'] });
    expect(tell('open-file', {}, '/c.gguf').prevented).toBe(true);
    expect(follow).toHaveBeenLastCalledWith({ kind: 'files', paths: ['/c.gguf'] });
    tell('second-instance', {}, ['/opt/puna/puna'], '/');
    tell('open-url', {}, 'puna://nothing');
    expect(follow).toHaveBeenCalledTimes(2);
  });
});

describe('An answer', () => {
  const answer = async (request: OpenRequest, { response = 0, fails = false } = {}) => {
    const add = vi.fn(({ path }: { path: string }) => {
      if (fails) throw new PunaError('file-damaged', `${path} is no model.`, 'Take another one.');
    });
    const asked: MessageBoxOptions[] = [];
    const show = vi.fn();
    const opening: Opening = {
      addModel: (path) => Promise.resolve(add({ path })),
      words: () => wordsFor('en', []),
      ask: (options) => {
        asked.push(options);
        return Promise.resolve({ response });
      },
      show,
    };
    await answerOpenRequest(request, opening);
    return { add, asked, show };
  };
  const files: OpenRequest = { kind: 'files', paths: ['/a.gguf', '/b.gguf'] };

  test('to a page shows it and asks nothing', async () => {
    const { add, asked, show } = await answer({ kind: 'page', hash: '#/teach' });
    expect(show.mock.calls).toEqual([['#/teach']]);
    expect(asked).toEqual([]);
    expect(add).not.toHaveBeenCalled();
  });

  test('to files adds them when the person says so', async () => {
    const { add, asked, show } = await answer(files);
    expect(show.mock.calls).toEqual([['#/models']]);
    expect(asked[0]).toMatchObject({ detail: '/a.gguf\n/b.gguf', buttons: ['Add', 'Cancel'] });
    expect(add.mock.calls).toEqual([[{ path: '/a.gguf' }], [{ path: '/b.gguf' }]]);
  });

  test('to files adds none of them otherwise, which is what Enter and Escape mean', async () => {
    const { add, asked } = await answer(files, { response: 1 });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ defaultId: 1, cancelId: 1 });
    expect(add).not.toHaveBeenCalled();
  });

  test('says of each file why it was not added', async () => {
    const { asked } = await answer(files, { fails: true });
    expect(asked.slice(1)).toEqual([
      { type: 'error', message: 'a.gguf', detail: '/a.gguf is no model.\nTake another one.' },
      { type: 'error', message: 'b.gguf', detail: '/b.gguf is no model.\nTake another one.' },
    ]);
  });
});
