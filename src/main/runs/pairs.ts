import type { Pair, TrainingRun } from '../../shared/contract/index.ts';
import type { Background } from '../chat/index.ts';
import type { Library } from '../library/index.ts';
import { type Prompt, sideOf } from './prompts.ts';
import { baseOf, question, taughtBy } from './speakers.ts';

/** As long as an answer of a pair gets, in tokens: a paragraph, which a person still compares with another. */
const longestAnswer = 256;

export interface PairsOptions {
  background: Pick<Background, 'reply'>;
  library: Pick<Library, 'list'>;
  signal: AbortSignal;
  onPair: (pair: Pair) => void;
}

/**
 * Has base and taught answer each prompt. Which of them is on which side looks like chance. Errors: those of replies in the
 * background, `not-found` (the model has left the library).
 */
export async function makePairs(
  run: TrainingRun,
  prompts: readonly Prompt[],
  { background, library, signal, onPair }: PairsOptions,
): Promise<void> {
  const base = await baseOf(run, library);
  const taught = await taughtBy(run, run.adapterPath, library);
  for (const each of prompts) {
    const before = await background.reply(question(base, each, longestAnswer), signal);
    const after = await background.reply(question(taught, each, longestAnswer), signal);
    onPair(pairOf(run, each.prompt, { before, after }));
  }
}

function pairOf(
  run: TrainingRun,
  prompt: string,
  { before, after }: { before: string; after: string },
): Pair {
  const taught = sideOf(run, prompt);
  const [left, right] = taught === 'left' ? [after, before] : [before, after];
  // There is nothing to choose between equals.
  return { prompt, left, right, taught, choice: before === after ? 'same' : null };
}
