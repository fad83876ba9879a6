import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewExample } from '../../src/main/dataset-engine/messages.ts';
import { grow, type GrowContext, type GrowRequest } from '../../src/main/datasets/grow/index.ts';
import { questionOf } from '../../src/main/datasets/grow/exchange.ts';
import { supportOf } from '../../src/main/datasets/grow/pair-filter.ts';
import { rougeL } from '../../src/main/datasets/grow/rouge.ts';
import { ownSeeds } from '../../src/main/datasets/grow/seeds.ts';
import { seedTaskSchema, type GrowOrder } from '../../src/shared/contract/dataset.ts';

const words = [
  'garden',
  'river',
  'bicycle',
  'winter',
  'letter',
  'market',
  'violin',
  'mountain',
  'kitchen',
  'school',
];
const verbs = [
  'Describe',
  'Compare',
  'Explain',
  'Summarize',
  'List',
  'Plan',
  'Rewrite',
  'Criticize',
  'Praise',
  'Imagine',
];

/** Numbers that depend on everything that was asked, as a model's replies do. */
function numbersOf(request: GrowRequest): number[] {
  return [...createHash('sha256').update(JSON.stringify(request)).digest()];
}

/** A model that writes tasks, questions and answers of a few words, some unusable, in the forms that are asked for. */
function inventive(request: GrowRequest): string {
  const numbers = numbersOf(request);
  const pick = (from: readonly string[], at: number) => from[(numbers[at] ?? 0) % from.length] ?? '';
  const sentence = (at: number) =>
    `${pick(verbs, at)} the ${pick(words, at + 1)} and the ${pick(words, at + 2)} near a ${pick(words, at + 3)}.`;
  const asked = request.turns.at(-1)?.text ?? '';
  if (asked.includes('new tasks')) {
    const tasks = [0, 4, 8].map((at) => `Instruction: ${sentence(at)}\nInput: none`);
    return [...tasks, 'Instruction: Draw a picture of the garden for me.', 'Instruction: Cook!'].join('\n');
  }
  if (asked.includes('Keep this form')) {
    return [0, 4, 8]
      .map((at) => `Q: Why is the ${pick(words, at)} ${pick(words, at + 1)} so old?\nA: ${sentence(at)}`)
      .join('\n');
  }
  if (asked.includes('Write only the message'))
    return (numbers[0] ?? 0) < 40 ? '[END]' : `${sentence(0)} Is it so?`;
  return (numbers[1] ?? 0) < 30 ? '' : `${sentence(0)} ${sentence(4)}`;
}

const texts = Array.from({ length: 6 }, (_, at) => ({
  source: `notes-${at}.md`,
  text: Array.from(
    { length: 8 },
    (_, line) =>
      `The ${words.slice(0, line + 3).join(' and the ')} near the ${words[at]}; ${verbs.join(' ')}.`,
  ).join('\n\n'),
}));

interface Run {
  generate: (request: GrowRequest) => string;
  written?: readonly NewExample[];
  /** Stops after so many examples, as an app that is quit. */
  until?: number;
  from?: readonly { text: string; source: string }[];
}

/** What a run gives, asks, leaves out and tells; and what it fails with, null where it does not. */
async function run(order: GrowOrder, { generate, written = [], until = Infinity, from = texts }: Run) {
  const requests: GrowRequest[] = [];
  const leftOut: string[] = [];
  const shares: number[] = [];
  const examples: NewExample[] = [];
  let failure: unknown = null;
  const context: GrowContext = {
    generate: async (request) => {
      requests.push(request);
      return generate(request);
    },
    async *texts() {
      yield* from;
    },
    written,
    signal: new AbortController().signal,
    onProgress: (share) => shares.push(share),
    onLeftOut: (reason) => leftOut.push(reason),
  };
  try {
    for await (const example of grow(order, context)) {
      examples.push(example);
      if (examples.length >= until) break;
    }
  } catch (thrown) {
    failure = thrown;
  }
  return { examples, requests, leftOut, shares, failure };
}

type Orders = { [Kind in GrowOrder['kind']]: Extract<GrowOrder, { kind: Kind }> };

const common = { name: 'Grown', modelId: 1, seed: 7, similarity: 0.7 };
const orders: Orders = {
  'self-instruct': { ...common, kind: 'self-instruct', seeds: [], language: 'en', count: 25 },
  'self-chat': { ...common, kind: 'self-chat', topics: [...words, ...verbs], exchanges: 3, language: 'en' },
  pairs: { ...common, kind: 'pairs', datasetId: 1, perText: 3, similarity: 0.9 },
};

describe.each(Object.values(orders))('$kind', (order) => {
  test('gives valid examples, each with a place of its own, and tells how far it is', async () => {
    const { examples, shares } = await run(order, { generate: inventive });
    expect(examples.length).toBeGreaterThan(5);
    expect(new Set(examples.map(({ source }) => source)).size).toBe(examples.length);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    expect(shares.at(-1)).toBe(1);
  });

  test('gives the same again, and with another seed something else', async () => {
    const [one, again, other] = await Promise.all([
      run(order, { generate: inventive }),
      run(order, { generate: inventive }),
      run({ ...order, seed: 8 }, { generate: inventive }),
    ]);
    expect(again.examples).toEqual(one.examples);
    expect(other.examples).not.toEqual(one.examples);
  });

  test('goes on, wherever it was stopped, as if it had not been stopped', async () => {
    const whole = await run(order, { generate: inventive });
    for (let until = 1; until < whole.examples.length; until++) {
      const begun = await run(order, { generate: inventive, until });
      const rest = await run(order, { generate: inventive, written: begun.examples });
      expect([...begun.examples, ...rest.examples]).toEqual(whole.examples);
    }
    const nothing = await run(order, { generate: inventive, written: whole.examples });
    expect(nothing.examples).toEqual([]);
  });

  test('never keeps two questions that are as similar as the threshold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        fc.nat(1000),
        async (similarity, seed) => {
          const { examples } = await run({ ...order, similarity, seed }, { generate: inventive });
          const asked = examples.map((example) => questionOf(example));
          for (const [at, question] of asked.entries()) {
            for (const earlier of asked.slice(0, at))
              expect(rougeL(question, earlier)).toBeLessThan(similarity);
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  test.each(['', 'I am a model.', 'la la la la la la la la la la la la la la'])(
    'ends with a model that only says %j',
    async (reply) => {
      const { examples, failure, requests } = await run(order, { generate: () => reply });
      expect(failure).toMatchObject({
        code: 'invalid-input',
        message: 'The model has written nothing that can be learnt from.',
      });
      expect(examples).toEqual([]);
      expect(requests.length).toBeLessThan(50);
    },
  );

  test('ends with what it has when the model writes nothing usable any more', async () => {
    const whole = await run(order, { generate: inventive });
    let left = Math.floor(whole.requests.length / 2);
    const { examples, failure } = await run(order, {
      generate: (request) => (left-- > 0 ? inventive(request) : 'I am a model.'),
    });
    expect(failure).toBeNull();
    expect(examples.length).toBeGreaterThan(0);
    expect(whole.examples.slice(0, examples.length - 1)).toEqual(examples.slice(0, -1));
    expect(examples.length).toBeLessThan(whole.examples.length);
  });

  test('hands on what the model fails with', async () => {
    const failing = new Error('The engine has died.');
    const { failure } = await run(order, {
      generate: () => {
        throw failing;
      },
    });
    expect(failure).toBe(failing);
  });
});

describe('self-instruct', () => {
  test("begins with the person's own tasks, where they gave some", async () => {
    const seeds = ['Write a limerick about a badger.', 'Which wine goes with fish?'].map((instruction) => ({
      instruction,
      input: '',
      output: 'So.',
    }));
    const { requests } = await run(
      { ...orders['self-instruct'], seeds },
      {
        generate: inventive,
      },
    );
    const [first] = requests;
    for (const { instruction } of seeds) expect(first?.turns[0]?.text).toContain(instruction);
    expect(ownSeeds.en.some(({ instruction }) => first?.turns[0]?.text.includes(instruction))).toBe(false);
  });

  test("answers like the person's own tasks, and never with their answers", async () => {
    const seeds = [{ instruction: 'Which wine goes with fish?', input: '', output: 'Ahoy, a white one!' }];
    const order = { ...orders['self-instruct'], seeds, count: 1 };
    const { requests } = await run(order, { generate: inventive });
    const answering = requests.find(({ turns }) => turns.length > 1);
    expect(answering?.turns.slice(0, 2)).toEqual([
      { role: 'user', text: 'Which wine goes with fish?' },
      { role: 'assistant', text: 'Ahoy, a white one!' },
    ]);
    const copying = (request: GrowRequest) =>
      request.turns.length > 1 ? 'Ahoy, a white one!' : inventive(request);
    const { examples, leftOut } = await run(order, { generate: copying });
    expect(examples).toEqual([]);
    expect(leftOut).toContain('answers that repeat what was asked');
  });

  test('shows the model some of what it wrote itself', async () => {
    const { requests, examples } = await run(orders['self-instruct'], { generate: inventive });
    const last = requests.findLast(({ turns }) => turns[0]?.text.includes('new tasks'))?.turns[0]?.text ?? '';
    expect(examples.filter((example) => last.includes(questionOf(example))).length).toBe(2);
  });

  test('keeps no task about pictures, none of a word, and no answer that is none', async () => {
    const { examples, leftOut } = await run(orders['self-instruct'], { generate: inventive });
    expect(JSON.stringify(examples)).not.toMatch(/picture|Cook!/);
    expect(new Set(leftOut)).toEqual(
      new Set([
        'tasks about pictures, files and other things that are no text',
        'tasks and questions of a word or two',
        'tasks and questions without an answer',
        ...leftOut.filter((reason) => reason.includes('similar')),
      ]),
    );
  });

  test.each([
    ['Erkläre mir bitte, warum der Himmel am Abend rot wird.', 'tasks and questions in another language'],
    ['하늘이 저녁에 붉어지는 까닭을 설명해 주세요.', 'tasks and questions in another language'],
    ['- Explain why the sky is red in the evening.', null],
    [
      '… explain why the sky is red in the evening.',
      'tasks and questions that begin with a punctuation mark',
    ],
    ['Explain '.repeat(200), 'tasks and questions that are too long'],
    ['Write Python code that reads a file.', null],
    [
      'Describe the attached photo in two sentences.',
      'tasks about pictures, files and other things that are no text',
    ],
  ])('judges %j', async (instruction, reason) => {
    const generate = ({ turns }: GrowRequest) =>
      turns[0]?.text.includes('new tasks')
        ? `Instruction: ${instruction}`
        : 'It is so because it has always been so.';
    const { leftOut } = await run({ ...orders['self-instruct'], count: 1 }, { generate });
    expect(leftOut[0] ?? null).toBe(reason);
  });
});

describe('self-chat', () => {
  const order = { ...orders['self-chat'], topics: ['Knitting'], exchanges: 4 };
  const questions = ['How do I begin to knit a scarf?', 'Which wool is warm?', 'Why?', 'Thanks, goodbye!'];
  const answers = ['You begin with two needles.', 'The wool of sheep is warm.', 'It has a lot of air in it.'];

  /** Says what is given, in turn: questions as the person, answers as the assistant. */
  const speaking = (asking: readonly string[], answering: readonly string[]) => {
    const [asked, answered] = [asking.values(), answering.values()];
    return ({ turns }: GrowRequest) =>
      (turns.at(-1)?.text.includes('Write only the message') ? asked : answered).next().value ?? '';
  };

  test('is a conversation until the person says goodbye', async () => {
    const { examples, requests } = await run(order, { generate: speaking(questions, answers) });
    expect(examples).toEqual([
      {
        source: 'Knitting · 1',
        content: {
          ...{ kind: 'conversation', system: '' },
          turns: questions.slice(0, 3).flatMap((question, at) => [
            { role: 'user', text: question, learnt: true },
            { role: 'assistant', text: answers[at], learnt: true },
          ]),
        },
      },
    ]);
    // As the assistant, the model sees the conversation as it is.
    expect(requests[3]?.turns.map(({ text }) => text)).toEqual([questions[0], answers[0], questions[1]]);
  });

  test('is as long as it was ordered', async () => {
    const { examples } = await run({ ...order, exchanges: 2 }, { generate: speaking(questions, answers) });
    expect(examples[0]?.content).toMatchObject({ turns: { length: 4 } });
  });

  test.each([
    [
      'a question that was asked before',
      [...questions.slice(0, 2), 'How do I begin to knit scarfs?'],
      answers,
    ],
    ['an answer that was given before', questions, [...answers.slice(0, 2), 'You begin with two needles.']],
    ['no answer', questions, answers.slice(0, 2)],
  ])('ends before %s', async (_, asking, answering) => {
    const { examples } = await run(order, { generate: speaking(asking, answering) });
    expect(examples[0]?.content).toMatchObject({ turns: { length: 4 } });
  });

  test('asks for another beginning where the first one is not usable', async () => {
    const { examples } = await run(order, { generate: speaking(['[END]', 'Hm.', ...questions], answers) });
    expect(examples[0]?.content).toMatchObject({ turns: { 0: { text: questions[0] } } });
  });
});

describe('question–answer pairs', () => {
  const bridge = {
    source: 'bridge.md',
    text: `# The bridge of Aldermoor\n\nThe bridge was built in 1912 after the old ferry had sunk. The town paid for it with a tax on salt, and the work took nine years. It is 240 metres long, of grey granite, and carries two lanes and a tram.`,
  };
  const order = { ...orders.pairs, perText: 5 };

  test('are kept where the passage supports them and a reader understands them without it', async () => {
    const reply = [
      'Q: According to the text, when was the bridge of Aldermoor built?\nA: It was built in 1912, after the old ferry had sunk.',
      'Q: What does the author say about salt?\nA: The town paid with a tax on salt.',
      'Q: Who was the architect of the Aldermoor bridge?\nA: Giovanni Marchetti designed everything in Florence.',
      'Q: When was the bridge of Aldermoor built then?\nA: It was built in 1912.',
      'Q: How long is the bridge of Aldermoor?\nA: 240 metres.',
    ].join('\n');
    const { examples, leftOut } = await run(order, { generate: () => reply, from: [bridge] });
    expect(examples.map(({ source, content }) => [source, content])).toEqual([
      ['bridge.md · 1.1.1', expect.objectContaining({ kind: 'conversation' })],
      ['bridge.md · 1.1.5', expect.objectContaining({ kind: 'conversation' })],
    ]);
    expect(examples.map(questionOf)).toEqual([
      'When was the bridge of Aldermoor built?',
      'How long is the bridge of Aldermoor?',
    ]);
    expect(leftOut).toEqual([
      'questions that cannot be understood without the passage',
      'answers that the passage does not support',
      'tasks and questions that are similar to earlier ones',
    ]);
  });

  test('are asked for in Korean about Korean texts, with the heading that a passage stands under', async () => {
    const text = `# 달못 다리\n\n${'달못 다리는 나룻배가 가라앉은 뒤 1912년에 놓였다. 마을은 소금에 세금을 매겨 돈을 모았고 공사에는 아홉 해가 걸렸다. '.repeat(3)}`;
    const reply =
      '질문: 달못 다리는 언제 놓였나요?\n답: 달못 다리는 나룻배가 가라앉은 뒤인 1912년에 놓였습니다.\n질문: 이 글에서 세금은 무엇인가요?\n답: 소금에 매긴 세금입니다.';
    const { examples, requests } = await run(order, {
      generate: () => reply,
      from: [{ text, source: '다리.md' }],
    });
    expect(requests[0]?.turns[0]?.text).toMatch(/달못 다리\n\n달못[^]*질문 5개/);
    expect(examples.map(questionOf)).toEqual(['달못 다리는 언제 놓였나요?']);
  });

  test('need texts', async () => {
    const { failure } = await run(order, { generate: inventive, from: [{ text: 'Short.', source: 'a' }] });
    expect(failure).toMatchObject({
      message: 'There is no text that is long enough to ask questions about.',
    });
  });

  test.each([
    [1, 'It was built in 1912.'],
    [1, 'The town had a tax on salt.'],
    [0, 'Probably by Napoleon.'],
    [0, 'Yes.'],
  ])('are supported by %d: %s', (support, answer) => {
    expect(supportOf(answer, 'What about it?', bridge.text)).toBe(support);
  });
});

describe('seed tasks', () => {
  test.each(['en', 'ko'] as const)('in %s are valid, many, and unlike each other', (language) => {
    const seeds = ownSeeds[language].map((seed) => seedTaskSchema.parse(seed));
    expect(seeds.length).toBeGreaterThanOrEqual(40);
    for (const [at, { instruction }] of seeds.entries()) {
      expect(/\p{Script=Hangul}/u.test(instruction)).toBe(language === 'ko');
      for (const earlier of seeds.slice(0, at))
        expect(rougeL(instruction, earlier.instruction)).toBeLessThan(0.5);
    }
  });
});
