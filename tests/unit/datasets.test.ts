import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Example, type Place, readExamples, type ReadReport } from '../../src/main/datasets/index.ts';
import { PunaError } from '../../src/shared/error.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/datasets', name);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'puna-datasets-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, 'data');
  await writeFile(path, content);
  return path;
}

async function collect(examples: AsyncIterable<Example>): Promise<Example[]> {
  const collected: Example[] = [];
  for await (const example of examples) collected.push(example);
  return collected;
}

async function read(content: string | Uint8Array): Promise<Example[]> {
  return collect(readExamples(await fileOf(content)));
}

async function reportOf(content: string): Promise<ReadReport> {
  const report: ReadReport = { examples: 0, skipped: [] };
  await collect(readExamples(await fileOf(content), { report }));
  return report;
}

async function errorOf(content: string | Uint8Array): Promise<PunaError> {
  const thrown: unknown = await read(content).then(
    () => null,
    (error: unknown) => error,
  );
  expectReadable(thrown);
  return thrown as PunaError;
}

function expectReadable(thrown: unknown): void {
  expect(thrown).toBeInstanceOf(PunaError);
  const { code, message, remedy } = thrown as PunaError;
  expect(code).toBe('invalid-input');
  expect(message).toContain(join(folder, 'data'));
  expect(message).toMatch(/^[^\p{Cc}]{10,1200}\.$/u);
  expect(remedy).toMatch(/\.$/);
}

const jsonl = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');
const text = (value: string): Example => ({ kind: 'text', text: value });
function conversation(system: string, ...texts: string[]): Example {
  const turns = texts.map((turn, index) => ({
    role: index % 2 ? ('assistant' as const) : ('user' as const),
    text: turn,
  }));
  return { kind: 'conversation', system, turns };
}
const messages = (...turns: [role: string, content: unknown][]) => ({
  messages: turns.map(([role, content]) => ({ role, content })),
});
const asked: [string, unknown][] = [
  ['user', 'Hi'],
  ['assistant', 'Hello'],
];

describe('real files', () => {
  it('of ShareGPT lose no turn', async () => {
    const records = JSON.parse(await readFile(fixture('sharegpt.json'), 'utf8')) as {
      conversations: { from: string; value: string }[];
    }[];
    const report: ReadReport = { examples: 0, skipped: [] };
    const examples = await collect(readExamples(fixture('sharegpt.json'), { report }));
    expect(examples).toEqual(
      records.map((record) => conversation('', ...record.conversations.map(({ value }) => value))),
    );
    expect(report).toEqual({ examples: records.length, skipped: [] });
  });

  it('of self-instruct lose no instance', async () => {
    const lines = (await readFile(fixture('seed-tasks.jsonl'), 'utf8')).trimEnd().split('\n');
    const expected = lines.flatMap((line) => {
      const { instruction, instances } = JSON.parse(line) as {
        instruction: string;
        instances: { input: string; output: string }[];
      };
      return instances.map(({ input, output }) =>
        conversation('', input ? `${instruction}\n\n${input}` : instruction, output),
      );
    });
    expect(await collect(readExamples(fixture('seed-tasks.jsonl')))).toEqual(expected);
  });
});

describe('OpenAI messages', () => {
  it('keep the words of system or developer, user and assistant', async () => {
    expect(await read(jsonl(messages(['system', 'Be kind.'], ...asked)))).toEqual([
      conversation('Be kind.', 'Hi', 'Hello'),
    ]);
    expect(await read(jsonl(messages(['developer', 'Be brief.'], ...asked)))).toEqual([
      conversation('Be brief.', 'Hi', 'Hello'),
    ]);
  });

  it('may have their content in parts of text', async () => {
    const parts = [
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo' },
    ];
    expect(await read(jsonl(messages(['user', 'Hi'], ['assistant', parts])))).toEqual([
      conversation('', 'Hi', 'Hello'),
    ]);
  });

  it('leave out tools, unknown roles and empty messages, and are told', async () => {
    const turns = messages(
      ['user', 'Weather?'],
      ['assistant', null],
      ['tool', '{"sky":"blue"}'],
      ['function', 'x'],
      ['narrator', 'Meanwhile'],
      ['assistant', 'Blue.'],
    );
    expect(await read(jsonl(turns))).toEqual([conversation('', 'Weather?', 'Blue.')]);
    expect((await reportOf(jsonl(turns))).skipped).toEqual([
      { reason: 'empty messages', count: 1 },
      { reason: 'messages of tools', count: 2 },
      { reason: 'messages of unknown roles', count: 1 },
    ]);
  });

  it('with weight 0 are read and not learnt, unless they are joined with what is', async () => {
    const message = (role: string, content: string, weight?: number) => ({ role, content, weight });
    const all = [
      ...[message('user', 'Hi', 0), message('assistant', 'Hm', 0), message('user', 'Hi?', 1)],
      ...[message('assistant', 'He', 0), message('assistant', 'llo', 1), message('user', 'Bye')],
      ...[message('assistant', 'B', 0), message('assistant', 'ye', 0)],
    ];
    expect(await read(jsonl({ messages: all }))).toEqual([
      {
        ...{ kind: 'conversation', system: '' },
        turns: [
          { role: 'user', text: 'Hi' },
          { role: 'assistant', text: 'Hm', learnt: false },
          { role: 'user', text: 'Hi?' },
          { role: 'assistant', text: 'He\n\nllo' },
          { role: 'user', text: 'Bye' },
          { role: 'assistant', text: 'B\n\nye', learnt: false },
        ],
      },
    ]);
  });

  it('with pictures are left out as a whole', async () => {
    const picture = { type: 'image_url', image_url: { url: 'data:' } };
    const report = await reportOf(
      jsonl(messages(['user', [picture]], ['assistant', 'A cat']), { text: 'a' }),
    );
    expect(report).toEqual({
      examples: 1,
      skipped: [{ reason: 'conversations with parts that are not text', count: 1 }],
    });
  });
});

describe('other kinds', () => {
  it('ShareGPT keeps HTML as it is, and takes a system text of its own', async () => {
    const value = '<div class="x"><p>Hi &amp; bye</p></div>';
    const record = {
      system: 'S',
      conversations: [
        { from: 'user', value },
        { from: 'gpt', value },
      ],
    };
    expect(await read(jsonl(record))).toEqual([conversation('S', value, value)]);
  });

  it('Alpaca puts the input below the instruction, when there is one', async () => {
    expect(
      await read(
        jsonl(
          { instruction: 'Add.', input: '1, 2', output: '3', text: 'all in one' },
          { instruction: 'Sing.', input: '', output: 'La' },
          { instruction: 'Hum.', input: null, output: 'Mm' },
        ),
      ),
    ).toEqual([
      conversation('', 'Add.\n\n1, 2', '3'),
      conversation('', 'Sing.', 'La'),
      conversation('', 'Hum.', 'Mm'),
    ]);
  });

  it('a seed task gives one example per instance', async () => {
    const instances = [
      { input: 'a', output: '1' },
      { input: '', output: '2' },
    ];
    expect(await read(jsonl({ instruction: 'Do', instances }))).toEqual([
      conversation('', 'Do\n\na', '1'),
      conversation('', 'Do', '2'),
    ]);
  });

  it('prompts have a completion or a response; texts stand as they are', async () => {
    expect(
      await read(
        jsonl({ prompt: 'p', completion: ' c' }, { prompt: 'p', response: 'r' }, { text: ' t\r\n' }),
      ),
    ).toEqual([conversation('', 'p', ' c'), conversation('', 'p', 'r'), text(' t\r\n')]);
  });

  it('messages count more than a prompt beside them, unless they are null', async () => {
    expect(
      await read(
        jsonl({ prompt: 'p', response: 'r', ...messages(...asked) }, { messages: null, text: 'instead' }),
      ),
    ).toEqual([conversation('', 'Hi', 'Hello'), text('instead')]);
  });
});

describe('turns', () => {
  it('of one speaker in a row are joined by a blank line', async () => {
    const turns = messages(
      ['user', 'a'],
      ['user', 'b'],
      ['assistant', 'c'],
      ['assistant', 'd'],
      ['user', 'e'],
      ['assistant', 'f'],
    );
    expect(await read(jsonl(turns))).toEqual([conversation('', 'a\n\nb', 'c\n\nd', 'e', 'f')]);
  });

  it('of the assistant before a user, and of a user without a reply, are dropped and counted', async () => {
    const turns = messages(['assistant', 'Welcome'], ...asked, ['user', 'And?']);
    expect(await read(jsonl(turns))).toEqual([conversation('', 'Hi', 'Hello')]);
    expect(await reportOf(jsonl(turns))).toEqual({
      examples: 1,
      skipped: [
        { reason: 'assistant turns before the first user turn', count: 1 },
        { reason: 'user turns at the end, without a reply', count: 1 },
      ],
    });
  });

  it('that are all questions make no example, which is counted', async () => {
    const lonely = messages(['user', 'Anyone?']);
    expect(await reportOf(jsonl(lonely, lonely, { text: 'a' }, { text: ' ' }))).toEqual({
      examples: 1,
      skipped: [
        { reason: 'conversations without a reply to a user turn', count: 2 },
        { reason: 'empty texts', count: 1 },
      ],
    });
  });
});

describe('a file', () => {
  const records = [messages(...asked), { text: '한국어 \u2028 🐈' }];
  const expected = [conversation('', 'Hi', 'Hello'), text('한국어 \u2028 🐈')];

  it.each<[string, string]>([
    ['JSONL', jsonl(...records)],
    ['JSONL with a mark, blank lines and CRLF', `\uFEFF\n${jsonl(...records).replace('\n', '\r\n\r\n')}\r\n`],
    ['a list', JSON.stringify(records)],
    ['a list on many lines', `\uFEFF ${JSON.stringify(records, null, 2)}\n`],
    ['a list, an element a line', `[\n${jsonl(...records).replace('\n', ',\n')}\n]`],
    ['an object with a list', JSON.stringify({ version: '1', data: records })],
    [
      'an object with a list, on many lines',
      JSON.stringify(
        { languages: ['ko', 'en'], fields: [{ name: 'text' }], data: records, end: {} },
        null,
        1,
      ),
    ],
    ['objects on many lines each', records.map((record) => JSON.stringify(record, null, 2)).join('\n')],
  ])('is read as %s', async (_, content) => expect(await read(content)).toEqual(expected));

  it.each(['utf16le', 'utf-16be', 'utf8'])('is decoded, whatever its mark says: %s', async (encoding) => {
    const bytes = Buffer.from(`\uFEFF${jsonl(...records)}`, encoding === 'utf8' ? 'utf8' : 'utf16le');
    expect(await read(encoding === 'utf-16be' ? bytes.swap16() : bytes)).toEqual(expected);
  });

  it('can be a single example', async () => {
    expect(await read(JSON.stringify(records[0], null, 2))).toEqual([expected[0]]);
    expect(await read(JSON.stringify(records[0]))).toEqual([expected[0]]);
  });

  it.each([
    '',
    '[ ] to do\n[x] done',
    '[1] A footnote',
    '[[A link]]',
    '{{ name }}',
    '{\n  int x;\n}',
    '42',
    '"Hi"',
  ])('that is no JSON is one text: %j', async (start) =>
    expect(await read(`\uFEFF${start}\r\nmore\n`)).toEqual([text(`${start}\nmore\n`)]),
  );

  it('is the same wherever the reads of the disk cut it', async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ text: '고양이🐈é'.repeat(500 + index) }));
    const texts = many.map((record) => text(record.text));
    expect(await read(jsonl(...many))).toEqual(texts);
    expect(await read(JSON.stringify(many))).toEqual(texts);
    const whole = many.map((record) => record.text).join('\n');
    expect(await read(whole)).toEqual([text(whole)]);
  });

  it('is read as a stream: what comes first arrives before what cannot be read', async () => {
    const lists = '{"a":[{"text":"a"}],\n"b":[{"text":"b"}]}';
    for (const content of [lists, Buffer.from('[{"text":"a"},\n"\xe9"]', 'latin1')]) {
      const seen: Example[] = [];
      const reading = (async () => {
        for await (const example of readExamples(await fileOf(content))) seen.push(example);
      })();
      await expect(reading).rejects.toThrow(/two lists|line 2/i);
      expect(seen).toEqual([text('a')]);
    }
  });

  it('is read no further when the signal aborts', async () => {
    const abort = new AbortController();
    const reading = (async () => {
      const path = await fileOf(jsonl({ text: 'a' }, { text: 'b' }));
      for await (const example of readExamples(path, { signal: abort.signal })) {
        expect(example).toEqual(text('a'));
        abort.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
  });
});

describe('what is broken in the middle', () => {
  const long = 'x'.repeat(128 * 2 ** 20);
  it.each<[string, string | Uint8Array, string[], Record<string, string[]>]>([
    [
      'a line of JSONL',
      '{"text":"a"}\n{"text":\n\n{"text":"b"}\n{"text":"c',
      ['a', 'b'],
      { 'broken JSON': ['line 2', 'line 5'] },
    ],
    ['its first line', '{"text":"a"\n{"text":"b"}', ['b'], { 'broken JSON': ['line 1'] }],
    [
      'a line in another encoding',
      Buffer.from('{"text":"a"}\n{"text":"\xe9"}\n{"text":"b"}', 'latin1'),
      ['a', 'b'],
      { 'lines that are not UTF-8': ['line 2'] },
    ],
    [
      'a line that is too long',
      `{"text":"a"}\n{"text":"${long}"}\n{"text":"b"}`,
      ['a', 'b'],
      { 'lines that are too long': ['line 2'] },
    ],
    [
      'records of other kinds',
      jsonl({ text: 'a' }, { q: 1 }, 3, { text: 5 }, { text: 'b' }),
      ['a', 'b'],
      {
        'records of no known kind': ['line 2', 'line 3'],
        'records that are not as their kind should be': ['line 4'],
      },
    ],
    [
      'an element of a list',
      '[\n{"text":"a"},\n{"text":"b" 1},\n{"text":"c"}\n]',
      ['a', 'c'],
      { 'broken JSON': ['line 3'] },
    ],
    [
      'the comma behind an element',
      '[\n{"text":"a"},\n{"text":"b"}\n{"text":"c"},\n{"text":"d"}\n]',
      ['a', 'b', 'd'],
      { 'broken JSON': ['line 4'] },
    ],
    [
      'the bracket behind an element, where all are on one line',
      '[{"text":"a"},{"text":"b",{"text":"c"},{"text":"d"}]',
      ['a', 'c', 'd'],
      { 'broken JSON': ['line 1'] },
    ],
    [
      'the rest of an element, where all are on one line',
      '{"data":[{"text":"a"},{"text":"[b,{"text":"c"},{"text":"d"}],"end":[1]}',
      ['a', 'c', 'd'],
      { 'broken JSON': ['line 1'] },
    ],
    ['the end of a list', '[\n{"text":"a"},\n{"text":"b', ['a'], { 'broken JSON': ['line 3'] }],
    [
      'an element of the list in an object, whose other lists are no examples',
      '{"languages":[{"name":"ko"}],\n"data":[\n{"text":"a"},\n{"text:"b"},\n{"text":"c"}\n]}',
      ['a', 'c'],
      { 'broken JSON': ['line 4'] },
    ],
    [
      'the first element of the list in an object',
      '{"version":1,"data":[\n{"text":a"},\n{"text":"b"},\n{"text":"c"}\n]}',
      ['b', 'c'],
      { 'broken JSON': ['line 2'] },
    ],
    ['the second of objects', '{\n"text":"a"}\n{\n"text" "b"}', ['a'], { 'broken JSON': ['line 3'] }],
    [
      'elements of other kinds',
      '[{"text":"a"},\n{"q":1},\n{"text":"b"}]',
      ['a', 'b'],
      { 'records of no known kind': ['object 2, which ends on line 2'] },
    ],
  ])('costs no other, and is told with its place: %s', async (_, content, texts, places) => {
    const report: ReadReport = { examples: 0, skipped: [] };
    expect(await collect(readExamples(await fileOf(content), { report }))).toEqual(texts.map(text));
    expect(report).toEqual({
      examples: texts.length,
      skipped: Object.entries(places).map(([reason, where]) => ({ reason, count: where.length, where })),
    });
  });

  it('of many elements costs those alone, wherever the reads of the disk cut them', async () => {
    const elements = Array.from({ length: 400 }, (_, index) => ({
      ...messages(['user', `${index}`], ['assistant', '고양이🐈é'.repeat(index)]),
      id: index,
    }));
    const broken = [7, 120, 121, 399];
    const lines = elements.map((element, index) => {
      const line = JSON.stringify(element);
      return broken.includes(index) ? line.replace('"role"', 'role"') : line;
    });
    const report: ReadReport = { examples: 0, skipped: [] };
    const path = await fileOf(`[\n${lines.join(',\n')}\n]`);
    const asked = (await collect(readExamples(path, { report }))).map((example) =>
      example.kind === 'text' ? '' : example.turns[0]?.text,
    );
    // The first answer is empty.
    const sound = elements.map((_, index) => index).filter((index) => index > 0 && !broken.includes(index));
    expect(asked).toEqual(sound.map(String));
    expect(report.skipped).toContainEqual({
      ...{ reason: 'broken JSON', count: 4, where: ['line 9', 'line 122', 'line 123'] },
    });
  });
});

describe('where an example stands', () => {
  const placesOf = async (content: string) => {
    const places: Place[] = [];
    await collect(readExamples(await fileOf(content), { onPlace: (place) => places.push(place) }));
    return places;
  };

  it('is told before it is given, with what the file calls it', async () => {
    expect(
      await placesOf(jsonl({ text: 'a' }, { text: ' ' }, { text: 'b', 'puna:place': '부산 여행' })),
    ).toEqual([
      { at: 'line 1', name: null },
      { at: 'line 3', name: '부산 여행' },
    ]);
    expect(await placesOf('[{"text":"a"}]')).toEqual([{ at: 'object 1, which ends on line 1', name: null }]);
    expect(await placesOf('A text.')).toEqual([{ at: null, name: null }]);
  });
});

describe('an error says', () => {
  const megabytes = (count: number) => 'x'.repeat(count * 2 ** 20);

  it.each<[string, string | Uint8Array, RegExp]>([
    ['that a file is empty', '', /is empty\.$/],
    ['that a file is blank', '\uFEFF \r\n\t\n', /is empty\.$/],
    ['that a file is binary', Buffer.from('GGUF\n\0\x03'), /not a text: it has NUL bytes/],
    [
      'that a text has another encoding',
      Buffer.from('ab\nc\xe9', 'latin1'),
      /^Line 2 of .* is not UTF-8 text\.$/,
    ],
    [
      'that JSON has another encoding',
      Buffer.from('[\n{"text":"\xe9"}]', 'latin1'),
      /^Line 2 of .* not UTF-8/,
    ],
    [
      'which line of JSONL is broken, where no other is whole',
      '\n{"text":"a"\n{"text":',
      /^Line 2 of .* is not valid JSON: /,
    ],
    ['where a list is broken', '[\n{"text":"a" 1}\n]', /not valid JSON from line 2 on\.$/],
    ['where a list is cut off', '[\n\n{"text"', /ends in the middle of its JSON, on line 3\.$/],
    [
      'which keys are unknown',
      jsonl({ q: 1, 'a\n': 2 }, { r: 2 }),
      /line 1: .* the keys "q", "a " is of no known/,
    ],
    ['which element is unknown', '[\n{"q":1},\n{"r":1}]', /object 1, which ends on line 2: .* "q" is of no/],
    ['which list is unknown', '{"data":[{"q":1}]}', /the keys "q" is of no known kind/],
    ['that there is no list', '{"version":1}', /the keys "version" is of no known kind/],
    ['that there is no object', '[["b"]]', /ends on line 1: this is a list, not an object\.$/],
    ['that a list has strings', '["a","b"]', /object 1, .* is a string, not an object\.$/],
    ['what is not as it should be', jsonl({ messages: [{ role: 1 }] }), /messages\[0\]\.role is not as it/],
    ['that there are two lists', '{"a":[{"text":"x"}],"b":[{"text":"y"}]}', /two lists, "a" and "b"\.$/],
    [
      'that nothing is left',
      jsonl(messages(['user', 'a'])),
      /no example to learn from; left out: .*turn \(1\)\.$/,
    ],
    ['that a list is empty', '[ ]', /no example to learn from\.$/],
    [
      'that an object is too long',
      `[{"text":"${megabytes(129)}"}]`,
      /line 1: this is longer than the 128 MiB/,
    ],
    ['that a text is too long', megabytes(65), /longer than the 64 MiB/],
    ['that JSON nests too deep', '[{"a":'.repeat(60), /nests more than 100/],
    [
      'that JSON has nothing else',
      `{"data":[${`{"q":"${megabytes(1)}"},`.repeat(9)}`,
      /the keys "q" is of no known kind/,
    ],
  ])('%s', async (_, content, sentence) => {
    expect((await errorOf(content)).message).toMatch(sentence);
  });

  it('which kinds are known', async () => {
    expect((await errorOf('{"q":1}')).remedy).toMatch(/messages; conversations; instruction and output; /);
  });

  it('that a file is missing, or a folder', async () => {
    await expect(collect(readExamples(join(folder, 'none')))).rejects.toMatchObject({
      code: 'file-missing',
    });
    await expect(collect(readExamples(folder))).rejects.toThrow(/is a folder\.$/);
  });
});

describe('whatever a file has', () => {
  const sound = [
    jsonl(
      messages(...asked),
      { text: '한국어' },
      { instruction: 'Do', instances: [{ input: '', output: '2' }] },
    ),
    JSON.stringify({ data: [messages(...asked), { prompt: 'p', response: 'r' }] }, null, 1),
    JSON.stringify([{ conversations: [{ from: 'human', value: 'a' }] }, { text: 'b' }]),
    'Once upon a time\r\nthere was a text. 🐈\n',
  ].map((content) => Buffer.from(content));

  let outcomes = { examples: 0, errors: 0 };
  beforeEach(() => {
    outcomes = { examples: 0, errors: 0 };
  });
  // Otherwise what is made would not reach what it is to test.
  afterEach(() => {
    expect(outcomes.examples).toBeGreaterThan(5);
    expect(outcomes.errors).toBeGreaterThan(50);
  });

  async function expectExamplesOrError(bytes: Uint8Array): Promise<void> {
    const report: ReadReport = { examples: 0, skipped: [] };
    const path = await fileOf(bytes);
    try {
      const examples = await collect(readExamples(path, { report }));
      expect(examples.length).toBeGreaterThan(0);
      expect(report.examples).toBe(examples.length);
      examples.forEach(expectSound);
      outcomes.examples++;
    } catch (thrown) {
      outcomes.errors++;
      expectReadable(thrown);
    }
  }

  function expectSound(example: Example): void {
    if (example.kind === 'text') return;
    expect(example.turns.length % 2).toBe(0);
    example.turns.forEach(({ role, text: words }, index) => {
      expect(role).toBe(index % 2 ? 'assistant' : 'user');
      expect(words.trim()).not.toBe('');
    });
  }

  /** On a machine that does something else, in milliseconds. */
  const patience = 60_000;
  const start = fc.constantFrom('', '[', '{"', '[{"text":"', '{"data":[', '{"text":"a"}\n', '\uFEFF');

  it(
    'random bytes give examples or an error that can be read',
    async () => {
      const bytes = fc.tuple(start, fc.uint8Array({ maxLength: 300 }));
      await fc.assert(
        fc.asyncProperty(bytes, ([begin, rest]) =>
          expectExamplesOrError(Buffer.concat([Buffer.from(begin), rest])),
        ),
        { seed: 1, numRuns: 400 },
      );
    },
    patience,
  );

  it(
    'random JSON does, too',
    async () => {
      const key = fc.constantFrom(
        'messages',
        'role',
        'content',
        'conversations',
        'from',
        'value',
        'text',
        'instruction',
      );
      const { json } = fc.letrec((tie) => ({
        json: fc.oneof(
          { depthSize: 'small' },
          fc.constantFrom<unknown>(null, 1, '', 'user', 'gpt', 'a\u0000\n'),
          fc.array(tie('json'), { maxLength: 4 }),
          fc.dictionary(fc.oneof(key, fc.string()), tie('json'), { maxKeys: 4 }),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(json, fc.nat(2), (value, indent) =>
          expectExamplesOrError(Buffer.from(JSON.stringify(value, null, indent))),
        ),
        { seed: 2, numRuns: 400 },
      );
    },
    patience,
  );

  it(
    'files that were damaged do, too',
    async () => {
      const change = fc.record({
        at: fc.nat(400),
        removed: fc.nat(12),
        added: fc.oneof(
          fc.uint8Array({ maxLength: 3 }),
          fc.constantFrom('{', ']', '"', ',', '\n').map(Buffer.from),
        ),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...sound),
          fc.array(change, { minLength: 1, maxLength: 4 }),
          (file, changes) =>
            expectExamplesOrError(
              changes.reduce<Buffer>(
                (bytes, { at, removed, added }) =>
                  Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]),
                file,
              ),
            ),
        ),
        { seed: 3, numRuns: 600 },
      );
    },
    patience,
  );
});
