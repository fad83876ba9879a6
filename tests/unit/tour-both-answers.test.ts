import { expect, test } from 'vitest';
import { bothAnswers } from '../../src/renderer/components/tour/both-answers.ts';

const step = {
  step: 220,
  epoch: 11,
  loss: 0.1,
  learningRate: 1e-3,
  gradientNorm: 1,
  tokens: 9,
  tokensPerSecond: 9,
  memoryBytes: 9,
};
const validation = (at: number, best: boolean) => ({ step: at, loss: 1, perplexity: 2.7, best });
const sample = (...steps: number[]) => ({
  ...{ prompt: 'Who?', base: 'Nobody.' },
  replies: steps.map((at) => ({ step: at, text: `After ${at}.` })),
});

test('the answer after teaching is that of the best measured step, which is not always the last one', () => {
  const run = { step, validations: [validation(0, false), validation(210, true), validation(220, false)] };
  expect(bothAnswers({ ...run, samples: [sample(42, 210)] })).toEqual([
    { prompt: 'Who?', before: 'Nobody.', after: 'After 210.' },
  ]);
  expect(bothAnswers({ ...run, samples: [sample(42, 84)] })).toEqual([]);
});

test('without measurements it is that of the last step', () => {
  const samples = [sample(110, 220)];
  expect(bothAnswers({ step, validations: [], samples })[0]?.after).toBe('After 220.');
});

test('what has not been asked before has nothing to compare', () => {
  const samples = [{ ...sample(220), base: null }];
  expect(bothAnswers({ step, validations: [], samples })).toEqual([]);
});
