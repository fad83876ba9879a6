import { type ConversationOptions, Conversations, type Message } from './conversations.ts';
import { type HeldOutQuestion, heldOutQuestions, heldOutTexts } from './held-out.ts';
import { Material } from './material.ts';
import { Draw } from './random.ts';
import { normalized } from './text.ts';

/** How many conversations the starter learns from. */
export const conversationsToLearn = 60_000;

export interface Generated {
  learnt: Message[][];
  heldOut: HeldOutQuestion[];
}

/** The same conversations each time. None of them has a question that is held out. */
export function generate({
  count = conversationsToLearn,
  material = new Material(),
  seed = 1,
  ...options
}: ConversationOptions & { count?: number; material?: Material; seed?: number } = {}): Generated {
  const conversations = new Conversations(material, options);
  const heldOut = heldOutTexts(material);
  const draw = new Draw(seed);
  const isHeldOut = ({ role, content }: Message) => role === 'user' && heldOut.has(normalized(content));
  const learnt: Message[][] = [];
  while (learnt.length < count) {
    const messages = conversations.next(draw);
    if (!messages.some(isHeldOut)) learnt.push(messages);
  }
  return { learnt, heldOut: heldOutQuestions(material) };
}

/** One line of JSON for each conversation, as OpenAI's API takes them. */
export function jsonLines(conversations: readonly Message[][]): string {
  return conversations.map((messages) => `${JSON.stringify({ messages })}\n`).join('');
}

/** A question that is held out as a conversation with its right answer. */
export function heldOutConversation({ turns, answer }: HeldOutQuestion): Message[] {
  return [...turns, answer].map((content, index) => ({
    ...{ role: index % 2 === 0 ? 'user' : 'assistant', content },
  }));
}
