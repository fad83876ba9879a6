import { describe, expect, test } from 'vitest';
import { generate } from '../../scripts/starter/generate.ts';
import { freshQuestions, heldOutTexts } from '../../scripts/starter/held-out.ts';
import { Material } from '../../scripts/starter/material.ts';
import { fill } from '../../scripts/starter/particles.ts';
import { languages, normalized } from '../../scripts/starter/text.ts';
import { trainTokenizer } from '../../scripts/starter/tokenizer.ts';
import { conjugated } from '../../scripts/starter/verbs.ts';

describe('what the starter model learns from', () => {
  const material = new Material();

  test('is the same each time', () => {
    expect(generate({ count: 50 })).toEqual(generate({ count: 50 }));
  });

  test('has nothing in it that is held out', () => {
    const heldOut = heldOutTexts(material);
    const asked = generate({ count: 1000 }).learnt.flatMap((messages) =>
      messages.filter(({ role }) => role === 'user').map(({ content }) => normalized(content)),
    );
    expect(heldOut.size).toBeGreaterThan(1000);
    expect(freshQuestions(material).filter(({ turns }) => !heldOut.has(normalized(turns[0] ?? '')))).toEqual(
      [],
    );
    expect(asked.filter((text) => heldOut.has(text))).toEqual([]);
  });

  test('answers each topic in both languages, in words of its own', () => {
    for (const language of languages) {
      const answers = material.topics.map(({ answer }) => answer[language]);
      expect(new Set(answers).size).toBe(answers.length);
    }
  });

  test('holds back at least two ways to ask for each topic', () => {
    const few = material.topics.filter(({ asked, names }) =>
      languages.some((language) => names[language].length === 0 && asked[language].heldOut.length < 2),
    );
    expect(few.map(({ id }) => id)).toEqual([]);
  });

  test('asks for different topics in different words', () => {
    const owners = new Map<string, string>();
    const shared = material.topics.flatMap(({ id, asked }) =>
      languages.flatMap((language) =>
        asked[language].learnt.filter((text) => {
          const key = normalized(text);
          const other = owners.get(key);
          owners.set(key, id);
          return other !== undefined && other !== id;
        }),
      ),
    );
    expect(shared).toEqual([]);
  });
});

test.each([
  ['{}이/가 뭐예요?', '랭크', '랭크가 뭐예요?'],
  ['{}이/가 뭐예요?', '토큰', '토큰이 뭐예요?'],
  ['{}을/를 설명해 주세요', 'LoRA', 'LoRA를 설명해 주세요'],
  ['{}은/는요?', 'LLM', 'LLM은요?'],
])('Korean particles suit the word before them: %s with %s', (sentence, word, expected) => {
  expect(fill(sentence, '{}', word)).toBe(expected);
});

test.each([
  ['찾', '찾으려면, 찾는, 찾나요, 찾을'],
  ['만들', '만들려면, 만드는, 만드나요, 만들'],
  ['지우', '지우려면, 지우는, 지우나요, 지울'],
])('Korean verbs take the endings that sentences ask for: %s', (stem, expected) => {
  expect(conjugated('{려면}, {는}, {나요}, {ㄹ}', stem)).toBe(expected);
});

describe('the tokenizer', () => {
  const { pieces } = trainTokenizer(Array<string>(20).fill('the model learns, the model reads'), 370);

  test('has all bytes, and words that occur often as one token', () => {
    expect(pieces.filter((piece) => /^<0x[0-9A-F]{2}>$/.test(piece))).toHaveLength(256);
    expect(pieces).toContain('▁model');
    expect(pieces).toContain('the');
  });

  test('joins nothing across words', () => {
    expect(pieces.filter((piece) => piece.lastIndexOf('▁') > 0)).toEqual([]);
  });

  test('says so where the texts are too few for as many tokens', () => {
    expect(() => trainTokenizer(Array<string>(20).fill('ab'), 1000)).toThrow(/joined tokens/);
  });
});
