import Database from 'better-sqlite3';
import { copyFile, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DatasetFile, useDataset } from '../../src/main/dataset-engine/dataset-file.ts';
import { createDataset, DatasetWriter } from '../../src/main/dataset-engine/dataset-writer.ts';
import { type ExampleContent, exampleSchema, mostValidation } from '../../src/shared/contract/index.ts';
import { rows, talk, text, writeDataset } from '../support/datasets.ts';
import { seededRandom } from '../support/tiny-random.ts';

let root: string;
let folder: string;
let path: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'puna-dataset-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'one-'));
  path = join(folder, 'data.puna');
});

const numbered = (count: number) => Array.from({ length: count }, (_, index) => text(`text ${index + 1}`));
const sources = async (filter = {}) => (await rows(path, filter)).map(({ source }) => Number(source));

describe('A dataset that is written', () => {
  test('has its examples in order, with what the table shows of them', async () => {
    await writeDataset(path, [talk('Where?', 'Here.', 'And now?', 'There.'), text('The wind.')]);
    expect(await rows(path)).toEqual([
      {
        ...{ id: 1, kind: 'conversation', turns: 4, asked: 'And now?', answer: 'There.', source: '1' },
        ...{ validation: false, excluded: false, edited: false, tokens: null },
      },
      {
        ...{ id: 2, kind: 'text', turns: 0, asked: '', answer: 'The wind.', source: '2' },
        ...{ validation: false, excluded: false, edited: false, tokens: null },
      },
    ]);
    expect(await useDataset(path, (file) => file.counts())).toEqual({
      ...{ conversations: 1, texts: 1, excluded: 0, validation: 0 },
    });
    expect(await readdir(folder)).toEqual(['data.puna']);
  });

  test('keeps what it was given to the letter', async () => {
    const contents: ExampleContent[] = [
      text('\ufeff a\r\n\u0000b\u2028 한글 한글 🙂 \ud800'),
      { ...talk('"?"', '\\n'), system: ' s ' } as ExampleContent,
    ];
    await writeDataset(path, contents);
    const read = await useDataset(path, (file) => file.read(0, 10));
    expect(read.map(({ content }) => content)).toEqual(contents);
  });

  test('is an even sample in order where there are too many', async () => {
    await using writer = await DatasetWriter.create(path, { validation: 0, seed: 3, most: 1500 });
    for (let item = 1; item <= 6000; item++) writer.append({ content: text(`${item}`), source: `${item}` });
    expect([writer.kept, writer.sampledFrom]).toEqual([1500, 6000]);
    expect(await writer.finish()).toMatchObject({ texts: 1500 });
    const kept = await useDataset(path, (file) => file.read(0, 2000));
    const numbers = kept.map(({ source }) => Number(source));
    expect(numbers).toHaveLength(1500);
    expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    expect(kept.every(({ source, content }) => content.kind === 'text' && content.text === source)).toBe(
      true,
    );
    // Of each quarter about a quarter: 375, with a deviation of 15.
    for (const quarter of [0, 1, 2, 3]) {
      const count = numbers.filter((number) => Math.floor((number - 1) / 1500) === quarter).length;
      expect(Math.abs(count - 375)).toBeLessThan(60);
    }
    // Nothing of what was replaced is left behind.
    const database = new Database(path, { readonly: true });
    for (const table of ['examples', 'contents', 'words']) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(1500);
    }
    database.close();
  });

  test.each([
    [0.1, 100, 10],
    [0.1, 3, 0],
    [0.5, 1, 0],
    [0.5, 2, 1],
    [0.5, 1000, mostValidation],
    [0, 50, 0],
  ])('of which %d are measured on has, of %d, %d drawn', async (validation, count, drawn) => {
    await writeDataset(path, numbered(count), { validation, seed: 5 });
    const measured = await sources({ show: 'validation' });
    expect(measured).toHaveLength(drawn);
    await rm(path);
    await writeDataset(path, numbered(count), { validation, seed: 5 });
    expect(await sources({ show: 'validation' })).toEqual(measured);
  });

  test('leaves nothing behind when it is not finished, nor touches what was there', async () => {
    await writeDataset(path, numbered(2));
    const cut = async () => {
      await using writer = await DatasetWriter.create(path, { validation: 0, seed: 1 });
      for (const content of numbered(5000)) writer.append({ content, source: '' });
      throw new Error('The source failed.');
    };
    await expect(cut()).rejects.toThrow('The source failed.');
    expect(await readdir(folder)).toEqual(['data.puna']);
    expect(await sources()).toEqual([1, 2]);
  });

  test('is made empty, unless it is there', async () => {
    await createDataset(path);
    expect(await rows(path)).toEqual([]);
    await useDataset(path, (file) => file.add([{ content: text('one'), source: 'a' }]));
    await createDataset(path);
    expect(await rows(path)).toHaveLength(1);
  });
});

describe('Examples', () => {
  test('come page by page', async () => {
    await writeDataset(path, numbered(25));
    const page = (offset: number) =>
      useDataset(path, (file) => file.page({ query: '', show: 'all' }, offset, 10));
    const pages = await Promise.all([page(0), page(10), page(20), page(30)]);
    expect(pages.map(({ total }) => total)).toEqual([25, 25, 25, 25]);
    expect(pages.flatMap(({ examples }) => examples.map(({ id }) => id))).toEqual(
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
  });

  test('are excluded, taken back, and measured on, by number and by filter', async () => {
    await writeDataset(path, [...numbered(8), text('other')]);
    const change = (choice: object, to: object) =>
      useDataset(path, (file) => file.change(choice as { ids: number[] }, to));
    expect(await change({ ids: [1, 2, 99] }, { excluded: true })).toMatchObject({ texts: 9, excluded: 2 });
    expect(await change({ ids: [2, 3] }, { validation: true })).toMatchObject({ excluded: 2, validation: 1 });
    expect(await sources({ show: 'excluded' })).toEqual([1, 2]);
    expect(await sources({ show: 'validation' })).toEqual([3]);
    expect(await sources({ show: 'learnt' })).toEqual([4, 5, 6, 7, 8, 9]);
    await change({ filter: { query: 'text', show: 'learnt' } }, { validation: true });
    expect(await sources({ show: 'learnt' })).toEqual([9]);
    await change({ filter: { query: '', show: 'excluded' } }, { excluded: false });
    expect(await sources({ show: 'excluded' })).toEqual([]);
    expect(await sources({ show: 'validation' })).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(await sources({ show: 'all', query: 'TEXT 3' })).toEqual([3]);
  });

  test('are edited in their place, and found by their new words only', async () => {
    await writeDataset(path, numbered(3));
    const edited = await useDataset(path, (file) => file.edit(2, talk('Really?', 'Indeed.')));
    expect(edited).toMatchObject({ id: 2, kind: 'conversation', edited: true, source: '2', cut: false });
    expect(edited.content).toEqual(talk('Really?', 'Indeed.'));
    expect(await sources()).toEqual([1, 2, 3]);
    expect(await sources({ query: 'indeed' })).toEqual([2]);
    expect(await sources({ query: 'text 2' })).toEqual([]);
    expect(await sources({ show: 'edited' })).toEqual([2]);
    expect(await useDataset(path, (file) => file.counts())).toMatchObject({ conversations: 1, texts: 2 });
  });

  test.each([
    ['nothing', text('')],
    ['white space', text(' \n')],
    ['an answer of white space', talk('a', ' ')],
    ['a question alone', talk('a')],
    ['a question at the end', talk('a', 'b', 'c')],
    ['what is neither', { kind: 'picture' }],
  ])('are not edited to be %s, and all stays as it was', async (_, content) => {
    await writeDataset(path, numbered(1));
    const edit = useDataset(path, (file) => file.edit(1, content as ExampleContent));
    await expect(edit).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await rows(path)).toMatchObject([{ answer: 'text 1', edited: false }]);
  });

  test('are added at the end, all of them or none', async () => {
    await writeDataset(path, numbered(2));
    const add = (...contents: ExampleContent[]) =>
      useDataset(path, (file) => file.add(contents.map((content) => ({ content, source: 'model' }))));
    expect(await add(talk('a', 'b'), text('last'))).toMatchObject({ id: 4, answer: 'last' });
    await expect(add(text('fine'), text(' '))).rejects.toMatchObject({ code: 'invalid-input' });
    expect((await rows(path)).map(({ answer }) => answer)).toEqual(['text 1', 'text 2', 'b', 'last']);
  });

  test('are split anew without those that are excluded', async () => {
    await writeDataset(path, numbered(40), { validation: 0.5 });
    const before = await sources({ show: 'validation' });
    await useDataset(path, (file) => file.change({ ids: before.slice(0, 10) }, { excluded: true }));
    const counts = await useDataset(path, (file) => file.split(0.2, 9));
    expect(counts).toMatchObject({ excluded: 10, validation: 6 });
    expect(await sources({ show: 'validation' })).not.toEqual(before);
    expect(await useDataset(path, (file) => file.split(0, 9))).toMatchObject({ validation: 0 });
  });

  test('that are the same are all measured on or none of them', async () => {
    const said = (file: DatasetFile, validation: boolean) =>
      file.read(0, 500, { validation }).map(({ content }) => JSON.stringify(content));
    const twins = Array.from({ length: 80 }, (_, index) => talk('How are you?', `Number ${index % 40}`));
    const usual = Array.from({ length: 100 }, () => text('Thank you.'));
    await writeDataset(path, [...twins, ...usual], { validation: 0.1 });
    for (const seed of [1, 2, 3]) {
      const [learnt, measured] = await useDataset(path, (file) => {
        expect(file.split(0.1, seed).validation).toBe(18);
        return [said(file, false), said(file, true)];
      });
      expect(new Set(measured).size).toBe(9);
      expect(learnt.filter((content) => measured.includes(content))).toEqual([]);
    }
    await writeDataset(path, usual, { validation: 0.5 });
    expect(await useDataset(path, (file) => file.counts())).toMatchObject({ texts: 100, validation: 0 });
  });

  test('that are too long are shown in part, which is an example still, and not edited', async () => {
    const long = '🙂'.repeat(150_000);
    await writeDataset(path, [text(`a${long}`), talk('q', `a${long}`, 'r', 'b'), talk(long, 'a')]);
    for (const id of [1, 2, 3]) {
      const example = await useDataset(path, (file) => file.example(id));
      expect(example.cut).toBe(true);
      expect(exampleSchema.parse(example)).toEqual(example);
      const shown = JSON.stringify(example.content);
      expect(shown.length).toBeLessThan(201_000);
      // Half of a character would be written as an escape.
      expect(shown).not.toContain('\\ud');
      await expect(useDataset(path, (file) => file.edit(id, text('short')))).rejects.toThrow(/edited/);
    }
    const [whole] = await useDataset(path, (file) => file.read(0, 1));
    expect(whole?.content).toEqual(text(`a${long}`));
  });

  test('that are not there are said not to be', async () => {
    await writeDataset(path, numbered(1));
    await expect(useDataset(path, (file) => file.example(7))).rejects.toMatchObject({ code: 'not-found' });
    await expect(useDataset(path, (file) => file.edit(7, text('x')))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('are read whole, behind one of them, without those that are excluded', async () => {
    await writeDataset(path, numbered(6), { validation: 0.4 });
    await useDataset(path, (file) => file.change({ ids: [3] }, { excluded: true }));
    const read = (after: number, limit: number) => useDataset(path, (file) => file.read(after, limit));
    expect((await read(0, 3)).map(({ id }) => id)).toEqual([1, 2, 4]);
    expect(await read(4, 3)).toEqual([
      { id: 5, source: '5', content: text('text 5') },
      { id: 6, source: '6', content: text('text 6') },
    ]);
    expect(await read(6, 3)).toEqual([]);
  });

  test('that are long are read a few at a time, each of them', async () => {
    const book = text('word '.repeat(300_000));
    await writeDataset(path, [...numbered(3), book, book, book, ...numbered(3)]);
    const batches: number[][] = [];
    await useDataset(path, (file) => {
      for (let after = 0; ;) {
        const found = file.read(after, 100).map(({ id }) => id);
        if (found.length === 0) return;
        batches.push(found);
        after = found.at(-1) ?? 0;
      }
    });
    expect(batches).toEqual([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9],
    ]);
  });
});

describe('The search', () => {
  const words = 'the Wind GRASS river Ünder straße 기계학습을 바람이 한국어로 대화 나는 사람과'.split(' ');

  test('finds what has all words of a query, within words, in any case, as looking through all texts does', async () => {
    const random = seededRandom(4);
    const texts = Array.from({ length: 300 }, () =>
      Array.from({ length: 6 }, () => words[random.below(words.length)]).join(' '),
    );
    // As macOS writes Korean and umlauts: taken apart.
    await writeDataset(
      path,
      texts.map((each, index) =>
        index % 3 === 0
          ? talk(each.normalize('NFD'), 'yes')
          : index % 3 === 1
            ? talk('so?', each)
            : text(each),
      ),
    );
    const queries =
      'wind;WIND;ind;rass riv;ünder;기계;계학;학습 wind;습을;바람 대화 나는;none;한;%;_;사람과 r'.split(';');
    let found = 0;
    for (const query of queries) {
      const expected = texts.flatMap((each, index) =>
        query.split(' ').every((word) => each.toLowerCase().includes(word.toLowerCase())) ? [index + 1] : [],
      );
      expect([query, await sources({ query })]).toEqual([query, expected]);
      expect([query, await sources({ query: `  ${query.normalize('NFD')} ` })]).toEqual([query, expected]);
      found += expected.length;
    }
    expect(found).toBeGreaterThan(500);
  });

  test('looks anew when another dataset has taken the place', async () => {
    await writeDataset(path, [text('the wind'), text('the river')]);
    expect(await sources({ query: 'river' })).toEqual([2]);
    await writeDataset(path, [text('a river'), text('a wind')]);
    expect(await sources({ query: 'river' })).toEqual([1]);
  });

  test('finds words of a system prompt, and none of the file that holds them', async () => {
    await writeDataset(path, [{ ...talk('a', 'b'), system: 'Speak like a pirate' } as ExampleContent]);
    expect(await sources({ query: 'PIRATE' })).toEqual([1]);
    for (const query of ['kind', 'turns', 'role', 'user']) expect(await sources({ query })).toEqual([]);
  });
});

describe('Lengths', () => {
  const measured = (examples: readonly { id: number; edits: number; content: ExampleContent }[]) =>
    examples.map((example) => ({ ...example, tokens: 5, learnt: 4 }));

  test('of what was edited while it was measured are not kept', async () => {
    await writeDataset(path, numbered(3));
    await useDataset(path, (file) => {
      file.lengths.begin('one');
      const missing = file.lengths.missing(0);
      file.edit(2, text('other'));
      file.lengths.keep('one', measured(missing));
    });
    expect((await rows(path)).map(({ tokens }) => tokens)).toEqual([5, null, 5]);
  });

  test('by two tokenizers are never mixed', async () => {
    await writeDataset(path, numbered(3));
    await useDataset(path, (file) => {
      file.lengths.begin('one');
      const missing = file.lengths.missing(0);
      file.lengths.begin('other');
      expect(() => file.lengths.keep('one', measured(missing))).toThrow(/another model/);
      file.lengths.keep('other', measured(missing.slice(0, 1)));
    });
    expect((await rows(path)).map(({ tokens }) => tokens)).toEqual([5, null, null]);
  });
});

describe('What is no dataset is refused in a sentence:', () => {
  test('a file that is not there, a text, nothing, and another database', async () => {
    const failure = () => useDataset(path, (file) => file.counts()).catch((thrown: unknown) => thrown);
    expect(await failure()).toMatchObject({ code: 'file-missing', message: expect.stringContaining(path) });
    await writeFile(path, 'Not a database, but a text that is longer than a header. '.repeat(20));
    expect(await failure()).toMatchObject({ code: 'invalid-input', message: expect.stringContaining(path) });
    await writeFile(path, '');
    expect(await failure()).toMatchObject({ code: 'invalid-input' });
    await rm(path);
    new Database(path).exec('CREATE TABLE examples (id INTEGER)').close();
    expect(await failure()).toMatchObject({ code: 'invalid-input' });
  });

  test('one of a newer Puna', async () => {
    await writeDataset(path, numbered(1));
    const database = new Database(path);
    database.pragma('user_version = 2');
    database.close();
    await expect(useDataset(path, (file) => file.counts())).rejects.toMatchObject({ code: 'database-newer' });
  });

  test('one that is damaged', async () => {
    await writeDataset(path, numbered(3000));
    const handle = await open(path, 'r+');
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(size - 20_000, 0xff), 0, size - 20_000, 20_000);
    await handle.close();
    const failure = await rows(path).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'database-damaged', message: expect.stringContaining(path) });
    expect(failure).toMatchObject({ remedy: expect.stringContaining('make it again') });
  });

  test('one that another program holds', async () => {
    await writeDataset(path, numbered(1));
    const copy = join(folder, 'copy.puna');
    await copyFile(path, copy);
    const other = new Database(copy);
    other.exec('BEGIN EXCLUSIVE');
    await expect(useDataset(copy, (file) => file.counts())).rejects.toMatchObject({
      code: 'database-locked',
    });
    other.close();
  });
});
