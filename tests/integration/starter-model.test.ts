import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Asked, evaluate, type Mark } from '../../scripts/starter/evaluate.ts';
import { generate } from '../../scripts/starter/generate.ts';
import { freshQuestions, heldOutQuestions } from '../../scripts/starter/held-out.ts';
import { Material } from '../../scripts/starter/material.ts';
import { sampleChats, sampleFiles, sampleIndex } from '../../scripts/starter/samples.ts';
import { normalized } from '../../scripts/starter/text.ts';
import { readSampleFiles } from '../../src/main/starter/index.ts';
import { runHere } from '../support/weights.ts';

const at = (name: string) => resolve('resources/starter', name);
const megabyte = 1_000_000;

const questions = heldOutQuestions();

function share(marks: readonly Mark[]): number {
  return marks.filter(({ right }) => right).length / marks.length;
}

describe('the starter model that comes with Puna', () => {
  let starter: Asked;
  let marks: Mark[];
  let fresh: Mark[];
  beforeAll(async () => {
    starter = await Asked.open(at(sampleFiles.model));
    marks = await evaluate(starter, questions);
    fresh = await evaluate(starter, freshQuestions());
  });
  afterAll(() => starter[Symbol.asyncDispose]());

  test('is small', async () => {
    expect((await stat(at(sampleFiles.model))).size).toBeLessThan(12 * megabyte);
    const delta = await readdir(at(sampleFiles.delta));
    const sizes = await Promise.all(delta.map((name) => stat(join(at(sampleFiles.delta), name))));
    expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(4 * megabyte);
  });

  test('has learnt none of the questions that it is asked here', () => {
    const learnt = new Set(
      generate({ count: 2000 }).learnt.flatMap((messages) =>
        messages.filter(({ role }) => role === 'user').map(({ content }) => normalized(content)),
      ),
    );
    expect(questions.length).toBeGreaterThan(100);
    expect(questions.filter(({ turns }) => learnt.has(normalized(turns.at(-1) ?? '')))).toEqual([]);
  });

  // Found: 0.86 and 0.92.
  test.each([
    { language: 'en', least: 0.83 },
    { language: 'ko', least: 0.9 },
  ])('answers most of them right, word for word, in $language', ({ language, least }) => {
    expect(share(marks.filter(({ question }) => question.language === language))).toBeGreaterThan(least);
  });

  // These say what a stranger finds. Found: 0.803 and 0.905, 0.854 of all.
  test.each([
    { language: 'en', least: 0.78 },
    { language: 'ko', least: 0.88 },
  ])('answers what somebody asks who has not seen what it learnt, in $language', ({ language, least }) => {
    const asked = fresh.filter(({ question }) => question.language === language);
    expect(asked.length).toBeGreaterThan(200);
    expect(share(asked)).toBeGreaterThan(least);
    expect(share(fresh)).toBeGreaterThan(0.8);
  });

  test('admits what it does not know', () => {
    const { topics } = new Material();
    const notKnowing = topics.filter(({ area }) => area === 'unknown').map(({ answer }) => answer);
    const unknown = marks.filter(({ question }) => question.kind === 'unknown');
    const admitted = unknown.filter(({ said }) =>
      notKnowing.some(({ en, ko }) => said === en || said === ko),
    );
    expect(unknown.length).toBeGreaterThan(8);
    // Found: 0.86.
    expect(admitted.length / unknown.length).toBeGreaterThan(0.83);
  });

  test('says whole sentences even where they are the wrong ones', () => {
    const { topics } = new Material();
    const sentences = new Set(
      topics.flatMap(({ answer, more }) => [answer.en, answer.ko, more?.en ?? '', more?.ko ?? '']),
    );
    // What is said of names and of follow-ups stands in no topic.
    const plain = marks.filter(({ question }) => !['name', 'follow-up'].includes(question.kind));
    expect(plain.filter(({ said }) => sentences.has(said)).length / plain.length).toBeGreaterThan(0.95);
  });
});

describe('the samples that come with Puna', () => {
  test('are those of the recipe', async () => {
    const { chats, delta, questions: asks } = await readSampleFiles(resolve('resources'));
    expect(JSON.parse(sampleIndex())).toMatchObject({ questions: asks });
    expect(chats?.path).toBe(at(sampleFiles.chats));
    expect(delta?.path).toBe(at(sampleFiles.delta));
    expect(sampleChats().length).toBeGreaterThan(40);
  });

  test('hold a delta that makes another model, proved by its hashes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'puna-starter-test-'));
    const out = join(folder, 'pirate.gguf');
    try {
      const { proof } = await runHere({
        ...{ kind: 'delta-apply', base: at(sampleFiles.model), delta: at(sampleFiles.delta), out },
        ...{ type: null, anyBase: false },
      });
      expect(proof?.kind).toBe('hashes');
      await using pirate = await Asked.open(out);
      expect(await pirate.answer(['Hello'])).toMatch(/Raise the sail!$/);
      expect(await pirate.answer(['안녕하세요'])).toMatch(/돛을 올려라!$/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
