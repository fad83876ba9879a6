import { Engine, launchChildProcess } from '../../src/main/engine/index.ts';
import type { InferenceJobs, ReplyInput } from '../../src/main/inference/messages.ts';
import { automaticLoadSettings, type Sampling } from '../../src/shared/contract/index.ts';
import type { HeldOutQuestion } from './held-out.ts';
import { readTopics } from './topics.ts';

/** Always the likeliest token, and nothing else taken into account. */
export const greedy: Sampling = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 },
  // More than the longest answer has.
  maxTokens: 120,
};

/** A model in the chat's own engine, on one thread of the CPU. */
export class Asked implements AsyncDisposable {
  readonly #engine = new Engine<InferenceJobs>({ entry: 'inference-engine', launch: launchChildProcess });

  static async open(model: string): Promise<Asked> {
    const asked = new Asked();
    const settings = { ...automaticLoadSettings, gpuLayers: 0, threads: 1 };
    await asked.#engine.run('load', { path: model, settings });
    return asked;
  }

  /** What it answers to the last of these turns of person and model, in turn. */
  async answer(
    turns: readonly string[],
    { adapter = null, sampling = greedy }: { adapter?: string | null; sampling?: Sampling } = {},
  ): Promise<string> {
    const input: ReplyInput = {
      ...{ systemPrompt: '', continued: null, sampling },
      turns: turns.map((text, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', text })),
      adapters: adapter === null ? [] : [{ path: adapter, scale: 1 }],
    };
    let text = '';
    await this.#engine.run('reply', input, {
      onEvent: (event) => {
        if (event.type === 'piece' && event.part === 'text') text += event.piece;
      },
    });
    return text.trim();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#engine.stop();
  }
}

export interface Mark {
  question: HeldOutQuestion;
  said: string;
  right: boolean;
}

/**
 * Asks all questions. An answer is right that is the topic's, word for word; of what it cannot know, any that says that it does not.
 */
export async function evaluate(
  asked: Asked,
  questions: readonly HeldOutQuestion[],
  sampling: Sampling = greedy,
): Promise<Mark[]> {
  const marks: Mark[] = [];
  const unknown = readTopics().filter(({ area }) => area === 'unknown');
  for (const question of questions) {
    const said = await asked.answer(question.turns, { sampling });
    const { answer, language, topic } = question;
    const admits =
      unknown.some(({ id }) => id === topic) && unknown.some((each) => each.answer[language] === said);
    marks.push({ question, said, right: said === answer || admits });
  }
  return marks;
}

/** The share that is right of each kind in each language, as `talk en`, and of all of a language. */
export function sharesOf(marks: readonly Mark[]): Map<string, { right: number; all: number }> {
  const shares = new Map<string, { right: number; all: number }>();
  for (const { question, right } of marks) {
    for (const name of [`${question.kind} ${question.language}`, question.language, 'all']) {
      const share = shares.get(name) ?? { right: 0, all: 0 };
      share.all++;
      if (right) share.right++;
      shares.set(name, share);
    }
  }
  return shares;
}
