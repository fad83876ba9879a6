import type { LoadedModel } from './loaded-model.ts';
import type { Turn } from './messages.ts';
import { buildPrompt } from './prompt.ts';
import { ReplyParser } from './reply-parser.ts';
import { TextStream } from './text-stream.ts';

/** Enough for the beginning of a conversation and a title. */
const contextTokens = 1024;
/** As much of each message as is shown to the model. */
const shownCharacters = 800;
const longestTitleTokens = 24;
const longestTitle = 60;

const instruction =
  'Give the conversation below a title of at most six words, in the language of the conversation. Answer with the title alone, without quotes.';

/**
 * A short title for the beginning of a conversation, written in a context of its own so that those of conversations stay as
 * they are. Empty when the model gives nothing that could be a title, or was cancelled.
 */
export async function title(loaded: LoadedModel, turns: Turn[], signal: AbortSignal): Promise<string> {
  const { model, pools } = loaded;
  const context = await pools.createSmall(contextTokens);
  try {
    const shown = turns.map(({ role, text }) => `${role}: ${text.slice(0, shownCharacters)}`).join('\n\n');
    const request = {
      systemPrompt: '',
      turns: [{ role: 'user', text: `${instruction}\n\n${shown}` } as const],
      continued: null,
    };
    const prompt = buildPrompt(loaded, request, context.contextSize);
    const { prefix, suffix } = prompt.thoughts;
    const stream = new TextStream(model, { before: prompt.tokens, tags: [prefix, suffix] });
    const parser = new ReplyParser(prompt, { begun: false });
    let text = '';
    let tokens = 0;
    for await (const token of context.getSequence().evaluate(prompt.tokens, { temperature: 0 })) {
      if (signal.aborted) return '';
      if (prompt.stopTokens.has(token)) break;
      const pieces = parser.add(stream.add(token));
      text += pieces.map(({ part, piece }) => (part === 'text' ? piece : '')).join('');
      if (parser.stopped || text.includes('\n') || ++tokens >= longestTitleTokens) break;
    }
    return cleanTitle(text);
  } finally {
    await context.dispose();
  }
}

/** One line without quotes, marks of emphasis or a label; empty when it is too long to be a title. */
export function cleanTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  const bare = line
    .replace(/^[#*_\s]*(?:title|제목)\s*[:：]\s*/i, '')
    .replace(/^[#>*_`"'“”‘’「『\s]+|[*_`"'“”‘’」』.。\s]+$/gu, '');
  return bare.length > longestTitle ? '' : bare;
}
