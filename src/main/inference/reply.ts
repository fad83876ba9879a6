import type { Token } from 'node-llama-cpp';
import type { LoadedModel } from './loaded-model.ts';
import type { ReplyEvent, ReplyInput, ReplyResult } from './messages.ts';
import { buildPrompt } from './prompt.ts';
import { write, type Written } from './writing.ts';

interface Job {
  signal: AbortSignal;
  emit: (event: ReplyEvent) => void;
}

/** Writes one reply. Errors: `invalid-input` (too long a message, an adapter that does not fit). */
export async function reply(
  loaded: LoadedModel,
  input: ReplyInput,
  { signal, emit }: Job,
): Promise<ReplyResult> {
  const since = performance.now();
  const { sampling, continued } = input;
  const pool = await loaded.pools.get(input.adapters);
  const prompt = buildPrompt(loaded, input, pool.contextSize);
  const written = await write(loaded, {
    ...{ prompt, sampling, since, signal, emit, pace: pool.pace },
    sequence: await pool.take(prompt.tokens),
    begun: isBegun(continued),
  });
  rememberReply(loaded, { continued, before: prompt.tokens, written });
  return written.result;
}

/** Whether there are words to go on with. */
export function isBegun(continued: ReplyInput['continued']): boolean {
  return (continued?.text ?? '') + (continued?.thinking ?? '') !== '';
}

/** So that a reply is found in the cache when it is part of the next prompt. `before`: the prompt. */
export function rememberReply(
  { model, replies }: LoadedModel,
  reply: { continued: ReplyInput['continued']; before: Token[]; written: Written },
): void {
  const { text, tokens } = reply.written;
  // Thoughts, marks and a character that is not whole are in the tokens but not in the text.
  if (text === '' || model.detokenize(tokens, false, reply.before.slice(-8)).trimStart() !== text.trimStart())
    return;
  if (!reply.continued) return replies.remember(text, tokens);
  const begun = replies.recall(reply.continued.text);
  if (begun && reply.continued.thinking === '')
    replies.remember(reply.continued.text + text, [...begun, ...tokens]);
}
