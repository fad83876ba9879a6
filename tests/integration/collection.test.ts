import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { databaseFile, History, openDatabase } from '../../src/main/history/index.ts';
import {
  type Dataset,
  defaultCleanSettings,
  type ImportSource,
  type PunaEvent,
} from '../../src/shared/contract/index.ts';
import { chatIn } from '../support/conversations.ts';
import { enginesOf } from '../support/processes.ts';
import { type Shell, startShell, temporaryFolder } from '../support/shell.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/datasets', name);

let folder: string;
let removeFolder: () => Promise<void>;
/** So many examples that the import can be stopped on the way. */
const many = 60_000;
let large: string;
let dataFolder: string;
let shell: Shell;
let count = 0;

beforeAll(async () => {
  ({ folder, remove: removeFolder } = await temporaryFolder());
  large = join(folder, 'large.jsonl');
  const line = (_: unknown, index: number) => `${JSON.stringify({ text: `Example ${index} of many.` })}\n`;
  await writeFile(large, Array.from({ length: many }, line).join(''));
});
afterAll(() => removeFolder());
beforeEach(() => void (dataFolder = join(folder, `data-${++count}`)));
afterEach(() => shell.stop());

const begin = async () => void (shell = await startShell({ dataFolder }));
const file = (
  path: string,
  answers: Partial<Extract<ImportSource, { from: 'file' }>> = {},
): ImportSource => ({
  ...{ from: 'file', path, me: null, columns: null, dates: null, ...answers },
});
const start = (
  sources: ImportSource[],
  order: { name?: string; validation?: number; clean?: boolean } = {},
) =>
  shell.client.datasets.import({
    ...{ kind: 'import', name: order.name ?? '', sources, validation: order.validation ?? 0 },
    clean: order.clean ? defaultCleanSettings : null,
  });
const datasetOf = async (id: number): Promise<Dataset> => {
  const dataset = (await shell.client.datasets.list()).find((each) => each.id === id);
  if (!dataset) throw new Error(`There is no dataset ${id}.`);
  return dataset;
};

/** Waits until a dataset is as it should be. */
async function until(id: number, holds: (dataset: Dataset) => boolean): Promise<Dataset> {
  for (;;) {
    const dataset = await datasetOf(id);
    if (holds(dataset)) return dataset;
    if (['ready', 'failed', 'stopped'].includes(dataset.state)) {
      throw new Error(`It is ${dataset.state}: ${dataset.error?.message}`);
    }
    await setTimeout(20);
  }
}
const ready = ({ id }: { id: number }) => until(id, ({ state }) => state === 'ready');
const failed = ({ id }: { id: number }) => until(id, ({ state }) => state === 'failed');
const reading = ({ id }: { id: number }) => until(id, ({ progress }) => (progress?.examples ?? 0) > 0);

/** All examples as JSONL, and where each comes from. */
async function contentsOf({ id }: { id: number }): Promise<{ source: string; content: unknown }[]> {
  const { examples } = await shell.client.datasets.page({ datasetId: id, limit: 500 });
  return Promise.all(
    examples.map(async ({ id: exampleId, source }) => {
      const { content } = await shell.client.datasets.example({ datasetId: id, exampleId });
      const said =
        content.kind === 'text'
          ? content.text
          : content.turns.map(({ role, text, learnt }) =>
              role === 'user' ? text : `${learnt ? '+' : '-'}${text}`,
            );
      return { source, content: said };
    }),
  );
}
async function exported({ id }: { id: number }): Promise<unknown[]> {
  let text = '';
  for await (const piece of await shell.client.datasets.export({ datasetId: id })) text += piece;
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}
const filesOfDatasets = () => readdir(join(dataFolder, 'datasets'));

/** All that is told from now on. */
async function listen(): Promise<PunaEvent[]> {
  const seen: PunaEvent[] = [];
  const events = await shell.client.system.events();
  void (async () => {
    for await (const event of events) seen.push(event);
  })().catch(() => undefined);
  return seen;
}

describe('a file, an archive or a folder', () => {
  beforeEach(begin);
  const inspect = (path: string, dates: string | null = null) =>
    shell.client.datasets.inspect({ path, dates });
  const nothing = { people: null, me: null, columns: null, strangeDates: null, failure: null };

  test('is recognised by its content, with who speaks, who exported it and what columns are', async () => {
    expect(await inspect(fixture('kakaotalk/pc-ko.txt'))).toEqual({
      ...{ ...nothing, path: fixture('kakaotalk/pc-ko.txt'), name: 'pc-ko.txt', bytes: 641, files: 1 },
      ...{ kind: 'kakaotalk', me: '홍길동' },
      people: [
        { name: '김철수', messages: 4 },
        { name: '홍길동', messages: 3 },
      ],
    });
    expect(await inspect(fixture('whatsapp/iso.txt'))).toMatchObject({ kind: 'whatsapp', me: null });
    expect(await inspect(fixture('telegram/account.json'))).toMatchObject({ kind: 'telegram', me: 'Alice' });
    expect(await inspect(fixture('documents/korean.csv'))).toMatchObject({
      ...{ ...nothing, kind: 'csv' },
      columns: { names: ['질문', '답변'], mapping: { prompt: '질문', reply: '답변' } },
    });
    expect(await inspect(fixture('documents/questions-zstd.parquet'))).toMatchObject({
      ...{ ...nothing, kind: 'parquet' },
      columns: { names: ['id', 'question', 'answer'], mapping: { prompt: 'question', reply: 'answer' } },
    });
    expect(await inspect(fixture('documents/strange.parquet'))).toMatchObject({
      columns: { names: ['uri', 'stars'], mapping: {} },
    });
    expect(await inspect(fixture('sharegpt.json'))).toMatchObject({ ...nothing, kind: 'examples' });
    expect(await inspect(fixture('documents/lighthouse.pdf'))).toMatchObject({ ...nothing, kind: 'pdf' });
    expect(await inspect(fixture('slack'))).toMatchObject({ kind: 'slack', files: 5, failure: null });
  });

  test('with columns whose names nobody knows, or without names, can be mapped', async () => {
    const named = join(folder, 'named.csv');
    await writeFile(named, 'Zeile,Wer\n1. Satz ist hier.,Anna\n');
    const nameless = join(folder, 'nameless.csv');
    await writeFile(nameless, 'How are you?,Fine.\nAnd now?,Well.\n');
    expect((await inspect(named)).columns).toEqual({ names: ['Zeile', 'Wer'], mapping: {} });
    expect((await inspect(nameless)).columns).toEqual({ names: ['column 1', 'column 2'], mapping: {} });
    const sources = [
      file(named, { columns: { text: 'Zeile' } }),
      file(nameless, { columns: { prompt: 'column 1', reply: 'column 2' } }),
    ];
    expect(await contentsOf(await ready(await start(sources)))).toEqual([
      { source: 'named.csv, line 2', content: '1. Satz ist hier.' },
      { source: 'nameless.csv, line 1', content: ['How are you?', '+Fine.'] },
      { source: 'nameless.csv, line 2', content: ['And now?', '+Well.'] },
    ]);
  });

  test('that keeps what was guessed of its columns loses nothing of what was guessed', async () => {
    const path = join(folder, 'material.csv');
    await writeFile(path, 'instruction,input,output\nAdd.,"1, 2",3\n');
    const { columns } = await inspect(path);
    expect(columns?.mapping).toEqual({ prompt: 'instruction', reply: 'output' });
    const made = await ready(await start([file(path, { columns: columns?.mapping ?? null })]));
    expect(await contentsOf(made)).toMatchObject([{ content: ['Add.\n\n1, 2', '+3'] }]);
  });

  test('with dates that are not known shows three lines until they are described rightly', async () => {
    const chat = join(folder, '단톡방.txt');
    const lines = [
      '<24/1/2 3.05 오후> - 민지: 뭐해?',
      '<24/1/2 3.06 오후> - 지수: 밥',
      '<24/1/3 9.10 오전> - 민지: 응',
    ];
    await writeFile(chat, lines.join('\n'));
    const strange = { kind: 'whatsapp', people: null, strangeDates: lines, failure: null };
    expect(await inspect(chat)).toMatchObject(strange);
    expect(await inspect(chat, 'D/M')).toMatchObject(strange);
    expect(await inspect(chat, 'D.M.YYYY h:m - ')).toMatchObject(strange);
    const dates = '<YY/M/D h.m a> - ';
    expect(await inspect(chat, dates)).toMatchObject({
      strangeDates: null,
      people: [
        { name: '민지', messages: 2 },
        { name: '지수', messages: 1 },
      ],
    });
    const made = await ready(await start([file(chat, { me: '지수', dates })]));
    expect(await contentsOf(made)).toEqual([{ source: '단톡방.txt, line 1', content: ['뭐해?', '+밥'] }]);
  });

  test('that cannot be read says why', async () => {
    const picture = join(folder, 'picture.png');
    await writeFile(picture, Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\r', 'latin1'));
    expect((await inspect(picture)).failure?.message).toMatch(/picture\.png is not a text/);
    expect((await inspect(join(folder, 'nowhere'))).failure?.message).toMatch(/no file or folder/);
    const unknown = join(folder, 'unknown.json');
    await writeFile(unknown, '[{"q":1}]');
    expect((await inspect(unknown)).failure?.message).toMatch(/the keys "q" is of no known kind/);
    const none = join(folder, 'none');
    await mkdir(none, { recursive: true });
    expect(await inspect(none)).toMatchObject({
      ...{ kind: 'folder', files: 0 },
      failure: { message: `${none} has no file that Puna can read.` },
    });
  });

  test('that is a folder is of one kind, or of several; people are asked about once', async () => {
    const chats = join(folder, '대화');
    await mkdir(join(chats, 'old'), { recursive: true });
    await writeFile(join(chats, '가.txt'), await readFile(fixture('kakaotalk/pc-ko.txt')));
    await writeFile(join(chats, 'old', '나.txt'), await readFile(fixture('kakaotalk/mac.csv')));
    expect(await inspect(chats)).toMatchObject({ kind: 'kakaotalk', files: 2, name: '대화', me: null });
    await writeFile(join(chats, 'note.md'), '# A note\n');
    const found = await inspect(chats);
    expect(found).toMatchObject({ kind: 'folder', files: 3, columns: null });
    expect(found.people?.map(({ name }) => name).toSorted()).toEqual(['김철수', '홍길동']);
  });
});

describe('an import', () => {
  beforeEach(begin);

  test('reads files of several kinds, in their order, and says what was left out and where', async () => {
    const seen = await listen();
    const order = await start([
      file(fixture('kakaotalk/pc-ko.txt')),
      file(fixture('whatsapp/android-ko.txt'), { me: '길동' }),
      file(fixture('documents/korean.csv')),
      file(fixture('documents/front-matter.md')),
    ]);
    expect(order).toMatchObject({ name: 'pc-ko +3', state: 'waiting', reviewed: true });
    const dataset = await ready(order);
    expect(await contentsOf(dataset)).toEqual([
      {
        source: 'pc-ko.txt, line 5',
        content: ['뭐해?\n밥 먹었어?', '+아직\n지금 나가려고', '[오늘] 몇 시에 올래?', '+5시'],
      },
      { source: 'pc-ko.txt, line 15', content: ['잘 자', '+너도'] },
      { source: 'android-ko.txt, line 2', content: ['와?', '+응'] },
      { source: 'android-ko.txt, line 5', content: ['새해 복 많이 받아', '+너도'] },
      {
        source: 'korean.csv, line 2',
        content: ['날씨가 어때요?', '+오늘은 맑고, 내일은 비가 옵니다.'],
      },
      { source: 'korean.csv, line 3', content: ['이름이 뭐예요?', '+저는 "푸나"입니다.'] },
      { source: 'front-matter.md', content: '# A day\n\nIt began *early*.\n\n---\n\nAnd ended late.\n' },
    ]);
    expect(dataset).toMatchObject({
      counts: { conversations: 6, texts: 1, excluded: 0, validation: 0 },
      ...{ progress: null, error: null, cleaned: null, sampledFrom: null, fingerprint: null },
      leftOut: [
        {
          ...{ reason: 'pictures, stickers and other media', count: 3 },
          where: ['pc-ko.txt, line 9', 'pc-ko.txt, line 10', 'android-ko.txt, line 3'],
        },
        { reason: 'messages of the system', count: 2 },
        { reason: 'deleted messages', count: 1, where: ['pc-ko.txt, line 17'] },
      ],
    });
    const told = seen.flatMap((event) => (event.type === 'dataset' ? [event.dataset.state] : []));
    expect(told.filter((state, index) => state !== told[index - 1])).toEqual(['waiting', 'working', 'ready']);
    expect(await filesOfDatasets()).toEqual([`${dataset.id}.dataset`]);
  });

  test('cleans, holds examples back, and gives the same each time', async () => {
    const path = join(folder, 'twins.jsonl');
    const lines = Array.from({ length: 40 }, (_, index) => ({
      text: `A sentence about number ${index % 20}.`,
    }));
    await writeFile(path, lines.map((line) => JSON.stringify(line)).join('\n'));
    const [one, two] = [
      await ready(await start([file(path)], { validation: 0.25, clean: true, name: ' Twins ' })),
      await ready(await start([file(path)], { validation: 0.25, clean: true })),
    ];
    expect(one).toMatchObject({
      ...{ name: 'Twins', counts: { texts: 20, validation: 5 } },
      cleaned: { seen: 40, kept: 20 },
    });
    expect(await exported(one)).toEqual(await exported(two));
    expect(await exported(one)).toHaveLength(20);
  });

  test('goes on without a source that cannot be read, and says so; without any it fails', async () => {
    const broken = join(folder, 'broken.json');
    await writeFile(broken, '[{"q":1}]');
    const missing = join(folder, 'missing.txt');
    const short = join(folder, 'short.txt');
    await writeFile(short, 'Ha');
    const dataset = await ready(
      await start([file(missing), file(broken), file(fixture('documents/front-matter.md'))]),
    );
    expect(dataset.counts.texts).toBe(1);
    expect(dataset.leftOut.map(({ reason }) => reason)).toEqual([
      'There is no file or folder missing.txt.',
      expect.stringMatching(/^broken\.json, object 1, which ends on line 1: .* is of no known kind\.$/),
      'records of no known kind',
    ]);
    expect((await failed(await start([file(missing), file(broken)]))).error).toMatchObject({
      ...{ code: 'file-missing', message: 'There is no file or folder missing.txt.' },
    });
    const cleaned = await failed(await start([file(short)], { clean: true }));
    expect(cleaned.error?.message).toMatch(/^Cleaning has left nothing of 1 example\.$/);
    expect(await filesOfDatasets()).toEqual([`${dataset.id}.dataset`]);
  });

  test('of a folder calls files by their paths in it, and by the folder where names are the same', async () => {
    const notes = join(folder, 'notes');
    for (const name of ['a', 'b']) {
      await mkdir(join(notes, name), { recursive: true });
      await writeFile(join(notes, name, '글.md'), `# ${name}\n`);
    }
    expect(await contentsOf(await ready(await start([file(notes)], { name: '메모' })))).toEqual([
      { source: 'notes/a/글.md', content: '# a\n' },
      { source: 'notes/b/글.md', content: '# b\n' },
    ]);
    const two = [file(join(notes, 'b', '글.md')), file(join(notes, 'a', '글.md'))];
    expect(await contentsOf(await ready(await start(two)))).toEqual([
      { source: 'b/글.md', content: '# b\n' },
      { source: 'a/글.md', content: '# a\n' },
    ]);
  });

  test('without sources begins a dataset that a person writes', async () => {
    const dataset = await ready(await start([], { name: 'Mine' }));
    const { id: datasetId } = dataset;
    await shell.client.datasets.add({ datasetId, content: { kind: 'text', text: 'By hand.' } });
    expect((await datasetOf(datasetId)).counts).toMatchObject({ conversations: 0, texts: 1 });
  });

  test('waits for the one before it, and can be stopped before its turn', async () => {
    const first = await start([file(large)]);
    const second = await start([file(fixture('sharegpt.json'))]);
    const third = await start([file(fixture('sharegpt.json'))]);
    await reading(first);
    expect((await datasetOf(second.id)).state).toBe('waiting');
    expect((await shell.client.datasets.cancel({ datasetId: second.id })).state).toBe('stopped');
    await shell.client.datasets.cancel({ datasetId: first.id });
    expect((await ready(third)).counts.conversations).toBeGreaterThan(0);
    expect((await datasetOf(second.id)).state).toBe('stopped');
  });
});

describe('an import that is interrupted', () => {
  beforeEach(begin);

  test('by a person leaves nothing behind, and begins anew when it is resumed', async () => {
    const dataset = await start([file(large)]);
    await reading(dataset);
    expect(await shell.client.datasets.cancel({ datasetId: dataset.id })).toMatchObject({
      ...{ state: 'stopped', progress: null, error: null },
    });
    expect(await filesOfDatasets()).toEqual([]);
    await expect(shell.client.datasets.page({ datasetId: dataset.id })).rejects.toThrow(/not complete/);
    await shell.client.datasets.resume({ datasetId: dataset.id });
    expect((await ready(dataset)).counts.texts).toBe(many);
    await expect(shell.client.datasets.resume({ datasetId: dataset.id })).rejects.toThrow(/made already/);
  });

  test('by the death of its engine fails, leaves nothing behind, and can be resumed', async () => {
    const dataset = await start([file(large)]);
    await reading(dataset);
    const [engine = 0] = (await enginesOf(shell.process.pid ?? 0, 'dataset-engine')).toReversed();
    process.kill(engine, 'SIGKILL');
    expect((await failed(dataset)).error).toMatchObject({ code: 'engine-died' });
    expect(await filesOfDatasets()).toEqual([]);
    await shell.client.datasets.resume({ datasetId: dataset.id });
    expect((await ready(dataset)).counts.texts).toBe(many);
  });

  test.each(['stop', 'kill'] as const)(
    'by the end of the program goes on after the next start: %s',
    async (how) => {
      const dataset = await start([file(large)]);
      const behind = await start([file(fixture('documents/front-matter.md'))]);
      await reading(dataset);
      await shell[how]();
      await begin();
      expect((await ready(dataset)).counts.texts).toBe(many);
      expect((await ready(behind)).counts.texts).toBe(1);
      expect((await filesOfDatasets()).toSorted()).toEqual([`${dataset.id}.dataset`, `${behind.id}.dataset`]);
    },
  );
});

describe('conversations of one’s own', () => {
  beforeEach(async () => {
    await mkdir(dataFolder, { recursive: true });
    const database = openDatabase(databaseFile(dataFolder));
    const history = new History(database);
    const chat = chatIn(history);
    const { id: folderId } = history.folders.create({ name: '여행' });
    const trip = chat.begin('부산 여행', { folderId, systemPrompt: 'Be kind.' });
    const note = { name: 'a.txt', mimeType: 'text/plain', bytes: 3, text: 'abc' };
    trip.say('어디 갈까?', '바다요.', { rating: 'up', attachments: [note] });
    trip.say('또?', '몰라.', { rating: 'down' });
    trip.say('맛집은?', '거기.', { rating: 'down', correction: '시장에 가 보세요.' });
    chat.begin('').say('Hi', 'Hello');
    chat.begin('Failed').say('a', '', { status: 'failed' });
    database.close();
    await begin();
  });
  const asked = 'a.txt:\n```\nabc\n```\n\n어디 갈까?';

  test('become examples that are called as they are', async () => {
    const dataset = await ready(await start([{ from: 'history', folderId: null, onlyLiked: false }]));
    expect(dataset).toMatchObject({ name: 'Conversations', leftOut: [] });
    expect(await contentsOf(dataset)).toEqual([
      {
        source: '부산 여행',
        content: [asked, '+바다요.', '또?', '-몰라.', '맛집은?', '+시장에 가 보세요.'],
      },
      { source: 'Conversations', content: ['Hi', '+Hello'] },
    ]);
    const [first] = await exported(dataset);
    expect(first).toEqual({
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: asked },
        { role: 'assistant', content: '바다요.' },
        { role: 'user', content: '또?' },
        { role: 'assistant', content: '몰라.', weight: 0 },
        { role: 'user', content: '맛집은?' },
        { role: 'assistant', content: '시장에 가 보세요.' },
      ],
    });
    expect(await filesOfDatasets()).toEqual([`${dataset.id}.dataset`]);
  });

  test('can be those of a folder, only what is liked, and stand beside files', async () => {
    const [{ id: folderId } = { id: 0 }] = (await shell.client.system.state()).folders;
    const dataset = await ready(
      await start([
        { from: 'history', folderId, onlyLiked: true },
        file(fixture('documents/front-matter.md')),
      ]),
    );
    expect(dataset.name).toBe('여행 +1');
    expect(await contentsOf(dataset)).toMatchObject([
      { source: '부산 여행', content: [asked, '+바다요.', '또?', '-몰라.', '맛집은?', '+시장에 가 보세요.'] },
      { source: 'front-matter.md' },
    ]);
  });

  test('without anything to learn from are told', async () => {
    const { id: folderId } = await shell.client.folders.create({ name: 'Empty' });
    const empty: ImportSource = { from: 'history', folderId, onlyLiked: true };
    expect((await failed(await start([empty]))).error?.message).toMatch(/no reply with a thumb up/);
    const beside = await ready(await start([empty, file(fixture('documents/front-matter.md'))]));
    expect(beside.leftOut).toMatchObject([
      { reason: expect.stringMatching(/no reply with a thumb up/) as string },
    ]);
  });
});

describe('a dataset', () => {
  let dataset: Dataset;
  let datasetId: number;
  beforeEach(async () => {
    await begin();
    const path = join(folder, 'ten.jsonl');
    const lines = Array.from({ length: 10 }, (_, index) => JSON.stringify({ text: `Number ${index}` }));
    await writeFile(path, lines.join('\n'));
    dataset = await ready(await start([file(path)], { name: 'Ten' }));
    datasetId = dataset.id;
  });

  test('is changed: its counts are brought up to date, and what is excluded is not exported', async () => {
    const { datasets } = shell.client;
    const seen = await listen();
    const { examples } = await datasets.page({ datasetId, filter: { query: '', show: 'all' } });
    const ids = examples.slice(0, 3).map(({ id }) => id);
    expect((await datasets.change({ datasetId, choice: { ids }, excluded: true })).counts).toEqual({
      ...{ conversations: 0, texts: 10, excluded: 3, validation: 0 },
    });
    const content = { kind: 'text' as const, text: 'Other' };
    expect(await datasets.edit({ datasetId, exampleId: examples[3]?.id ?? 0, content })).toMatchObject({
      ...{ content, edited: true },
    });
    await datasets.add({ datasetId, content: { kind: 'text', text: 'Added' } });
    const split = await datasets.split({ datasetId, validation: 0.5 });
    expect(split.counts).toEqual({ conversations: 0, texts: 11, excluded: 3, validation: 4 });
    expect(split.changedAt).toBeGreaterThan(dataset.changedAt);
    const texts = (await exported({ id: datasetId })).map((line) => (line as { text: string }).text);
    expect(texts.toSorted()).toEqual([
      ...['Added', 'Number 4', 'Number 5', 'Number 6', 'Number 7', 'Number 8', 'Number 9', 'Other'],
    ]);
    expect(seen.findLast((event) => event.type === 'dataset')).toMatchObject({
      dataset: { counts: split.counts },
    });
    expect(await datasetOf(datasetId)).toEqual(split);
    expect(await readdir(join(dataFolder, 'snapshots'))).toEqual([]);
  });

  test('is renamed and removed, with its file', async () => {
    const seen = await listen();
    expect((await shell.client.datasets.rename({ datasetId, name: '열' })).name).toBe('열');
    expect((await shell.client.datasets.rename({ datasetId, name: ' ' })).name).toBe('열');
    await shell.client.datasets.remove({ datasetId });
    expect(await shell.client.datasets.list()).toEqual([]);
    expect(existsSync(dataset.path)).toBe(false);
    expect(seen.at(-1)).toEqual({ type: 'dataset-removed', datasetId });
    await expect(shell.client.datasets.page({ datasetId })).rejects.toThrow('There is no such dataset.');
  });

  test('that is being made is removed when its reading has stopped', async () => {
    const seen = await listen();
    const other = await start([file(large)]);
    await reading(other);
    await shell.client.datasets.remove({ datasetId: other.id });
    expect(await filesOfDatasets()).toEqual([`${datasetId}.dataset`]);
    expect(seen.at(-1)).toEqual({ type: 'dataset-removed', datasetId: other.id });
  });

  test('of which the file is gone says so', async () => {
    await rm(dataset.path);
    await expect(shell.client.datasets.page({ datasetId })).rejects.toMatchObject({
      data: { code: 'file-missing' },
    });
  });
});

describe('files that are uploaded', () => {
  beforeEach(begin);
  const kept = () => readdir(join(dataFolder, 'uploaded-data')).catch(() => []);
  async function send(name: string, content: string | Uint8Array): Promise<string> {
    const bytes = Buffer.from(content);
    const { groupId } = await shell.client.uploads.beginGroup({ name });
    const { uploadId } = await shell.client.uploads.begin({ name, bytes: bytes.byteLength, groupId });
    await shell.client.uploads.append({ uploadId, offset: 0, piece: new Blob([bytes]) });
    return (await shell.client.datasets.keep({ groupId })).path;
  }

  test('are kept until the dataset is made of them', async () => {
    const path = await send('메모.txt', '한 문장입니다.');
    const dataset = await start([file(large), file(path)]);
    await shell.client.datasets.forget({ path });
    expect(await kept()).toHaveLength(1);
    await ready(dataset);
    while ((await kept()).length > 0) await setTimeout(20);
    const last = await shell.client.datasets.page({ datasetId: dataset.id, offset: many });
    expect(last.examples).toMatchObject([{ source: '메모.txt', answer: '한 문장입니다.' }]);
  });

  test('can be taken away again, while files of the machine are left as they are', async () => {
    const path = await send('note.txt', 'A note.');
    await shell.client.datasets.forget({ path });
    expect(await kept()).toEqual([]);
    await shell.client.datasets.forget({ path: large });
    expect(existsSync(large)).toBe(true);
  });

  test('that nothing was made of are gone after the next start; others wait for their dataset', async () => {
    await send('nothing.txt', 'x');
    const path = await send('later.txt', 'Later.');
    const first = await start([file(large)]);
    const second = await start([file(path)]);
    await reading(first);
    await shell.kill();
    await begin();
    expect((await ready(second)).counts.texts).toBe(1);
    while ((await kept()).length > 0) await setTimeout(20);
  });
});
