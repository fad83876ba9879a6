import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  followProcess,
  lastLines,
  Log,
  logFile,
  shortPath,
  withoutPrivateText,
} from '../../src/main/log/index.ts';
import { LogFile } from '../../src/main/log/log-file.ts';
import { describeThrown } from '../../src/main/log/thrown.ts';
import { PunaError } from '../../src/shared/error.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'puna-log-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const places = {
  home: '/home/ada',
  dataFolder: '/home/ada/.local/share/Puna',
  program: '/opt/Puna/resources/app',
};
const plain = (line: string) => withoutPrivateText(line, places);

describe('A line of the log leaves out', () => {
  test.each([
    ['names of files', 'Cannot read diary.txt now', ['diary']],
    [
      'paths with blanks',
      'failed to open /home/ada/My letters/To Bob.txt for reading',
      ['letters', 'Bob', 'ada'],
    ],
    [
      'paths of Windows',
      String.raw`failed to open C:\Users\Ada\My letters\Bob.docx`,
      ['Ada', 'letters', 'Bob'],
    ],
    [
      'paths in quotation marks',
      "ENOENT: no such file or directory, open '/home/ada/To Bob'",
      ['Bob', 'ada'],
    ],
    [
      'what a parser quotes',
      `Unexpected token 'D', "Dear "Bob", I love"... is not valid JSON`,
      ['Bob', 'love', 'Dear'],
    ],
    ['a quotation that does not end', 'Unexpected token in "Dear Bob, I', ['Bob']],
    [
      'files below the data folder',
      '/home/ada/.local/share/Puna/uploaded-data/diary failed',
      ['diary', 'uploaded'],
    ],
    ['tokens of the hub', 'The hub refused hf_abcdefGHIJKL', ['hf_abc']],
    ['keys in headers', 'authorization: Bearer abc.DEF-123456', ['abc.DEF']],
    ['random words', 'sent zW9mPq1xYt4uVb7nMk2jHg5fDs8aLc3e once', ['zW9m']],
    ['addresses', 'GET http://127.0.0.1:7862/?token=abcdef said no', ['7862', 'abcdef']],
  ])('%s', (_what, line, private_) => {
    for (const words of private_) expect(plain(line)).not.toContain(words);
  });

  test('any text that a parser of JSON quotes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}( [a-z"']{4,12}){1,4}$/), (secret) => {
        try {
          JSON.parse(`{"a": ${secret}`);
        } catch (thrown) {
          const [first = ''] = describeThrown(thrown, places);
          for (const word of secret.split(/[ "']+/).filter((part) => part.length >= 4))
            expect(first).not.toContain(word);
          return;
        }
        throw new Error('That was JSON.');
      }),
    );
  });
});

describe('A line of the log keeps', () => {
  test.each([
    [
      'what native code asserts',
      'GGML_ASSERT(n > 0) failed at /home/runner/work/llama/ggml.c:123',
      'GGML_ASSERT(n > 0) failed at ggml.c:123',
    ],
    [
      'places in the program',
      '    at load (file:///opt/Puna/resources/app/out/main/index.js:10:5)',
      'at load (puna/out/main/index.js:10:5)',
    ],
    [
      'places in Node',
      '    at node:internal/process/task_queues:103:5',
      'at node:internal/process/task_queues:103:5',
    ],
    [
      'the names that Puna gave',
      '/home/ada/.local/share/Puna/puna.db is damaged',
      '~/.local/share/Puna/puna.db is damaged',
    ],
    [
      'words',
      "The model's engine couldn't start: status 134.",
      "The model's engine couldn't start: status 134.",
    ],
  ])('%s', (_what, line, kept) => expect(plain(line)).toBe(kept));
});

test('A failure is described by kind and place, a sentence for a person by its code alone', () => {
  const cause = Object.assign(new Error("ENOENT: no such file or directory, open '/home/ada/Bob.txt'"), {
    ...{ code: 'ENOENT', syscall: 'open' },
  });
  const lines = describeThrown(
    new PunaError('file-missing', 'There is no file Letter to Bob.', '', { cause }),
    places,
  );
  expect(lines[0]).toBe('PunaError file-missing');
  expect(lines.join('\n')).toContain(
    'caused by Error ENOENT open: ENOENT: no such file or directory, open <left out>',
  );
  expect(lines.join('\n')).not.toContain('Bob');
  expect(describeThrown({ prompt: 'Dear Bob' }, places)).toEqual(['']);
});

test('A home is shortened, and nothing that only begins like it', () => {
  expect(shortPath('/home/ada/x', '/home/ada')).toBe('~/x');
  expect(shortPath('/home/ada', '/home/ada')).toBe('~');
  expect(shortPath('/home/adam/x', '/home/ada')).toBe('/home/adam/x');
  expect(shortPath('/data', '/')).toBe('/data');
});

describe('The file of the log', () => {
  test('never grows beyond its bound, and keeps the newest lines', async () => {
    const path = join(folder, 'logs', 'puna.log');
    const file = new LogFile(path, { mostBytes: 1000 });
    for (let line = 0; line < 500; line++) file.write(`line ${line}`);
    expect(statSync(path).size).toBeLessThanOrEqual(1000);
    expect(statSync(`${path}.old`).size).toBeLessThanOrEqual(1000);
    const lines = await lastLines(path, 60);
    expect(lines).toEqual(Array.from({ length: 60 }, (_, at) => `line ${440 + at}`));
    new LogFile(path, { mostBytes: 1000 }).write('after a restart');
    expect((await lastLines(path, 2)).at(-1)).toBe('after a restart');
  });

  test('is not missed where it cannot be written', async () => {
    writeFileSync(join(folder, 'logs'), 'This is no folder.');
    const log = new Log(folder);
    log.error(new Error('lost'));
    expect(await lastLines(logFile(folder), 10)).toEqual([]);
  });

  test('holds a bounded number of lines of one minute', async () => {
    let now = Date.UTC(2026, 5, 1);
    const log = new Log(folder, { now: () => now });
    for (let at = 0; at < 1000; at++) log.warn('again');
    expect(await lastLines(logFile(folder), 2000)).toHaveLength(301);
    now += 60_000;
    log.info('later');
    expect((await lastLines(logFile(folder), 1))[0]).toBe('2026-06-01T00:01:00.000Z info later');
  });
});

test('What the program complains of is in the log, until that is ended', () => {
  const said: unknown[][] = [];
  const stop = followProcess({
    error: (...things) => said.push([...things]),
    warn: (...things) => said.push([...things]),
  });
  const failure = new Error('for the log');
  console.error(failure);
  console.warn('for the log, too');
  stop();
  console.error('not for the log');
  expect(said).toEqual([[failure], ['for the log, too']]);
});

test('The log of a process is for its owner alone', () => {
  new Log(folder).info('Puna started');
  if (process.platform !== 'win32') expect(statSync(logFile(folder)).mode & 0o077).toBe(0);
  expect(readFileSync(logFile(folder), 'utf8')).toContain(' info Puna started');
});
