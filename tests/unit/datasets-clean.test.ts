import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clean,
  type CleanReport,
  type CleanSettings,
  defaultCleanSettings,
  emptyCleanReport,
} from '../../src/main/datasets/clean/index.ts';
import type { Cleaner } from '../../src/main/datasets/clean/cleaner.ts';
import { boilerplateCleaner } from '../../src/main/datasets/clean/boilerplate.ts';
import { languageOf, loadDetector } from '../../src/main/datasets/clean/language.ts';
import { lengthCleaner } from '../../src/main/datasets/clean/length.ts';
import { findPersonalData } from '../../src/main/datasets/clean/personal/index.ts';
import type { Example } from '../../src/main/datasets/index.ts';
import { boilerplateKinds, cleanReportSchema, cleanSettingsSchema } from '../../src/shared/contract/clean.ts';

const text = (value: string): Example => ({ kind: 'text', text: value });
function conversation(...texts: string[]): Example {
  const turns = texts.map((value, at) => ({
    role: at % 2 ? ('assistant' as const) : ('user' as const),
    text: value,
  }));
  return { kind: 'conversation', system: '', turns };
}

async function* stream(examples: readonly Example[]): AsyncGenerator<Example> {
  yield* examples;
}

async function cleaned(
  examples: readonly Example[],
  settings: CleanSettings = defaultCleanSettings,
  report?: CleanReport,
): Promise<Example[]> {
  const result: Example[] = [];
  for await (const one of clean(stream(examples), settings, report)) result.push(one);
  return result;
}

const everything: CleanSettings = { ...defaultCleanSettings, language: { on: true, keep: ['ko', 'en'] } };
const nothing: CleanSettings = {
  personalData: { ...defaultCleanSettings.personalData, on: false },
  boilerplate: { ...defaultCleanSettings.boilerplate, on: false },
  length: { ...defaultCleanSettings.length, on: false },
  language: { on: false, keep: ['ko'] },
  exactDuplicates: { on: false, compare: 'all' },
  nearDuplicates: { on: false, compare: 'all', similarity: 0.8 },
};

/** Texts of which any few make examples that every cleaner has something to do with. */
const sentence = fc.constantFrom(
  'How do I get from Seoul to Busan by train on a Sunday?',
  'how do I get from  Seoul to Busan by train on a sunday?',
  'The KTX takes two hours and a half, and there is one every half hour from Seoul station.',
  'The KTX takes two hours and a half, and there is one each half hour from Seoul station.',
  '서울에서 부산까지 일요일에 기차로 어떻게 가나요? 표는 미리 사야 하나요?',
  '서울역에서 케이티엑스를 타면 두 시간 반쯤 걸려요. 표는 미리 사 두는 게 좋아요.',
  'Sie erreichen den Bahnhof am schnellsten zu Fuß, wenn Sie durch den Park gehen.',
  'As an AI language model, I cannot travel.',
  '죄송합니다. AI 언어 모델로서 답변할 수 없습니다.',
  'Write to jane.doe@example.com or call 010-0000-0000 before noon.',
  'Write to john.roe@example.com or call 010-1111-0000 before noon.',
  'no no no no no no no no no no no',
  'This is an automated message. Please do not reply to this email.',
  'const total = items.map((item) => item.price).reduce((a, b) => a + b, 0);',
  '...',
  'ok',
);
const example = fc.oneof(
  sentence.map(text),
  fc
    .array(fc.tuple(sentence, sentence), { minLength: 1, maxLength: 3 })
    .map((exchanges) => conversation(...exchanges.flat())),
  fc.string({ unit: 'grapheme', minLength: 1 }).map(text),
);
const examples = fc.array(example, { maxLength: 30 });

/** As a set, whatever the order. */
const sorted = (list: readonly Example[]) => list.map((one) => JSON.stringify(one)).sort();

describe('cleaning', () => {
  it('twice changes nothing more than once, and gives the same each time', async () => {
    await fc.assert(
      fc.asyncProperty(examples, async (list) => {
        const once = await cleaned(list, everything);
        const report = emptyCleanReport();
        expect(await cleaned(once, everything, report)).toEqual(once);
        expect(report.cleaners.map(({ changed, dropped }) => changed + dropped)).toEqual([0, 0, 0, 0, 0, 0]);
        expect(await cleaned(list, everything)).toEqual(once);
      }),
    );
  });

  it('invents nothing: what stays is what came in, in its order, conversations perhaps without their last exchanges', async () => {
    const settings = { ...everything, personalData: nothing.personalData };
    await fc.assert(
      fc.asyncProperty(examples, async (list) => {
        let from = 0;
        for (const one of await cleaned(list, settings)) {
          const at = list.findIndex((given, place) => place >= from && begins(given, one));
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + 1;
        }
      }),
    );
  });

  it('leaves replies unlearnt that were so', async () => {
    const unlearnt: Example = {
      ...{ kind: 'conversation', system: '' },
      turns: [
        { role: 'user', text: 'Where do I write to?' },
        { role: 'assistant', text: 'Write to somebody@example.com, please.', learnt: false },
      ],
    };
    const [one] = await cleaned([unlearnt], { ...nothing, personalData: everything.personalData });
    const turn = one?.kind === 'conversation' ? one.turns[1] : null;
    expect(turn?.learnt).toBe(false);
    expect(turn?.text).not.toContain('somebody@');
  });

  it('that looks at each example by itself gives the same in any order', async () => {
    const settings = {
      ...everything,
      exactDuplicates: nothing.exactDuplicates,
      nearDuplicates: nothing.nearDuplicates,
    };
    await fc.assert(
      fc.asyncProperty(
        examples.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        async ([list, shuffled]) => {
          expect(sorted(await cleaned(shuffled, settings))).toEqual(sorted(await cleaned(list, settings)));
        },
      ),
    );
  });

  it('of exact duplicates leaves one of each in any order', async () => {
    const settings: CleanSettings = { ...nothing, exactDuplicates: { on: true, compare: 'all' } };
    const shape = (list: Example[]) => sorted(list).map((one) => one.toLowerCase().replaceAll(/\s+/g, ' '));
    const some = fc.array(
      fc.oneof(
        sentence.map(text),
        fc.tuple(sentence, sentence).map((two) => conversation(...two)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(some, async (list) => {
        const [forwards, backwards] = [
          await cleaned(list, settings),
          await cleaned(list.toReversed(), settings),
        ];
        expect(shape(backwards).sort()).toEqual(shape(forwards).sort());
        expect(new Set(shape(forwards)).size).toBe(forwards.length);
      }),
    );
  });

  it('with everything off hands on the very examples', async () => {
    await fc.assert(
      fc.asyncProperty(examples, async (list) => {
        const report = emptyCleanReport();
        expect(await cleaned(list, nothing, report)).toEqual(list);
        expect(report).toEqual({ seen: list.length, kept: list.length, cleaners: [] });
      }),
    );
  });

  it('reports counts that add up, and samples without personal data', async () => {
    await fc.assert(
      fc.asyncProperty(examples, async (list) => {
        const report = emptyCleanReport();
        const result = await cleaned(list, { ...everything, personalData: nothing.personalData }, report);
        expect(cleanReportSchema.parse(report)).toEqual(report);
        expect([report.seen, report.kept]).toEqual([list.length, result.length]);
        let left = list.length;
        for (const { seen, changed, dropped, reasons } of report.cleaners) {
          expect(seen).toBe(left);
          left -= dropped;
          expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(changed + dropped);
          for (const sample of reasons.flatMap(({ samples }) => samples)) {
            expect(findPersonalData(sample)).toEqual([]);
            expect(sample.length).toBeLessThanOrEqual(162);
          }
        }
        expect(left).toBe(result.length);
      }),
    );
  });

  it('masks before it compares, so that what differs in a number alone is a duplicate', async () => {
    const list = [text('Call me at 010-0000-0000.'), text('Call me at 010-1111-0000.')];
    const report = emptyCleanReport();
    expect(await cleaned(list, defaultCleanSettings, report)).toEqual([text('Call me at [phone].')]);
    expect(report.cleaners.map(({ cleaner, changed, dropped }) => [cleaner, changed, dropped])).toEqual([
      ['personal-data', 2, 0],
      ['boilerplate', 0, 0],
      ['length', 0, 0],
      ['exact-duplicates', 0, 1],
      ['near-duplicates', 0, 0],
    ]);
    expect(report.cleaners[0]?.reasons).toEqual([
      { reason: 'phone', count: 2, samples: ['Call me at [phone].'] },
    ]);
  });

  it('masks, drops or keeps each kind of personal data, in all texts of a conversation', async () => {
    const { kinds } = defaultCleanSettings.personalData;
    const settings: CleanSettings = {
      ...nothing,
      personalData: { on: true, kinds: { ...kinds, card: 'drop', ip: 'keep' } },
    };
    const given: Example = {
      ...conversation('From 203.0.113.77', 'Write to a@example.com'),
      ...{ system: 'I am b@example.com' },
    };
    const card = conversation('My card is 4242 4242 4242 4242 and mail a@example.com', 'Thanks.');
    const report = emptyCleanReport();
    expect(await cleaned([given, card], settings, report)).toEqual([
      { ...conversation('From 203.0.113.77', 'Write to [email]'), ...{ system: 'I am [email]' } },
    ]);
    expect(report.cleaners[0]).toMatchObject({ seen: 2, changed: 1, dropped: 1 });
    expect(report.cleaners[0]?.reasons).toEqual([
      { reason: 'email', count: 2, samples: ['I am [email]', 'Write to [email]'] },
      { reason: 'card', count: 1, samples: ['My card is [card] and mail [email]'] },
    ]);
  });

  it('knows its settings', () => {
    expect(cleanSettingsSchema.parse(defaultCleanSettings)).toEqual(defaultCleanSettings);
    expect(
      cleanSettingsSchema.safeParse({ ...defaultCleanSettings, language: { on: true, keep: ['xx'] } })
        .success,
    ).toBe(false);
  });
});

/** Whether the second is the first, or its beginning that ends with a reply. */
function begins(given: Example, result: Example): boolean {
  if (given.kind === 'text' || result.kind === 'text')
    return JSON.stringify(given) === JSON.stringify(result);
  const { turns } = result;
  const isWhole = turns.length > 0 && turns.length % 2 === 0;
  return (
    isWhole &&
    JSON.stringify({ ...given, turns: given.turns.slice(0, turns.length) }) === JSON.stringify(result)
  );
}

function outcome(cleaner: Cleaner, one: Example): string | Example {
  const verdict = cleaner.judge(one);
  if (verdict.kind === 'kept') return 'kept';
  return verdict.kind === 'dropped' ? verdict.finding.reason : verdict.example;
}

describe('boilerplate', () => {
  const cleaner = boilerplateCleaner({ on: true, kinds: [...boilerplateKinds] });
  const reply = (value: string) =>
    outcome(cleaner, conversation('Would you tell me something about this?', value));

  it.each([
    ['refusal', 'As an AI language model, I do not have feelings.'],
    ['refusal', "I'm sorry, but as an AI language model I can’t say."],
    ['refusal', 'I’m sorry, but I can’t assist with that request.'],
    ['refusal', '죄송하지만, 저는 AI 언어 모델로서 의견이 없습니다.'],
    ['refusal', '인공지능 언어 모델로서 저는 감정이 없습니다.'],
    ['echo', 'Would you tell me something about this?'],
    ['echo', 'would you tell me something about this'.repeat(3)],
    ['empty', ' \n…\u200b'],
    ['repetition', 'spam '.repeat(20)],
    ['repetition', '광고'.repeat(20)],
    ['automatic', '<Media omitted>'],
    ['automatic', '삭제된 메시지입니다.'],
    ['automatic', '본 메일은 발신 전용이므로 회신이 되지 않습니다.'],
    ['kept', 'In the novel a robot says: "As an AI language model, I dream."'],
    ['kept', "I'm sorry to hear that. What happened?"],
    ['kept', '죄송합니다, 제가 잘못 알았네요. 회의는 금요일입니다.'],
    ['kept', '11111111'],
    ['kept', 'ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ'],
    ['kept', 'hahahahahahahahahaha'],
    ['kept', '👍'],
    ['kept', '?'],
    ['kept', 'The photo was deleted.'],
    ['kept', '수신거부 목록은 설정에서 볼 수 있습니다.'],
  ])('is found as %s: %s', (kind, value) => {
    expect(reply(value)).toBe(kind);
  });

  it('of a later reply ends the conversation before it', () => {
    const given = conversation(
      'Hello there',
      'Hi! How are you?',
      'Who are you?',
      'As an AI language model, I am nobody.',
      'Oh',
      'Yes',
    );
    expect(outcome(cleaner, given)).toEqual(conversation('Hello there', 'Hi! How are you?'));
  });

  it('is a greeting neither that is returned nor a person’s own words', () => {
    expect(outcome(cleaner, conversation('안녕!', '안녕'))).toBe('kept');
    expect(outcome(cleaner, conversation('As an AI language model, what do you like?', 'Questions.'))).toBe(
      'kept',
    );
  });

  it('is looked for by the kinds that are set', () => {
    const refusals = boilerplateCleaner({ on: true, kinds: ['refusal'] });
    expect(outcome(refusals, text('spam '.repeat(20)))).toBe('kept');
  });
});

describe('length', () => {
  const limits = { on: true, minCharacters: 4, maxCharacters: 10, minTurns: 4, maxTurns: 6 };
  it.each([
    ['too-short', text(' 👍👍👍 ')],
    ['kept', text('👍👍👍👍')],
    ['kept', text('a text of any length')],
    ['too-short', conversation('a', 'b')],
    ['few-turns', conversation('aa', 'bb')],
    ['kept', conversation('a', 'b', 'c', 'd')],
    ['too-long', conversation('a', 'b', 'c', 'de fghijk')],
    ['many-turns', conversation('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')],
  ])('gives %s', (reason, one) => {
    expect(outcome(lengthCleaner(limits), one)).toBe(reason);
  });
});

/** The first article of the Universal Declaration of Human Rights, in the United Nations' translations. */
const declaration = {
  en: 'All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.',
  ko: '모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다.',
  ja: 'すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。',
  zh: '人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。',
  de: 'Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.',
  fr: 'Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.',
  es: 'Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.',
  it: 'Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.',
  pt: 'Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência, devem agir uns para com os outros em espírito de fraternidade.',
  nl: 'Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.',
  ru: 'Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.',
  vi: 'Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi con người đều được tạo hóa ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình bằng hữu.',
};

describe('languages', () => {
  it('of the Declaration of Human Rights are told, as a whole and by sentence', async () => {
    const detect = await loadDetector();
    for (const [language, article] of Object.entries(declaration)) {
      expect(languageOf([article], detect)).toBe(language);
      for (const part of article.split(/(?<=[.。])/))
        expect([language, null]).toContain(languageOf([part], detect));
    }
  });

  it.each([
    ['ko', 'React 컴포넌트에서 useState 훅을 어떻게 쓰나요?'],
    ['ko', 'Translate this: 안녕하세요, 오늘은 날씨가 정말 좋아서 공원에 산책을 가려고 해요.'],
    ['ko', '```python\nfor name in names:\n    print(name.upper())\n```\n이 코드는 무엇을 하나요?'],
    ['en', 'The Korean word 안녕 is a greeting between friends, and so it is rarely said to a teacher.'],
    ['en', 'What should I cook tonight?'],
    [null, 'const total = items.map((item) => item.price).reduce((a, b) => a + b, 0);'],
    [null, 'SELECT id, name FROM users WHERE age > 30;'],
    [null, 'ok thanks'],
    [null, 'https://example.com/a/very/long/address/of/a/page/in/english'],
    [null, '12345 67890 !!!'],
  ])('are decided by most of a text: %s of %s', async (language, value) => {
    expect(languageOf([value], await loadDetector())).toBe(language);
  });

  it('that are not to be kept go, by the majority of a conversation', async () => {
    const settings: CleanSettings = { ...nothing, language: { on: true, keep: ['ko'] } };
    const korean = conversation(declaration.ko, declaration.en.slice(0, 63));
    const report = emptyCleanReport();
    const list = [korean, conversation('안녕', declaration.en), text(declaration.de), text('ok')];
    expect(await cleaned(list, settings, report)).toEqual([korean, text('ok')]);
    expect(report.cleaners[0]?.reasons.map(({ reason, count }) => [reason, count])).toEqual([
      ['en', 1],
      ['de', 1],
    ]);
  });
});
