import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PunaError } from '../../src/shared/error.ts';
import { csv } from '../../src/main/datasets/import/csv.ts';
import { parquet } from '../../src/main/datasets/import/parquet.ts';
import { documentFixture as fixture, importFile } from '../support/imports.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-tables-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const quotesReason = 'rows with quotes that do not fit together';
const cellsReason = 'rows with more or fewer cells than columns';

describe('a table as text', () => {
  it('in EUC-KR, with Korean names of columns and quotes inside of quotes, is read', async () => {
    expect(await importFile(fixture('korean.csv'))).toEqual({
      importer: 'csv',
      drafts: [
        ['user: 날씨가 어때요?', 'assistant: 오늘은 맑고, 내일은 비가 옵니다.'],
        ['user: 이름이 뭐예요?', 'assistant: 저는 "푸나"입니다.'],
      ],
      skipped: [],
    });
  });

  it('as Excel saves "Unicode text", in UTF-16 with tabs, is read', async () => {
    const { drafts, skipped } = await importFile(fixture('excel.tsv'));
    expect(drafts).toEqual([['user: Höhe?', 'assistant: „Zwölf" Meter']]);
    expect(skipped).toEqual([]);
  });

  it('with semicolons and a line that says so is read, and an input follows its instruction', async () => {
    const { drafts } = await importFile(fixture('excel.csv'));
    expect(drafts).toEqual([
      ['user: Add; them\n\n1 and 2', 'assistant: 3'],
      ['user: Say hello', 'assistant: Hello'],
    ]);
  });

  it('that is broken loses the broken lines alone, and tells which', async () => {
    const { drafts, skipped } = await importFile(fixture('broken.csv'));
    expect(drafts).toEqual([
      ['user: one', 'assistant: 1'],
      ['user: three', 'assistant: 3'],
      ['user: five', 'assistant: 5'],
      ['user: seven', 'assistant: 7\nand a half'],
      ['user: eight', 'assistant: a 5" disk'],
      ['user: ten', 'assistant: 10'],
    ]);
    expect(skipped).toEqual([
      ['line 3', quotesReason],
      ['line 5', quotesReason],
      ['line 7', cellsReason],
      ['line 11', quotesReason],
    ]);
  });

  it('with tabs may have quotes as signs like any others', async () => {
    const { drafts, skipped } = await importFile(fixture('quotes.tsv'));
    expect(drafts).toEqual(['"Hello," she said.', 'The "end"']);
    expect(skipped).toEqual([]);
  });

  it('of columns that tell nothing is refused with their names, and read as they are mapped', async () => {
    await expect(importFile(fixture('plain.tsv'))).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('"When, where", "Who says it"'),
      remedy: expect.stringContaining('Choose which column'),
    });
    const mapped = await importFile(fixture('plain.tsv'), { columns: { text: 'Who says it' } });
    expect(mapped.drafts).toEqual(['Me']);
    const columns = { prompt: 'When, where', reply: 'Who says it' };
    expect((await importFile(fixture('plain.tsv'), { columns })).drafts).toEqual([
      ['user: Noon; here', 'assistant: Me'],
    ]);
  });

  it('without names of columns is mapped by their numbers, and loses no row', async () => {
    const columns = { prompt: 'column 1', reply: 'column 2' };
    expect((await importFile(fixture('nameless.csv'), { columns })).drafts).toEqual([
      ['user: What is it?', 'assistant: A cat.'],
      ['user: And that?', 'assistant: A dog.'],
    ]);
    await expect(importFile(fixture('nameless.csv'))).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it.each([
    [{ text: 'Whom' }, 'no column "Whom"'],
    [{ prompt: 'When, where' }, 'neither'],
    [{ text: 'When, where', reply: 'Who says it' }, 'neither'],
  ])('mapped as %o is refused', async (columns, words) => {
    await expect(importFile(fixture('plain.tsv'), { columns })).rejects.toMatchObject({
      message: expect.stringContaining(words),
    });
  });

  it('with a system column and lists of messages as JSON gives conversations', async () => {
    const flat = await fileOf('system.csv', 'system_prompt,Question,Answer\nBe kind.,Hi,Hello\n,Bye,Ciao\n');
    expect((await importFile(flat)).drafts).toEqual([
      ['system: Be kind.', 'user: Hi', 'assistant: Hello'],
      ['user: Bye', 'assistant: Ciao'],
    ]);
    const messages =
      '[{""role"":""user"",""content"":""Hi""},{""role"":""assistant"",""content"":""Hello""}]';
    const lists = await fileOf('lists.csv', `id,messages\n1,"${messages}"\n2,nothing\n`);
    const { drafts, skipped } = await importFile(lists);
    expect(drafts).toEqual([['user: Hi', 'assistant: Hello']]);
    expect(skipped).toEqual([['line 3', 'rows whose cells are not as their columns should be']]);
  });

  it('with line ends of old Macs, empty lines and a byte order mark is read', async () => {
    const path = await fileOf('mac.csv', '\ufefftext\r\rone\r"two\rlines"\r');
    expect((await importFile(path)).drafts).toEqual(['one', 'two\nlines']);
  });

  it('is known by its first line where its name does not tell', async () => {
    const named = await fileOf('data', 'prompt;completion\na;b\n');
    expect(await importFile(named)).toMatchObject({ importer: 'csv', drafts: [['user: a', 'assistant: b']] });
    const prose = await fileOf('letter.txt', 'Question, answer and all that;\nI do not know.\n');
    await expect(importFile(prose)).rejects.toThrow('Nothing recognises');
  });

  it('of many rows gives each of them, whatever the size of what is read at once', async () => {
    const rows = Array.from(
      { length: 3000 },
      (_, index) => `"${index}, ""${'x'.repeat(index % 97)}""\n",r${index}`,
    );
    const path = await fileOf('many.csv', `prompt,reply\n${rows.join('\n')}\n`);
    const reported: number[] = [];
    const { drafts } = await importFile(path, { onProgress: (bytes) => reported.push(bytes) });
    expect(drafts).toEqual(
      rows.map((_, index) => [`user: ${index}, "${'x'.repeat(index % 97)}"\n`, `assistant: r${index}`]),
    );
    expect(reported.at(-1)).toBe((await readFile(path)).length);
  });

  it('is no longer read once the signal aborts', async () => {
    const path = await fileOf('stop.csv', 'prompt,reply\na,b\n');
    await expect(importFile(path, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe('a table in Parquet', () => {
  const all = [
    ['user: How are you?', 'assistant: Fine, thanks.'],
    ['user: 안녕?', 'assistant: 안녕하세요!'],
    ['user: ', 'assistant: Nobody asked.'],
    ['user: Last one?', 'assistant: Yes.'],
  ];

  it.each(['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'paged'])(
    'that pyarrow has written (%s) is read, group by group',
    async (codec) => {
      expect(await importFile(fixture(`questions-${codec}.parquet`))).toEqual({
        importer: 'parquet',
        drafts: all,
        skipped: [],
      });
    },
  );

  it('with lists of messages gives conversations', async () => {
    expect((await importFile(fixture('messages.parquet'))).drafts).toEqual([
      ['system: Be brief.', 'user: Hi', 'assistant: Hello'],
      ['user: 1 + 1?', 'assistant: 2'],
    ]);
    const { drafts } = await importFile(fixture('conversations.parquet'));
    expect(drafts).toEqual([['user: Ping', 'assistant: Pong']]);
  });

  it('of columns that tell nothing is refused with their names, and read as they are mapped', async () => {
    await expect(importFile(fixture('strange.parquet'))).rejects.toMatchObject({
      message: expect.stringContaining('"uri", "stars"'),
    });
    const columns = { prompt: 'uri', reply: 'stars' };
    expect((await importFile(fixture('strange.parquet'), { columns })).drafts).toEqual([
      ['user: a', 'assistant: 1'],
      ['user: b', 'assistant: 2'],
    ]);
  });

  it('that is damaged in the middle loses those rows alone, and tells which', async () => {
    const bytes = await readFile(fixture('questions-none.parquet'));
    const at = bytes.indexOf('How are you?');
    // The lengths of texts stand before them; this page then has one that is longer than the page.
    bytes.fill(0xff, at - 30, at);
    const { drafts, skipped } = await importFile(await fileOf('damaged.parquet', bytes));
    expect(drafts).toEqual(all.slice(2));
    expect(skipped).toEqual([['rows 1 to 2', 'parts of the table that are damaged']]);
  });

  it('whose end is missing is refused', async () => {
    const bytes = await readFile(fixture('questions-zstd.parquet'));
    for (const kept of [4, 100, bytes.length - 1]) {
      const path = await fileOf('cut.parquet', bytes.subarray(0, kept));
      await expect(importFile(path)).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining(path),
      });
    }
  });
});

describe('a table that is damaged anywhere', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });

  it.each([
    [parquet, 'questions-none.parquet'],
    [parquet, 'messages.parquet'],
    [csv, 'broken.csv'],
  ])('gives what is left, or an error that can be read (%#)', async (importer, name) => {
    const whole = await readFile(fixture(name));
    await fc.assert(
      fc.asyncProperty(damages, async (places) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of places) bytes[at % bytes.length] = byte;
        const path = await fileOf('fuzzed', bytes);
        try {
          for await (const found of importer.read(path, { me: null, columns: null }))
            expect(found.where).toMatch(/\d/);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(PunaError);
        }
      }),
      // The same damages every time.
      { seed: 7 },
    );
  });
});
