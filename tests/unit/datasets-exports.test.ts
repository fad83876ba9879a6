import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Example, peopleIn, readExamples, type ReadReport } from '../../src/main/datasets/index.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/datasets', name);

/** The words of each example's turns, and what was left out, as "count reason". */
async function read(
  name: string,
  me: string | null = null,
): Promise<{ said: string[][]; skipped: string[] }> {
  const report: ReadReport = { examples: 0, skipped: [] };
  const said: string[][] = [];
  for await (const example of readExamples(fixture(name), { me, report })) said.push(wordsOf(example));
  expect(report.examples).toBe(said.length);
  return { said, skipped: report.skipped.map(({ reason, count }) => `${count} ${reason}`) };
}

function wordsOf(example: Example): string[] {
  return example.kind === 'text' ? [example.text] : example.turns.map(({ text }) => text);
}

describe('Of chats with models', () => {
  it('ChatGPT gives the branch that was shown, without tools and citations, up to the first picture', async () => {
    expect(await read('chatgpt/conversations.json')).toEqual({
      said: [
        ['How long does dough rise?', 'About an hour. In a warm room.', 'And in the fridge?', 'A night.'],
        ['안녕', '안녕하세요!'],
      ],
      skipped: [
        '2 messages of tools',
        '1 turns from a picture or file on',
        '1 conversations that are not as they should be',
      ],
    });
  });

  it('may stand alone', async () => {
    const [first] = JSON.parse(await readFile(fixture('chatgpt/conversations.json'), 'utf8')) as unknown[];
    const folder = await mkdtemp(join(tmpdir(), 'puna-exports-'));
    try {
      const path = join(folder, 'one.json');
      await writeFile(path, JSON.stringify(first, null, 2));
      const said: string[][] = [];
      for await (const example of readExamples(path)) said.push(wordsOf(example));
      expect(said).toEqual((await read('chatgpt/conversations.json')).said.slice(0, 1));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('Claude gives texts with what was pasted, without thoughts, and of branches the last', async () => {
    expect(await read('claude/conversations.json')).toEqual({
      said: [
        ['A rhyme for moon?\n\nThe silver moon', 'Spoon. Or June.'],
        ['Hi', 'Hello!'],
        ['One?', 'Right.'],
      ],
      skipped: ['1 turns from a picture or file on', '1 conversations without a reply to a user turn'],
    });
  });

  it('Open Assistant gives the best-ranked path, of trees', async () => {
    expect(await read('oasst/trees.jsonl')).toEqual({
      said: [
        ['Why is the sky blue?', 'Light scatters.', 'And at dusk?', 'Longer ways: red.'],
        ['Hola', '¡Hola!'],
      ],
      skipped: ['2 replies that were not ranked best', '1 broken JSON'],
    });
  });

  it('Open Assistant gives the best-ranked path, of messages', async () => {
    expect(await read('oasst/messages.jsonl')).toEqual({
      said: [
        ['Why is the sky blue?', 'Light scatters.'],
        ['Hola', '¡Hola!'],
      ],
      skipped: ['1 replies that were not ranked best', '1 messages whose beginning is missing'],
    });
  });
});

describe('KakaoTalk is read', () => {
  const [media, system, deleted] = [
    'pictures, stickers and other media',
    'messages of the system',
    'deleted messages',
  ];

  it.each<[string, string | null, string[][], string[]]>([
    [
      'pc-ko.txt',
      null,
      [
        ['뭐해?\n밥 먹었어?', '아직\n지금 나가려고', '[오늘] 몇 시에 올래?', '5시'],
        ['잘 자', '너도'],
      ],
      [`2 ${media}`, `1 ${system}`, `1 ${deleted}`],
    ],
    [
      'pc-en.txt',
      null,
      [
        ['What are you doing?', 'Nothing\nat all'],
        ['Good night', 'You too'],
      ],
      [`1 ${media}`, `1 ${system}`],
    ],
    [
      'android-ko.txt',
      null,
      [['민지: 내일 뭐 가져가?\n\n지수: 체육복 : 파란 거', '나도 몰라\n선생님께 여쭤볼게\n\n고마워']],
      [`1 ${system}`, `1 ${media}`],
    ],
    ['ios-ko.txt', null, [['안녕', '안녕하세요', '가요', '네']], [`1 ${system}`]],
    ['phone-en.txt', null, [['Hi', 'Hello', 'Read it', 'Done']], [`1 ${media}`]],
    [
      'mac.csv',
      '홍길동',
      [['안녕, "친구"', '두 줄로\n인사해']],
      [`1 ${media}`, `1 ${system}`, '1 messages that are not as they should be'],
    ],
  ])('of %s', async (name, me, said, skipped) => {
    expect(await read(`kakaotalk/${name}`, me)).toEqual({ said, skipped });
  });

  it('as another person, when that one is me', async () => {
    expect((await read('kakaotalk/pc-ko.txt', '김철수')).said).toEqual([
      ['아직\n지금 나가려고', '[오늘] 몇 시에 올래?'],
    ]);
  });
});

describe('WhatsApp is read', () => {
  const [media, system] = ['pictures, stickers and other media', 'messages of the system'];

  it.each<[string, string | null, string[][], string[]]>([
    [
      'android-us.txt',
      null,
      [
        ['Are you there?', 'Yes: always\nand everywhere', 'Look at that', 'Nice'],
        ['Happy Saturday', '12:30: lunch?'],
      ],
      [`1 ${system}`, `2 ${media}`, '1 deleted messages'],
    ],
    [
      'iphone-de.txt',
      'alice',
      [
        ['Bob: Kommst du?\n\nCarla: Ich auch', 'Ja'],
        ['Bob: Frohes Neues!', 'Danke'],
      ],
      [`1 ${system}`, `1 ${media}`],
    ],
    [
      'iphone-us.txt',
      'Alice',
      [
        ['Coming?', 'Yes'],
        ['Happy new year', 'You too'],
      ],
      [`1 ${media}`, `1 ${system}`],
    ],
    [
      'android-ko.txt',
      '길동',
      [
        ['와?', '응'],
        ['새해 복 많이 받아', '너도'],
      ],
      [`1 ${system}`, `1 ${media}`],
    ],
    ['iphone-ko.txt', '길동', [['와?', '응']], [`1 ${media}`]],
    [
      'android-uk.txt',
      'Alice',
      [
        ['Tea?', 'Please'],
        ['More?', 'No'],
      ],
      [],
    ],
    ['iso.txt', 'Alice', [['Tea?', 'Please']], []],
  ])('of %s', async (name, me, said, skipped) => {
    expect(await read(`whatsapp/${name}`, me)).toEqual({ said, skipped });
  });
});

describe('Other messengers are read:', () => {
  it('Telegram, a chat', async () => {
    expect(await read('telegram/chat.json')).toEqual({
      said: [['See https://example.org now', 'Seen', 'A cat', 'Sweet']],
      skipped: ['1 messages of the system', '1 pictures, stickers and other media', '1 forwarded messages'],
    });
  });

  it('Telegram, an account, of which the owner is known', async () => {
    expect(await read('telegram/account.json')).toEqual({
      said: [
        ['Hi', 'Hello'],
        ['Bob: Sunday?\n\nDeleted Account: Yes', 'Me too'],
      ],
      skipped: [
        '1 assistant turns before the first user turn',
        '1 conversations without a reply to a user turn',
      ],
    });
  });

  it('Discord, a direct chat', async () => {
    expect(await read('discord/direct.json')).toEqual({
      said: [['raid tonight?', 'sure']],
      skipped: ['1 messages of the system', '1 pictures, stickers and other media', '1 messages of bots'],
    });
  });

  it.each(['ali', 'ALI ', 'U1'])('Slack, a folder, where I am "%s"', async (me) => {
    expect(await read('slack', me)).toEqual({
      said: [
        ['Bob Lee: ship it?\n\nCarla: wait', 'shipped'],
        ['@ali is 1 < 2? see this in #dev', 'yes & always'],
        ['morning', 'good morning'],
      ],
      skipped: ['1 messages of the system', '1 messages of bots'],
    });
  });

  it('Slack, a day', async () => {
    expect((await read('slack/general/2024-01-02.json', 'U1')).said).toEqual([
      ['@U1 is 1 < 2? see this in #dev', 'yes & always'],
    ]);
  });
});

describe('Who speaks', () => {
  it('is told, most messages first', async () => {
    expect(await peopleIn(fixture('slack'))).toEqual([
      { name: 'Bob Lee', messages: 3 },
      { name: 'ali', messages: 3 },
      { name: 'Carla', messages: 1 },
    ]);
    expect(await peopleIn(fixture('kakaotalk/android-ko.txt'))).toEqual([
      { name: '회원님', messages: 2 },
      { name: '민지', messages: 1 },
      { name: '지수', messages: 1 },
    ]);
  });

  it('is nobody where no people chat', async () => {
    expect(await peopleIn(fixture('chatgpt/conversations.json'))).toBeNull();
    expect(await peopleIn(fixture('sharegpt.json'))).toBeNull();
  });

  it('must be chosen from, where the export does not tell', async () => {
    await expect(read('whatsapp/iso.txt')).rejects.toMatchObject({
      code: 'invalid-input',
      message: `${fixture('whatsapp/iso.txt')} is a chat between people: "Bob", "Alice".`,
      remedy: expect.stringContaining('--me "Bob"') as string,
    });
    await expect(read('whatsapp/iso.txt', 'Zed')).rejects.toMatchObject({
      message: `Nobody in ${fixture('whatsapp/iso.txt')} is called "Zed", but "Bob", "Alice".`,
    });
  });
});

describe('Where something was left out', () => {
  it('is told by line, or by file and line', async () => {
    const report: ReadReport = { examples: 0, skipped: [] };
    for await (const example of readExamples(fixture('slack'), { me: 'ali', report })) void example;
    for await (const example of readExamples(fixture('kakaotalk/pc-ko.txt'), { report })) void example;
    expect(report.skipped).toEqual([
      {
        reason: 'messages of the system',
        count: 2,
        where: ['"general/2024-01-02.json", line 9', 'line 13'],
      },
      { reason: 'messages of bots', count: 1, where: ['"general/2024-01-02.json", line 22'] },
      { reason: 'pictures, stickers and other media', count: 2, where: ['line 9', 'line 10'] },
      { reason: 'deleted messages', count: 1, where: ['line 17'] },
    ]);
  });
});
