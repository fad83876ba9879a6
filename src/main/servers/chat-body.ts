import { randomInt } from 'node:crypto';
import type { ReplyInput } from '../inference/messages.ts';

/** What a reply needs of a conversation. */
export type Conversation = Pick<ReplyInput, 'systemPrompt' | 'turns' | 'continued' | 'sampling'>;

/** Servers keep seeds in 32 bits, many of them with a sign. */
const seeds = 2 ** 31;
/** OpenAI's API has no higher temperature. */
const hottest = 2;
/** Nor a `top_p` of 0: this is the likeliest token alone, too. */
const leastTopP = 0.001;

/** The seed of a reply: the one that is wanted, or one that is drawn. */
export function seedOf({ seed }: ReplyInput['sampling']): number {
  return seed ?? randomInt(seeds);
}

/** What a request must have, whatever the server is. */
export function necessary(model: string, conversation: Conversation): Record<string, unknown> {
  return {
    ...{ model, messages: messagesOf(conversation), stream: true },
    // What vLLM needs to write on; others do it where the assistant has the last word, or say that they do not know this.
    ...(goesOn(conversation) && { continue_final_message: true, add_generation_prompt: false }),
  };
}

/** Whether a reply is to be written on. One of which there are only thoughts begins anew. */
export function goesOn({ continued }: Conversation): boolean {
  return (continued?.text ?? '') !== '';
}

/**
 * What a server may refuse, by name: what OpenAI's API has and what vLLM, llama-server and most others know besides. A value of
 * undefined is not sent.
 */
export function optional({ sampling }: Conversation, seed: number): Record<string, unknown> {
  const { temperature, topP, topK, minP, repeatPenalty, maxTokens } = sampling;
  const penalty = repeatPenalty === 1 ? undefined : repeatPenalty;
  return {
    temperature: Math.min(temperature, hottest),
    top_p: Math.max(topP, leastTopP),
    max_tokens: maxTokens ?? undefined,
    seed,
    stream_options: { include_usage: true },
    ...{ top_k: topK, min_p: minP },
    // llama-server's name for it, and vLLM's.
    ...{ repeat_penalty: penalty, repetition_penalty: penalty },
  };
}

/** Not in OpenAI's API, or not in that of everybody who follows it. */
const rare = ['stream_options', 'seed', 'top_k', 'min_p', 'repeat_penalty', 'repetition_penalty'];

/**
 * What to leave out after a refusal: what it names, else what is rare. Empty where that would change nothing.
 */
export function toLeaveOut(sent: Readonly<Record<string, unknown>>, words: string): string[] {
  const left = Object.keys(sent).filter((name) => sent[name] !== undefined);
  const named = left.filter((name) => new RegExp(`\\b${name}\\b`).test(words));
  return named.length > 0 ? named : left.filter((name) => rare.includes(name));
}

/** OpenAI's newer models know the longest reply by another name. */
export function withNewName(
  parameters: Readonly<Record<string, unknown>>,
  leftOut: ReadonlySet<string>,
): Record<string, unknown> {
  const sent = Object.fromEntries(Object.entries(parameters).filter(([name]) => !leftOut.has(name)));
  if (!leftOut.has('max_tokens') || leftOut.has('max_completion_tokens')) return sent;
  return { ...sent, max_completion_tokens: parameters.max_tokens };
}

function messagesOf(conversation: Conversation): { role: string; content: string }[] {
  const { systemPrompt, turns, continued } = conversation;
  return [
    ...(systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }]),
    ...turns.map(({ role, text }) => ({ role, content: text })),
    ...(continued && goesOn(conversation) ? [{ role: 'assistant', content: continued.text }] : []),
  ];
}
