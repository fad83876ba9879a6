import type { CompletionInput, Turn } from '../inference/messages.ts';
import { ApiError } from './api-error.ts';
import type { ApiMessage } from './requests.ts';

type Conversation = Exclude<CompletionInput['prompt'], { text: string }>;

/**
 * Messages as the conversation that a model reads: what system and developer say stands before it, wherever it came. Where the
 * assistant has the last word, the model goes on with it.
 */
export function conversationOf(messages: readonly ApiMessage[], thoughtless: boolean): Conversation {
  const system: string[] = [];
  const turns: Turn[] = [];
  for (const [index, message] of messages.entries()) {
    const text = textOf(message, `messages.${index}`);
    if (message.role === 'system' || message.role === 'developer') system.push(text);
    else turns.push({ role: message.role === 'assistant' ? 'assistant' : 'user', text });
  }
  const last = turns.at(-1);
  const goesOn = last?.role === 'assistant' && last.text !== '';
  return {
    systemPrompt: system.join('\n\n'),
    turns: goesOn ? turns.slice(0, -1) : turns,
    continued: goesOn ? { text: last.text, thinking: '' } : null,
    thoughtless,
  };
}

function textOf({ role, content }: ApiMessage, param: string): string {
  if (role === 'tool' || role === 'function') {
    throw new ApiError(400, 'Puna does not call tools, and has no place for what one said.', { param });
  }
  if (typeof content === 'string') return content;
  return (content ?? [])
    .map(({ type, text }) => {
      if (type === 'text' && text !== undefined) return text;
      throw new ApiError(400, `Puna reads text, and a message has a part of type "${type}".`, {
        ...{ param, code: 'unsupported_parameter' },
      });
    })
    .join('\n');
}
