import { createHash } from 'node:crypto';
import type { TrainingRun } from '../../shared/contract/index.ts';
import { readExamples } from '../datasets/index.ts';

/** A question that examples begin with. */
export interface Prompt {
  prompt: string;
  system: string;
}

/** As many examples are looked through: more than anybody answers, and read in a moment. */
const mostRead = 1000;
/** Longer ones are no questions that a person compares answers to. */
const longestPrompt = 4000;

/** The first questions of examples, each once; of files that cannot be read, none. */
export async function promptsIn(paths: readonly string[]): Promise<Prompt[]> {
  const prompts = new Map<string, Prompt>();
  let read = 0;
  for (const path of paths) {
    try {
      for await (const example of readExamples(path)) {
        if (read++ === mostRead) return [...prompts.values()];
        if (example.kind === 'text') continue;
        const prompt = example.turns[0]?.text ?? '';
        if (prompt === '' || prompt.length > longestPrompt || prompts.has(prompt)) continue;
        prompts.set(prompt, { prompt, system: example.system });
      }
    } catch {
      // They are a convenience; whoever learns from the file says what is wrong with it.
    }
  }
  return [...prompts.values()];
}

/**
 * Questions that a run can be tried with, other than those that it was tried with before: of examples that it did not learn
 * from, else of those that it did, else those that it was asked while it ran. In an order that looks like chance.
 */
export async function trialPrompts(
  run: Pick<TrainingRun, 'data' | 'validationData' | 'samples' | 'pairs' | 'createdAt'>,
  count: number,
): Promise<Prompt[]> {
  const tried = new Set(run.pairs.map(({ prompt }) => prompt));
  const asked = () => Promise.resolve(run.samples.map(({ prompt }) => ({ prompt, system: '' })));
  for (const source of [() => promptsIn(run.validationData), () => promptsIn(run.data), asked]) {
    const found = await source();
    if (found.length === 0) continue;
    return found
      .filter(({ prompt }) => !tried.has(prompt))
      .map((each) => ({ each, place: lot(run, each.prompt) }))
      .sort((one, other) => (one.place < other.place ? -1 : 1))
      .slice(0, count)
      .map(({ each }) => each);
  }
  return [];
}

/** On which side what was taught answers. */
export function sideOf(run: Pick<TrainingRun, 'createdAt'>, prompt: string): 'left' | 'right' {
  return Number.parseInt(lot(run, `${prompt} side`).slice(0, 2), 16) % 2 === 0 ? 'left' : 'right';
}

/** The same for the same run and text, and like chance otherwise; in hexadecimal digits. */
function lot({ createdAt }: Pick<TrainingRun, 'createdAt'>, text: string): string {
  return createHash('sha256').update(`${createdAt} ${text}`).digest('hex');
}
