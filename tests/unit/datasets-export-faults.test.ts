import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detectEncoding } from '../../src/main/datasets/encoding.ts';
import {
  type Example,
  readExamples,
  type ReadOptions,
  type ReadReport,
} from '../../src/main/datasets/index.ts';
import { type JsonFound, JsonScanner } from '../../src/main/datasets/json-scanner.ts';
import { PunaError } from '../../src/shared/error.ts';
import { zipped, type ZippedFile } from '../support/zip.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/datasets', name);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-exports-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: string | Uint8Array, name = 'export'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function read(
  path: string,
  options: ReadOptions = {},
): Promise<{ said: string[][]; report: ReadReport }> {
  const report: ReadReport = { examples: 0, skipped: [] };
  const said: string[][] = [];
  for await (const example of readExamples(path, { report, ...options })) said.push(wordsOf(example));
  return { said, report };
}

function wordsOf(example: Example): string[] {
  return example.kind === 'text' ? [example.text] : example.turns.map(({ text }) => text);
}

async function errorOf(path: string, options: ReadOptions = {}): Promise<PunaError> {
  const thrown: unknown = await read(path, options).then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(PunaError);
  const error = thrown as PunaError;
  expect(error.code).toBe('invalid-input');
  expect(error.message).toMatch(/^[^\p{Cc}]{10,800}\.$/u);
  return error;
}

const korean = '[홍길동] [오후 3:21] 안녕하세요\n[김철수] [오후 3:22] 네, 반가워요\n';
/** "안녕하세요, 친구!" as Python 3 encodes it in CP949. */
const cp949 = Buffer.from('bec8b3e7c7cfbcbcbfe42c20c4a3b1b821', 'hex');

describe('An encoding', () => {
  it.each<[string, Uint8Array, string | null]>([
    ['UTF-8', Buffer.from(korean), 'utf-8'],
    ['UTF-8, cut in a letter', Buffer.from(korean).subarray(0, 5), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${korean}`), 'utf-8'],
    ['UTF-16 with a mark', Buffer.from(`\uFEFF${korean}`, 'utf16le'), 'utf-16le'],
    ['UTF-16 without one', Buffer.from(korean, 'utf16le'), 'utf-16le'],
    ['UTF-16 of big end', Buffer.from(korean, 'utf16le').swap16(), 'utf-16be'],
    ['CP949', cp949, 'euc-kr'],
    ['Windows-1252', Buffer.from('Café crème, déjà vu, naïve', 'latin1'), 'windows-1252'],
    ['none: a model', Buffer.from('GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0'), null],
    ['none: a picture', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), null],
  ])('is told: %s', (_, bytes, encoding) => expect(detectEncoding(bytes)).toBe(encoding));

  it('of a chat may be any of those', async () => {
    const text = await readFile(fixture('kakaotalk/pc-ko.txt'), 'utf8');
    const { said } = await read(fixture('kakaotalk/pc-ko.txt'));
    expect(said).toHaveLength(2);
    for (const bytes of [
      Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 'utf16le'),
      Buffer.from(text, 'utf16le').swap16(),
    ]) {
      expect((await read(await fileOf(bytes))).said).toEqual(said);
    }
    const old = Buffer.concat([
      Buffer.from('1/2/24, 9:41 PM - Bob: Hi\n1/2/24, 9:42 PM - Alice: '),
      cp949,
      Buffer.from('\n'),
    ]);
    expect((await read(await fileOf(old), { me: 'Alice' })).said).toEqual([['Hi', '안녕하세요, 친구!']]);
  });

  it('is found where the first letter that tells comes late', async () => {
    const ascii = Array.from({ length: 4000 }, (_, index) => `1/2/24, 9:41 PM - Bob: message ${index}\n`);
    const bytes = Buffer.concat([
      Buffer.from(`${ascii.join('')}1/2/24, 9:42 PM - Alice: `),
      cp949,
      Buffer.from('\n'),
    ]);
    const { said } = await read(await fileOf(bytes), { me: 'Alice' });
    expect(said.flat().at(-1)).toBe('안녕하세요, 친구!');
  });

  it('whose bytes are broken in one message leaves out that message alone', async () => {
    const text = await readFile(fixture('kakaotalk/pc-ko.txt'));
    const at = text.indexOf(Buffer.from('[오늘]'));
    const broken = Buffer.concat([text.subarray(0, at), Buffer.from([0xff]), text.subarray(at)]);
    // It comes late: a beginning that is no UTF-8 would be taken for another encoding.
    const path = await fileOf(Buffer.concat([text, Buffer.alloc(70_000, '\n'), broken]));
    const { report } = await read(path);
    expect(report.skipped).toContainEqual(
      expect.objectContaining({ reason: 'messages with characters that could not be decoded', count: 1 }),
    );
  });
});

describe('A ZIP archive', () => {
  const file = async (name: string, as = name): Promise<ZippedFile> => ({
    name: as,
    bytes: await readFile(fixture(name)),
  });

  it.each([
    ['chatgpt/conversations.json', 'conversations.json'],
    ['chatgpt/conversations.json', 'export/conversations-000.json'],
    ['claude/conversations.json', 'conversations.json'],
    ['telegram/account.json', 'DataExport/result.json'],
    ['kakaotalk/pc-ko.txt', 'KakaoTalkChats.txt'],
  ])('of %s, as %s, is read as the file itself', async (name, as) => {
    const files = [
      { name: 'user.json', bytes: Buffer.from('{"id":"user-x"}') },
      { name: 'picture.png', bytes: Buffer.from([1, 2, 3]) },
      await file(name, as),
    ];
    const { said, report } = await read(await fileOf(zipped(files)));
    const alone = await read(fixture(name));
    expect(said).toEqual(alone.said);
    expect(report.skipped.map(({ reason, count }) => [reason, count])).toEqual(
      alone.report.skipped.map(({ reason, count }) => [reason, count]),
    );
  });

  it('of WhatsApp tells by its name who the other one is', async () => {
    const path = await fileOf(
      zipped([await file('whatsapp/iphone-us.txt', '_chat.txt')]),
      'WhatsApp Chat - Bob.zip',
    );
    expect((await read(path)).said).toEqual(
      (await read(fixture('whatsapp/iphone-us.txt'), { me: 'Alice' })).said,
    );
  });

  it('of Slack is read as the folder', async () => {
    const names = ['users.json', 'dev/2024-01-02.json', 'general/2024-01-02.json', 'general/2024-01-03.json'];
    const files = await Promise.all(names.map((name) => file(`slack/${name}`, name)));
    const { said } = await read(await fileOf(zipped(files)), { me: 'ali' });
    expect(said).toEqual((await read(fixture('slack'), { me: 'ali' })).said);
  });

  it.each(['../conversations.json', 'a/../../b.json', '/etc/passwd', 'C:\\x.json', 'a\\b.json'])(
    'with the path %s is refused',
    async (name) => {
      const path = await fileOf(zipped([await file('chatgpt/conversations.json', name)]));
      expect((await errorOf(path)).message).toMatch(/leads out of it\.$/);
    },
  );

  it('with two files of one name is refused', async () => {
    const twice = await file('chatgpt/conversations.json', 'conversations.json');
    expect((await errorOf(await fileOf(zipped([twice, twice])))).message).toMatch(
      /has the file "conversations.json" twice\.$/,
    );
  });

  it('that would unpack to far more than it is, is refused', async () => {
    const bomb = zipped([{ name: 'conversations.json', bytes: Buffer.alloc(80 * 2 ** 20, 0x20) }]);
    expect((await errorOf(await fileOf(bomb))).message).toMatch(/would unpack from 0\.1 MB to 83\.9 MB/);
  });

  it('that says less than it unpacks to is read no further than it says', async () => {
    const bytes = Buffer.from(`[${' '.repeat(300_000)}]`);
    const lie = zipped([{ name: 'conversations.json', bytes, claimed: 100 }]);
    expect((await errorOf(await fileOf(lie))).message).toMatch(/ZIP archive that cannot be read/);
  });

  it('that is cut, or holds nothing known, is told', async () => {
    const whole = zipped([await file('chatgpt/conversations.json', 'conversations.json')]);
    expect((await errorOf(await fileOf(whole.subarray(0, -30)))).message).toMatch(/cannot be read/);
    const other = zipped([{ name: 'a.json', bytes: Buffer.from('{"a":1}') }]);
    expect((await errorOf(await fileOf(other))).message).toMatch(/without an export that is known\.$/);
  });
});

describe('Broken JSON', () => {
  const broken = 'broken JSON';

  it('in the middle of an export is left out, and told where', async () => {
    const text = await readFile(fixture('telegram/chat.json'), 'utf8');
    const lines = text.split('\n');
    const at = lines.findIndex((line) => line.includes('"Seen",'));
    lines[at] = '   "text": "Seen,';
    const { said, report } = await read(await fileOf(lines.join('\n')));
    expect(said).toEqual([['See https://example.org now\nA cat', 'Sweet']]);
    expect(report.skipped).toContainEqual({ reason: broken, count: 1, where: ['line 34'] });
  });

  it('at the end of an export loses only what is cut', async () => {
    const text = await readFile(fixture('chatgpt/conversations.json'), 'utf8');
    const { said, report } = await read(await fileOf(text.slice(0, -50)));
    expect(said).toHaveLength(1);
    expect(report.skipped.find(({ reason }) => reason === broken)?.count).toBe(1);
  });

  const messages = (path: readonly string[]) => path.at(-2) === 'messages';
  function scan(text: string, size = text.length): (unknown[] | string)[] {
    const scanner = new JsonScanner('file', messages);
    const found: JsonFound[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...scanner.write(text.slice(at, at + size)));
    found.push(...scanner.end());
    return found.map((one) => (one.kind === 'value' ? [one.line, one.value] : `broken on ${one.line}`));
  }

  it.each<[string, string, unknown[]]>([
    ['a string without an end', '{"messages":[{"a":1},{"a":"2},{"a":3},{"a":4}]}', [1, 'broken on 1', 3, 4]],
    ['a word that is none', '{"messages":[{"a":1},{"a":nul},{"a":3}]}', [1, 'broken on 1', 3]],
    ['brackets too few', '{"messages":[\n {"a":1},\n {"a":{"b":2},\n {"a":3}\n]}', [1, 'broken on 3', 3]],
    ['brackets too many', '{"messages":[{"a":1},{"a":2}}},{"a":3}]}', [1, 2, 'broken on 1', 3]],
    ['a comma too few', '{"messages":[{"a":1} {"a":2},{"a":3}]}', [1, 'broken on 1', 3]],
    [
      'a chat that is broken',
      '{"l":[{"n":1,"messages":[{"a":1}]},{"n":oops,"messages":[{"a":2}]},{"n":3,"messages":[{"a":3}]}]}',
      [1, 2, 3],
    ],
    [
      'another chat after it',
      '{"l":[{"n":1,"messages":[{"a":1},{"a":"x]},{"n":2,"messages":[{"a":2}]}]}',
      [1, 'broken on 1', 2],
    ],
  ])('is found again after %s', (_, text, expected) => {
    for (const size of [text.length, 1, 3]) {
      const found = scan(text, size).map((one) =>
        typeof one === 'string' ? one : (one[1] as { a: number }).a,
      );
      expect(found).toEqual(expected);
    }
  });

  it('is never found in what is sound, however it is cut and indented', () => {
    const value = fc.record({
      messages: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(value, fc.nat(2), fc.integer({ min: 1, max: 40 }), (sound, indent, size) => {
        const found = scan(JSON.stringify(sound, null, indent), size);
        expect(found.map((one) => one[1])).toEqual(JSON.parse(JSON.stringify(sound.messages)));
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it('of any kind ends in values and faults', () => {
    const sound = JSON.stringify(
      { messages: Array.from({ length: 20 }, (_, a) => ({ a, t: 'x{"' })) },
      null,
      1,
    );
    const change = fc.record({
      at: fc.nat(sound.length),
      removed: fc.nat(9),
      added: fc.constantFrom('', '"', '}', ']', '{', ',', '\n'),
    });
    fc.assert(
      fc.property(change, ({ at, removed, added }) => {
        const found = scan(sound.slice(0, at) + added + sound.slice(at + removed), 16);
        // One fault takes no more than what stands around it.
        expect(found.filter((one) => typeof one !== 'string').length).toBeGreaterThanOrEqual(
          at < 40 ? 0 : 17,
        );
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

describe('A broken row of KakaoTalk for Mac', () => {
  it('is left out, and told where', async () => {
    const rows = ['A,"hi"', 'B,"ho"', 'A,"open', 'B,"after"'].map(
      (row, index) => `2024-01-02 15:21:0${index},${row}`,
    );
    const { said, report } = await read(await fileOf(['Date,User,Message', ...rows].join('\n')), { me: 'B' });
    expect(said).toEqual([['hi', 'ho\nafter']]);
    expect(report.skipped).toEqual([
      { reason: 'messages that are not as they should be', count: 1, where: ['line 4'] },
    ]);
  });
});

describe('Dates', () => {
  it('that are not known are shown in three lines, and asked for', async () => {
    const lines = [
      '2 de enero de 2024 a las 21h41 - Bob: ¿Vienes?',
      '2 de enero de 2024 a las 21h42 - Alice: Sí',
      '2 de enero de 2024 a las 21h43 - Bob: Bien',
      '2 de enero de 2024 a las 21h44 - Alice: Hasta luego',
    ];
    const path = await fileOf(lines.join('\n'));
    const { message, remedy } = await errorOf(path);
    expect(message).toContain(
      `how its dates are written is not known: "${lines[0]}"; "${lines[1]}"; "${lines[2]}".`,
    );
    expect(remedy).toMatch(/--dates/);
  });

  it('are read as a person describes them', async () => {
    const path = await fileOf(
      '24|1|2 at 9.41 pm > Bob: Hi\n24|1|2 at 9.42 pm > Alice: Hello\n24|1|3 at 9.42 pm > Bob: Bye',
    );
    // Nothing says that this is a chat, and then it is a text.
    expect((await read(path)).said).toHaveLength(1);
    const chat = await fileOf(
      '<24/1/2 9.41 pm> - Bob: Hi\n<24/1/2 9.42 pm> - Alice: Hello\nyou\n<24/1/3 9.42 pm> - Bob: Bye\n',
    );
    expect((await errorOf(chat)).message).toMatch(/not known/);
    const described = { dates: '<YY/M/D h.m a> - ', me: 'Alice' };
    expect((await read(chat, described)).said).toEqual([['Hi', 'Hello\nyou']]);
    expect((await errorOf(chat, { ...described, dates: 'D/M' })).message).toMatch(/place for the year/);
  });

  it.each([
    '[00:01:02] Bob: Hello',
    '[2024-01-02 10:00:00] main: started',
    '2024-01-02 10:00:00 - INFO: started',
    'Bob: at 10:00 - or later: fine',
  ])('of transcripts and logs are of texts: %s', async (line) => {
    const text = `${line}\n`.repeat(5);
    expect((await read(await fileOf(text))).said).toEqual([[text]]);
  });

  it('of no calendar are not known, either', async () => {
    const lines = Array.from({ length: 4 }, (_, index) => `45/77/2024, 21:4${index} - Bob: Hi`);
    expect((await errorOf(await fileOf(lines.join('\n')))).message).toMatch(/not known: "45\/77\/2024/);
  });

  it('decide over the file whether the day or the month comes first', async () => {
    // Three days in a row, if the day comes first; three months else, and the same conversations.
    const chat = (dates: string[]) =>
      dates
        .flatMap((date) => [`${date}, 21:41 - Bob: ${date}?`, `${date}, 21:42 - Alice: ${date}!`])
        .join('\n');
    for (const dates of [
      ['01/02/2024', '02/02/2024', '13/02/2024'],
      ['01/02/2024', '01/03/2024', '01/13/2024'],
      ['03/12/2023', '04/01/2024', '05/01/2024'],
    ]) {
      const { said } = await read(await fileOf(chat(dates)), { me: 'Alice' });
      expect(said).toEqual(dates.map((date) => [`${date}?`, `${date}!`]));
    }
  });
});

describe('A large export', () => {
  const size = 20_000;
  const message = (id: number) => ({
    ...{ id, type: 'message', date_unixtime: String(1.7e9 + id * 600), from_id: `user${1 + (id % 2)}` },
    ...{ from: id % 2 ? 'Bob' : 'Alice', text: `message ${id} ${'x'.repeat(200)}` },
  });
  const content = JSON.stringify({
    ...{ name: 'Bob', type: 'personal_chat', id: 2 },
    messages: Array.from({ length: size }, (_, id) => message(id)),
  });

  it('gives its first example before it is read', async () => {
    const path = await fileOf(content);
    let read = 0;
    const progress: number[] = [];
    const onProgress = (bytes: number) => {
      read = bytes;
      progress.push(bytes);
    };
    let first: number | null = null;
    for await (const example of readExamples(path, { me: 'Alice', onProgress })) {
      expect(example.kind).toBe('conversation');
      first ??= read;
    }
    // Half is for seeing who speaks.
    expect(first).toBeLessThan(0.6 * content.length);
    expect(progress.at(-1)).toBe(content.length);
    expect(progress).toEqual(progress.toSorted((one, other) => one - other));
  });

  it('is read no further when the signal aborts, in the middle of either reading', async () => {
    const path = await fileOf(content);
    for (const share of [0.2, 0.7]) {
      const abort = new AbortController();
      let last = 0;
      const onProgress = (bytes: number) => {
        last = bytes;
        if (bytes > share * content.length) abort.abort(new Error('enough'));
      };
      await expect(read(path, { me: 'Alice', onProgress, signal: abort.signal })).rejects.toThrow('enough');
      expect(last).toBeLessThan((share + 0.1) * content.length);
    }
  });
});

describe('Conversations of people', () => {
  const at = (minutes: number) => {
    const date = new Date(Date.UTC(2024, 0, 1) + minutes * 60_000).toISOString();
    return `[${date.slice(8, 10)}/01/2024, ${date.slice(11, 19)}]`;
  };
  const chat = (...said: [number, string, string][]) =>
    fileOf(said.map(([minutes, name, text]) => `${at(minutes)} ${name}: ${text}`).join('\n'));

  it('join bursts with a line end, and what comes later with a blank line', async () => {
    const path = await chat(
      [0, 'Bob', 'a'],
      [4, 'Bob', 'b'],
      [8, 'Bob', 'c'],
      [14, 'Bob', 'd'],
      [15, 'Al', 'e'],
    );
    expect((await read(path, { me: 'Al' })).said).toEqual([['a\nb\nc\n\nd', 'e']]);
  });

  it('end where nobody writes for six hours', async () => {
    const path = await chat([0, 'Bob', 'a'], [359, 'Al', 'b'], [719, 'Bob', 'c'], [720, 'Al', 'd']);
    expect((await read(path, { me: 'Al' })).said).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('are cut between a reply and what comes next, where they have no end', async () => {
    const long = 'x'.repeat(900);
    const path = await chat(
      ...Array.from({ length: 40 }, (_, index): [number, string, string] => [
        index * 10,
        index % 2 ? 'Al' : 'Bob',
        long,
      ]),
    );
    const { said } = await read(path, { me: 'Al' });
    expect(said.length).toBeGreaterThan(1);
    expect(said.flat()).toHaveLength(40);
    for (const turns of said) expect(turns.join('').length).toBeLessThan(15_000);
  });
});
