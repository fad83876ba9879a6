import { describe, expect, test } from 'vitest';
import { passagesOf } from '../../src/main/datasets/grow/passages.ts';
import { personMessage } from '../../src/main/datasets/grow/person-message.ts';
import { pairsIn } from '../../src/main/datasets/grow/questions.ts';
import { tasksIn } from '../../src/main/datasets/grow/tasks.ts';

describe('tasks in a reply', () => {
  const poem = { instruction: 'Write a poem about rain.', input: '' };
  const sort = { instruction: 'Sort the words by length.', input: 'pear, fig, banana' };

  test.each([
    [
      'as it was asked for',
      'Task 1\nInstruction: Write a poem about rain.\nInput: none\n\nTask 2\nInstruction: Sort the words by length.\nInput: pear, fig, banana',
    ],
    [
      'with words before and bold labels',
      'Sure! Here are the tasks:\n\n**Task 1**\n**Instruction:** Write a poem about rain.\n**Input:** None.\n\n**Task 2:**\n**Instruction:** Sort the words by length.\n**Input:** pear, fig, banana',
    ],
    [
      'in a code fence, without empty lines',
      '```text\ninstruction: Write a poem about rain.\ninput: N/A\ninstruction: Sort the words by length.\ninput: pear, fig, banana\n```',
    ],
    [
      'numbered, without colons',
      '1. Instruction Write a poem about rain.\n   Input: (none)\n2. Instruction Sort the words by length.\n   Input:\n   pear, fig, banana',
    ],
    [
      'with answers that nobody asked for',
      'Instruction: Write a poem about rain.\nInput: none\nOutput: Drip, drop.\n1. It rains.\n\nInstruction: Sort the words by length.\nInput: pear, fig, banana\nOutput: fig, pear, banana',
    ],
    [
      'as JSON lines',
      '{"instruction": "Write a poem about rain.", "input": ""}\n{"instruction": "Sort the words by length.", "input": "pear, fig, banana"}',
    ],
    [
      'as JSON that was cut off',
      '```json\n[\n  {"instruction": "Write a poem about rain.", "input": "none"},\n  {"instruction": "Sort the words by length.", "input": "pear, fig, banana"},\n  {"instruction": "Name thr',
    ],
    [
      'as a plain list with titles',
      '1. **Rain**: Write a poem about rain.\n2. **Sorting** – Sort the words by length. (Input: pear, fig, banana)',
    ],
    [
      'as a list with titles in lines of their own',
      '1. **Rain**\nWrite a poem about rain.\n\n2. **Sorting**\nSort the words by length.\n   - Input: pear, fig, banana',
    ],
    [
      'as headings without labels',
      '**Task 1:** Write a poem about rain.\n\n**Task 2:** Sort the words by length.\nInput: pear, fig, banana',
    ],
    [
      'cut off at the end',
      'Task 1\nInstruction: Write a poem about rain.\nInput: none\nTask 2\nInstruction: Sort the words by length.\nInput: pear, fig, banana\nTask 3\nInstruction: Explain to a child why the',
    ],
    [
      'in Korean, with Korean labels in English tasks of numbers',
      '### 과제 1\n지시: Write a poem about rain.\n입력: 없음\n\n---\n\n### 과제 2\n지시 Sort the words by length.\n입력: pear, fig, banana',
    ],
  ])('%s', (_, reply) => {
    expect(tasksIn(reply)).toEqual([poem, sort]);
  });

  test('keep inputs of several lines, with numbers and code in them', () => {
    const reply =
      '과제 1\n지시: 다음 목록을 가나다순으로 정렬하세요.\n입력:\n1. 하늘\n2. 바다\n\n과제 2\n지시: 이 코드가 하는 일을 설명하세요.\n입력:\n```js\nlet a = 1;\n```\n\n과제 3\n지시: 봄에 대한 시를 쓰';
    expect(tasksIn(reply)).toEqual([
      { instruction: '다음 목록을 가나다순으로 정렬하세요.', input: '1. 하늘\n2. 바다' },
      { instruction: '이 코드가 하는 일을 설명하세요.', input: '```js\nlet a = 1;\n```' },
    ]);
  });

  test('may begin with words that are labels elsewhere', () => {
    expect(
      tasksIn(
        '1. Answer the question as a pirate.\n2. Input devices: name three of them.\n3. Task a friend with cooking.',
      ),
    ).toEqual([
      { instruction: 'Answer the question as a pirate.', input: '' },
      { instruction: 'Input devices: name three of them.', input: '' },
      { instruction: 'Task a friend with cooking.', input: '' },
    ]);
  });

  test('of a model that never sets full stops are all kept', () => {
    expect(tasksIn('1) 여행 계획 세우기\n2) 편지 쓰기').map(({ instruction }) => instruction)).toEqual([
      '여행 계획 세우기',
      '편지 쓰기',
    ]);
  });

  test.each([
    '',
    'Sure, I can help you with that.',
    '{}',
    '```\n```',
    '[{"instruction": 3}]',
    '\u0000\u{1F600}',
    'Input: none',
  ])('are none in %j', (reply) => {
    expect(tasksIn(reply)).toEqual([]);
  });
});

describe('pairs in a reply', () => {
  const pairs = [
    { question: 'When was the bridge built?', answer: 'It was built in 1912.' },
    { question: 'Who paid for it?', answer: 'The town paid for it.\nIt took nine years.' },
  ];

  test.each([
    [
      'as it was asked for',
      'Q: When was the bridge built?\nA: It was built in 1912.\n\nQ: Who paid for it?\nA: The town paid for it.\nIt took nine years.',
    ],
    [
      'with numbers and bold',
      '**Q1:** When was the bridge built?\n**A1:** It was built in 1912.\n**Q2.** When is this? \n**Q2:** Who paid for it?\n**A2:** The town paid for it.\nIt took nine years.',
    ],
    [
      'as words',
      'Question 1: When was the bridge built?\nAnswer: It was built in 1912.\n\nQuestion 2\nWho paid for it?\nAnswer\nThe town paid for it.\nIt took nine years.\n\nQuestion 3: How long is',
    ],
    [
      'without colons',
      'Q When was the bridge built?\nA It was built in 1912.\nQ Who paid for it?\nA The town paid for it.\nIt took nine years.',
    ],
    [
      'in Korean words',
      '질문 1: When was the bridge built?\n답변: It was built in 1912.\n질문 2: Who paid for it?\n답: The town paid for it.\nIt took nine years.',
    ],
    [
      'as a list',
      'Here you go:\n\n1. **When was the bridge built?**\n   - It was built in 1912.\n2. Who paid for it? The town paid for it.\n   It took nine years.',
    ],
    [
      'as JSON, the end cut off',
      '[{"question": "When was the bridge built?", "answer": "It was built in 1912."}, {"Q": "Who paid for it?", "A": "The town paid for it.\\nIt took nine years."}, {"question": "How',
    ],
    [
      'with an answer that was cut off',
      '1. Q: When was the bridge built?\n   A: It was built in 1912.\n2. Q: Who paid for it?\n   A: The town paid for it.\nIt took nine years.\n3. Q: How long is it?\n   A: The bridge is about two hund',
    ],
  ])('%s', (_, reply) => {
    const found = pairsIn(reply).filter(({ answer }) => answer !== '');
    expect(
      found.map(({ question, answer }) => ({ question, answer: answer.replaceAll(/\n\s+/g, '\n') })),
    ).toEqual(pairs);
  });

  test.each(['', 'I cannot do that.', 'Q', 'A: An answer without a question.'])('are none in %j', (reply) => {
    expect(pairsIn(reply)).toEqual([]);
  });
});

describe('what a person says', () => {
  test.each([
    ['How do I begin to knit?', 'How do I begin to knit?'],
    ['Person: "How do I begin to knit?"', 'How do I begin to knit?'],
    ["Sure! Here is the person's next message:\n\nHow do I begin to knit?", 'How do I begin to knit?'],
    ['User: How do I begin to knit?\n\nAssistant: You need two needles.', 'How do I begin to knit?'],
    ['**사람:** 뜨개질은 어떻게 시작하나요?\n어시스턴트: 바늘부터 사세요.', '뜨개질은 어떻게 시작하나요?'],
    ['Thanks! And which wool is best?', 'Thanks! And which wool is best?'],
    ['End of the row: what do I do there?', 'End of the row: what do I do there?'],
    ['고마워요, 그런데 어떤 실이 좋나요?', '고마워요, 그런데 어떤 실이 좋나요?'],
  ])('is read from %j', (reply, message) => {
    expect(personMessage(reply)).toBe(message);
  });

  test.each([
    '',
    '[END]',
    'Person: [END]',
    'END',
    '[end].',
    'Thanks so much for your help! Goodbye.',
    "That's all, thank you.",
    '감사합니다! 안녕히 계세요.',
    '알겠습니다, 고마워요.',
    'Assistant: You need wool.',
  ])('is over at %j', (reply) => {
    expect(personMessage(reply)).toBeNull();
  });
});

describe('passages of a text', () => {
  const paragraph = (letter: string, sentences: number) =>
    `${letter}${' sentence follows sentence, as it must be.'.repeat(sentences)}`;

  test('stand under their headings, and what is too short to ask about is left out', () => {
    const text = `# Guide\n\nShort.\n\n## Wool\n${paragraph('Wool', 5)}\n\n### Dyeing\n\n${paragraph('Dye', 5)}\n## Needles\n\n\`\`\`\n# no heading\n\`\`\`\n${paragraph('Steel', 5)}`;
    expect(passagesOf(text)).toEqual([
      { headings: ['Guide', 'Wool'], text: paragraph('Wool', 5) },
      { headings: ['Guide', 'Wool', 'Dyeing'], text: paragraph('Dye', 5) },
      { headings: ['Guide', 'Needles'], text: `\`\`\`\n# no heading\n\`\`\`\n${paragraph('Steel', 5)}` },
    ]);
  });

  test('are never too long, and together all of the text', () => {
    const korean = '한국어 문장이 이어지고 또 이어집니다. '.repeat(300).trim();
    const endless = '가'.repeat(5000);
    for (const text of [
      Array.from({ length: 9 }, (_, at) => paragraph(String(at), 12)).join('\n\n'),
      korean,
      endless,
    ]) {
      const passages = passagesOf(text).map((passage) => passage.text);
      expect(Math.max(...passages.map(({ length }) => length))).toBeLessThanOrEqual(1500);
      expect(Math.min(...passages.map(({ length }) => length))).toBeGreaterThan(400);
      expect(passages.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    }
  });
});
