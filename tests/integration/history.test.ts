import Database from 'better-sqlite3';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { History, type MessageChange, openDatabase } from '../../src/main/history/index.ts';
import { defaultSampling, type ReplyStats } from '../../src/shared/contract/index.ts';
import { temporaryFolder } from '../support/shell.ts';

let folder: string;
let removeFolder: () => Promise<void>;
let file: string;
let database: ReturnType<typeof openDatabase>;
let history: History;
let time: number;

beforeEach(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  file = join(folder, 'puna.db');
  time = Date.UTC(2026, 0, 1);
  database = openDatabase(file);
  history = new History(database, { now: () => (time += 1000) });
});

afterEach(async () => {
  database.close();
  await removeFolder();
});

const say = (
  conversationId: number,
  parentId: number | null,
  text: string,
  role: 'user' | 'assistant' = 'user',
) => history.messages.append({ conversationId, parentId, role, text, status: 'complete' });
const texts = (conversationId: number) =>
  history.messages.path({ conversationId, limit: 1000 }).messages.map(({ text }) => text);
const search = (query: string) => history.search({ query, cursor: null, limit: 20 }).hits;

describe('a conversation', () => {
  test('shows the branch that was written last, and any other when it is chosen', () => {
    const { id } = history.conversations.create();
    const question = say(id, null, 'Question');
    const first = say(id, question.id, 'First answer', 'assistant');
    say(id, first.id, 'Thanks');
    const second = say(id, question.id, 'Second answer', 'assistant');
    expect(texts(id)).toEqual(['Question', 'Second answer']);
    expect(history.messages.path({ conversationId: id, limit: 10 }).messages[1]?.siblings).toEqual([
      first.id,
      second.id,
    ]);
    expect(history.messages.select(first.id).leafId).toBe(first.id + 1);
    expect(texts(id)).toEqual(['Question', 'First answer', 'Thanks']);
  });

  test('is read page by page from its end', () => {
    const { id } = history.conversations.create();
    let parentId: number | null = null;
    for (let at = 0; at < 25; at++) parentId = say(id, parentId, `Message ${at}`).id;
    const last = history.messages.path({ conversationId: id, limit: 10 });
    expect(last.messages.map(({ text }) => text)).toEqual(
      Array.from({ length: 10 }, (_, at) => `Message ${at + 15}`),
    );
    const before = history.messages.path({ conversationId: id, limit: 20, before: last.messages[0]?.id });
    expect(before.messages).toHaveLength(15);
    expect({ first: last.hasMore, second: before.hasMore }).toEqual({ first: true, second: false });
  });

  test('that is deleted can be brought back, until it is purged', async () => {
    const { id } = history.conversations.create({ title: 'Grass' });
    say(id, null, 'golden');
    history.conversations.remove(id);
    expect(() => history.conversations.get(id)).toThrow('no longer exists');
    expect(search('golden')).toEqual([]);
    await history.conversations.purge();
    expect(history.conversations.restore(id).title).toBe('Grass');
    expect(search('golden')).toHaveLength(1);
    history.conversations.remove(id);
    time += 31 * 24 * 60 * 60 * 1000;
    await history.conversations.purge();
    expect(() => history.conversations.restore(id)).toThrow('no longer exists');
    expect(database.prepare('SELECT count(*) FROM messages').pluck().get()).toBe(0);
  });

  test('stands in the list by pin and last change, page by page, without gap or repetition', () => {
    const ids = Array.from({ length: 25 }, () => history.conversations.create().id);
    history.conversations.update(ids[3] ?? 0, { pinned: true });
    const listed: number[] = [];
    let cursor: string | null = null;
    do {
      const page = history.conversations.list({ archived: false, cursor, limit: 10 });
      listed.push(...page.conversations.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor);
    expect(listed).toEqual([ids[3], ...ids.filter((_, at) => at !== 3).reverse()]);
  });

  test('stays when its folder or model goes', () => {
    const { id: folderId } = history.folders.create({ name: 'Work' });
    const { id } = history.conversations.create({ folderId });
    history.folders.remove(folderId);
    expect(history.conversations.get(id).folderId).toBeNull();
  });
});

describe('a reply that streams', () => {
  test('cannot be put into a folder that is gone; nothing half made is left', () => {
    const { id } = history.conversations.create({ title: 'Here' });
    const gone = { folderId: 99, title: 'There' };
    const error = expect.objectContaining({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }) as Error;
    expect(() => history.conversations.create(gone)).toThrow(error);
    expect(() => history.conversations.update(id, gone)).toThrow(error);
    expect(history.conversations.list({ archived: false, cursor: null, limit: 10 }).conversations).toEqual([
      expect.objectContaining({ id, title: 'Here', folderId: null }),
    ]);
  });

  test('is kept up to its last save when the process dies, and marked at the next start', () => {
    const { id } = history.conversations.create();
    const question = say(id, null, 'Question');
    const reply = history.messages.append({
      ...{ conversationId: id, parentId: question.id, role: 'assistant', text: '', status: 'streaming' },
    });
    history.messages.write(reply.id, { text: 'The grass is gol' });
    // What a killed process leaves: the files as they are, nothing closed.
    const left = join(folder, 'left.db');
    for (const suffix of ['', '-wal']) writeFileSync(left + suffix, readFileSync(file + suffix));
    const again = openDatabase(left);
    const next = new History(again);
    expect(next.messages.interruptUnfinished()).toBe(1);
    expect(next.messages.get(reply.id)).toMatchObject({ text: 'The grass is gol', status: 'interrupted' });
    expect(next.search({ query: 'grass', cursor: null, limit: 5 }).hits).toHaveLength(1);
    again.close();
  });

  test('is found when it is finished, by its last words', () => {
    const { id } = history.conversations.create();
    const reply = history.messages.append({
      ...{ conversationId: id, parentId: null, role: 'assistant', text: '', status: 'streaming' },
    });
    history.messages.write(reply.id, { text: 'draft' });
    expect(search('draft')).toEqual([]);
    history.messages.write(reply.id, { text: 'final', status: 'complete' });
    history.messages.write(reply.id, { text: 'final words', status: 'complete' });
    expect(search('words')).toHaveLength(1);
    expect(search('draft')).toEqual([]);
  });

  test('that is changed keeps all that the change does not name; null takes its error away', () => {
    const { id } = history.conversations.create();
    const reply = history.messages.append({
      ...{ conversationId: id, parentId: null, role: 'assistant', text: 'Grass', thinking: 'Hm.' },
      status: 'streaming',
    });
    const stats: ReplyStats = {
      ...{ model: 'tiny', server: null, adapters: [], sampling: defaultSampling, seed: 1, promptTokens: 5 },
      ...{ cachedTokens: 0, tokens: 7, seconds: 1, timeToFirstToken: 0.5, tokensPerSecond: 12 },
      ...{ contextUsed: 12, contextSize: 64, droppedMessages: 0, truncated: false },
    };
    const changes: MessageChange[] = [
      { error: 'The disk is full.', errorCode: 'disk-full' },
      { text: 'Golden grass' },
      { thinking: 'Hm, yes.' },
      { status: 'interrupted' },
      { stats },
      { error: null },
    ];
    let expected = reply;
    for (const change of changes) {
      history.messages.write(reply.id, change);
      expected = { ...expected, ...change, ...(change.error === null && { errorCode: null }) };
      expect(history.messages.get(reply.id)).toEqual(expected);
    }
  });
});

describe('search', () => {
  test('finds Korean by two syllables inside a word, by one, and by a whole phrase', () => {
    const { id } = history.conversations.create();
    say(id, null, '오늘부터 기계학습을 공부해요');
    say(id, null, '학교에서 습도를 쟀어요');
    for (const query of ['학습', '기계학습', '계학', '공부', '요'])
      expect(search(query).length, query).toBeGreaterThan(0);
    expect(search('학습')).toHaveLength(1);
    expect(search('학')).toHaveLength(2);
    expect(search('학습 공부')).toHaveLength(1);
    expect(search('학습 습도')).toHaveLength(0);
  });

  test('finds words whatever their case and accents, the last one unfinished', () => {
    const { id } = history.conversations.create();
    say(id, null, 'Ein Café in München');
    for (const query of ['cafe', 'CAFÉ', 'munch', 'ein mün']) expect(search(query), query).toHaveLength(1);
    expect(search('mun caf ein x')).toEqual([]);
  });

  test('finds titles, shows them first, and marks the match', () => {
    const { id } = history.conversations.create({ title: 'Golden grass' });
    say(id, null, 'I like golden things');
    expect(search('golden').map(({ messageId, snippet }) => [messageId === null, snippet])).toEqual([
      [
        true,
        [
          { text: 'Golden', match: true },
          { text: ' grass', match: false },
        ],
      ],
      [
        false,
        [
          { text: 'I like ', match: false },
          { text: 'golden', match: true },
          { text: ' things', match: false },
        ],
      ],
    ]);
  });

  test('puts the message that is about it before the one that mentions it', () => {
    const { id } = history.conversations.create();
    const about = say(id, null, 'Vicuñas live high. Vicuñas are shy.');
    say(id, null, `Once I read of vicuñas. ${'And of much else. '.repeat(30)}`);
    expect(search('vicunas')[0]?.messageId).toBe(about.id);
  });

  test('goes through all pages without gap or repetition', () => {
    const { id } = history.conversations.create();
    const ids = Array.from({ length: 700 }, (_, at) => say(id, null, `common word ${at}`).id);
    const found: (number | null)[] = [];
    let cursor: string | null = null;
    do {
      const page = history.search({ query: 'common', cursor, limit: 90 });
      found.push(...page.hits.map(({ messageId }) => messageId));
      cursor = page.cursor;
    } while (cursor);
    expect(found).toHaveLength(ids.length);
    expect(new Set(found)).toEqual(new Set(ids));
  });
});

describe('an export', () => {
  async function exported(format: 'json' | 'markdown', conversationId?: number): Promise<string> {
    let whole = '';
    for await (const piece of history.exportHistory({ format, conversationId })) whole += piece;
    return whole;
  }

  function fill(): void {
    const { id: folderId } = history.folders.create({ name: 'Work' });
    const { id } = history.conversations.create({
      title: 'Grass 풀',
      folderId,
      pinned: true,
      systemPrompt: 'Be brief.',
    });
    const question = history.messages.append({
      ...{ conversationId: id, parentId: null, role: 'user', text: 'What?', status: 'complete' },
      attachments: [{ name: 'a.txt', mimeType: 'text/plain', bytes: 3, text: 'abc' }],
    });
    const reply = say(id, question.id, 'Gold.', 'assistant');
    history.messages.setFeedback(reply.id, { rating: 'down', correction: 'Golden.' });
    say(id, question.id, 'Golden, mostly.', 'assistant');
    history.messages.select(reply.id);
    history.conversations.create({ title: 'Empty', archived: true });
  }

  test('imported elsewhere and exported again is the same', async () => {
    fill();
    const json = await exported('json');
    const path = join(folder, 'export.json');
    await writeFile(path, json);
    const other = openDatabase(join(folder, 'other.db'));
    const elsewhere = new History(other);
    expect(await elsewhere.importHistory(path)).toEqual({ conversations: 2, messages: 3 });
    let again = '';
    for await (const piece of elsewhere.exportHistory({ format: 'json' })) again += piece;
    expect(JSON.parse(again)).toEqual(JSON.parse(json));
    expect(elsewhere.search({ query: 'mostly', cursor: null, limit: 5 }).hits).toHaveLength(1);
    other.close();
  });

  test('as Markdown has the branch in view', async () => {
    fill();
    const markdown = await exported('markdown', 1);
    expect(markdown).toMatch(/^# Grass 풀\n/);
    expect(markdown).toContain('Gold.');
    expect(markdown).not.toContain('mostly');
  });

  test('of which the import is stopped leaves nothing behind', async () => {
    const { id } = history.conversations.create();
    for (let at = 0; at < 1200; at++) say(id, null, `Message ${at}`);
    const path = join(folder, 'long.json');
    await writeFile(path, await exported('json'));
    const stop = new AbortController();
    const other = openDatabase(join(folder, 'other.db'));
    const count = () => other.prepare('SELECT count(*) FROM messages').pluck().get();
    const importing = new History(other).importHistory(path, { signal: stop.signal });
    const stopped = expect(importing).rejects.toMatchObject({ name: 'AbortError' });
    // It writes slice by slice, and others have their turn in between.
    while (count() === 0) await setImmediate();
    stop.abort();
    await stopped;
    expect(count()).toBe(0);
    other.close();
  });

  test('that is broken in the middle leaves nothing behind', async () => {
    fill();
    const json = await exported('json');
    const path = join(folder, 'broken.json');
    for (const broken of [
      json.slice(0, -20),
      json.replace('"role":"assistant"', '"role":"robot"'),
      json.replace('"parent":0', '"parent":5'),
      json.replace('puna-history', 'other'),
      json.replace('"version":1', '"version":2'),
      '',
      'PK\u0003\u0004',
    ]) {
      await writeFile(path, broken);
      const before = await exported('json');
      await expect(history.importHistory(path)).rejects.toMatchObject({ code: 'invalid-input' });
      expect(await exported('json')).toBe(before);
      expect(database.prepare('SELECT count(*) FROM messages').pluck().get()).toBe(3);
    }
  });

  test('that died with the process is cleared away at the next start', async () => {
    database
      .prepare(
        "INSERT INTO conversations (title, pinned, archived, created_at, updated_at, deleted_at, adapters, system_prompt, sampling) VALUES ('half', 0, 0, 1, 1, 0, '[]', '', '{}')",
      )
      .run();
    expect(history.conversations.list({ archived: false, cursor: null, limit: 5 }).conversations).toEqual([]);
    await history.conversations.purge();
    expect(database.prepare('SELECT count(*) FROM conversations').pluck().get()).toBe(0);
  });
});

describe('settings', () => {
  test('keep what was set, and the defaults for what cannot be read', () => {
    history.settings.update({ theme: 'dark' });
    database
      .prepare("INSERT INTO settings VALUES ('language', '\"klingon\"'), ('modelId', 'not json')")
      .run();
    expect(history.settings.get()).toMatchObject({ theme: 'dark', language: 'system', modelId: null });
  });
});

describe('a database', () => {
  const backups = () => readdirSync(folder).filter((name) => name.endsWith('.backup'));

  test('of an older version is backed up and migrated; the backup is the old one', async () => {
    history.conversations.create({ title: 'Old' });
    database.close();
    const released = (await import('../../src/main/history/migrations/index.ts')).migrations;
    const next = [...released, "ALTER TABLE conversations ADD COLUMN colour TEXT NOT NULL DEFAULT 'gold'"];
    database = openDatabase(file, { migrations: next });
    expect(database.prepare('SELECT title, colour FROM conversations').get()).toEqual({
      title: 'Old',
      colour: 'gold',
    });
    const [backup = ''] = backups();
    expect(backups()).toEqual([`puna.db.version-${released.length}.backup`]);
    const old = new Database(join(folder, backup));
    expect(old.prepare('SELECT title FROM conversations').pluck().get()).toBe('Old');
    expect(old.pragma('user_version', { simple: true })).toBe(released.length);
    old.close();
  });

  test('stays as it was when a migration fails', async () => {
    database.close();
    const released = (await import('../../src/main/history/migrations/index.ts')).migrations;
    const failing = [...released, 'CREATE TABLE half (id); SELECT no_such_function()'];
    expect(() => openDatabase(file, { migrations: failing })).toThrow();
    database = openDatabase(file);
    expect(database.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'half'").pluck().get()).toBe(0);
  });

  test('of which no backup can be made is not migrated, and no half of a backup is left', async () => {
    history.conversations.create({ title: 'Old' });
    database.close();
    const released = (await import('../../src/main/history/migrations/index.ts')).migrations;
    const backup = `puna.db.version-${released.length}.backup`;
    mkdirSync(join(folder, backup, 'in the way'), { recursive: true });
    expect(() => openDatabase(file, { migrations: [...released, 'CREATE TABLE next (id)'] })).toThrow();
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    database = openDatabase(file);
    expect(database.prepare('SELECT title FROM conversations').pluck().get()).toBe('Old');
  });

  test('of a newer Puna is refused', () => {
    database.pragma('user_version = 99');
    database.close();
    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'database-newer' }));
  });

  test('that another program holds says so', () => {
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    database.pragma('busy_timeout = 50');
    expect(() => history.conversations.create()).toThrow(/locked/);
    other.close();
  });

  test('that is none, or damaged, says so and is left as it is', () => {
    const garbage = join(folder, 'garbage.db');
    writeFileSync(garbage, 'This is not a database, but it is long enough to be taken for one.'.repeat(100));
    const before = readFileSync(garbage);
    expect(() => openDatabase(garbage)).toThrow(expect.objectContaining({ code: 'database-damaged' }));
    expect(readFileSync(garbage)).toEqual(before);
    database.close();
    truncateSync(file, 5000);
    expect(() => openDatabase(file)).toThrow(expect.objectContaining({ code: 'database-damaged' }));
  });

  test('on a full disk refuses the write and keeps what was there', () => {
    const { id } = history.conversations.create({ title: 'Kept' });
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages + 2}`);
    expect(() => say(id, null, 'x'.repeat(100_000))).toThrow(
      expect.objectContaining({ code: 'SQLITE_FULL' }),
    );
    database.pragma('max_page_count = 1000000');
    expect(history.conversations.get(id)).toMatchObject({ title: 'Kept', leafId: null });
    expect(texts(id)).toEqual([]);
  });
});
