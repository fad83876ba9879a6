import { seededRandom } from '../../training/random.ts';
import type { GrowContext, GrowRequest } from './context.ts';

/** New tasks and questions should be unlike each other, so that the model may say what is less likely. */
export const inventing = { temperature: 0.9, maxTokens: 1024 };
/** Answers should be right rather than surprising. Longer ones than that are rarely good, and take minutes on a slow machine. */
export const answering = { temperature: 0.3, maxTokens: 1024 };

type Question = Partial<GrowRequest> & Pick<GrowRequest, 'turns' | 'temperature' | 'maxTokens'>;

/** Asks the model; the seed of each reply is drawn from the order's and from what it is asked for, so that it can be asked again. */
export function asking({ seed }: { seed: number }, { generate, signal }: GrowContext) {
  return async (place: readonly number[], question: Question): Promise<string> => {
    signal.throwIfAborted();
    const drawn = seededRandom(seed, ...place).below(2 ** 32);
    const reply = await generate({ systemPrompt: '', seed: drawn, ...question });
    signal.throwIfAborted();
    return reply.trim();
  };
}
