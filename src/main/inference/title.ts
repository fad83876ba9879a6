import { PunaError } from '../../shared/error.ts';
import { generate } from './generation.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { Turn } from './messages.ts';
import { buildPrompt } from './prompt.ts';
import { ReadingPace } from './reading-pace.ts';
import { ReplyReader } from './reply-reader.ts';

/** Enough for the beginning of a conversation and a title. */
const contextTokens = 1024;
/** As much of each message as is shown to the model. */
const shownCharacters = 800;
/** What is not finished then is no title. */
const longestTitleTokens = 40;
const longestTitle = 60;
/** The likeliest words: a title needs no imagination. */
const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1 };

const instruction =
  'Give the conversation below a title of at most six words, in the language of the conversation. Answer with the title alone, without quotes.';

/**
 * A short title for the beginning of a conversation, written in a context of its own so that those of conversations stay as
 * they are. Empty when the model gives nothing that could be a title. Errors: `cancelled`, `out-of-memory`.
 */
export async function title(loaded: LoadedModel, turns: Turn[], signal: AbortSignal): Promise<string> {
  const context = await loaded.pools.createSmall(contextTokens);
  try {
    const shown = turns.map(({ role, text }) => `${role}: ${text.slice(0, shownCharacters)}`).join('\n\n');
    const request = {
      systemPrompt: '',
      turns: [{ role: 'user', text: `${instruction}\n\n${shown}` } as const],
      ...{ continued: null, thoughtless: true },
    };
    const prompt = buildPrompt(loaded, request, context.contextSize);
    const reader = new ReplyReader(loaded, prompt, { begun: false });
    const tokens = generate(context.getSequence(), prompt.tokens, {
      ...{ signal, sampling, seed: 0, pace: new ReadingPace(context.batchSize) },
    });
    let count = 0;
    for await (const token of tokens) {
      if (prompt.stopTokens.has(token)) break;
      if (++count > longestTitleTokens) return '';
      reader.add(token);
      // One line is enough; what comes after it would be an explanation.
      if (reader.stopped || reader.text.includes('\n')) break;
    }
    if (signal.aborted) throw new PunaError('cancelled', 'The title is not wanted any more.');
    reader.end();
    return cleanTitle(reader.text);
  } finally {
    await context.dispose();
  }
}

/** One line without quotes, marks of emphasis or a label; empty when it is too long to be a title, or has no words. */
export function cleanTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  const bare = line
    .replace(/^[#*_\s]*(?:title|제목)\s*[:：]\s*/i, '')
    .replace(/^[#>*_`"'“”‘’「『\s]+|[*_`"'“”‘’」』.。\s]+$/gu, '');
  return bare.length <= longestTitle && /\p{L}/u.test(bare) ? bare : '';
}
