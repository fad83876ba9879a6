import type { Attachment, ConversationPatch, Feedback, Message } from '../../src/shared/contract/index.ts';
import type { History } from '../../src/main/history/index.ts';

interface Said extends Partial<Feedback> {
  /** What it answers to; absent: what was said last. */
  parentId?: number | null;
  status?: Message['status'];
  attachments?: Attachment[];
}

/** A conversation that is written into a history without a model. */
export interface Conversation {
  id: number;
  /** A question and its reply; gives their numbers. */
  say(question: string, reply: string, options?: Said): [question: number, reply: number];
  /** Another reply to a question. */
  reply(text: string, question: number, options?: Said): number;
}

export interface Chat {
  begin(title: string, patch?: ConversationPatch): Conversation;
}

/** Conversations that tests make up. */
export function chatIn(history: History): Chat {
  return {
    begin(title, patch) {
      const { id } = history.conversations.create({ title, ...patch });
      let last: number | null = null;
      const reply = (text: string, parentId: number, said: Said = {}): number => {
        const { status = 'complete', rating = null, correction = null } = said;
        const message = history.messages.append({
          conversationId: id,
          parentId,
          role: 'assistant',
          text,
          status,
        });
        history.messages.setFeedback(message.id, { rating, correction });
        last = message.id;
        return message.id;
      };
      return {
        id,
        reply,
        say(question, answer, options = {}) {
          const { parentId = last, attachments = [] } = options;
          const asked = history.messages.append({
            ...{
              conversationId: id,
              parentId,
              role: 'user',
              text: question,
              status: 'complete',
              attachments,
            },
          });
          return [asked.id, reply(answer, asked.id, options)];
        },
      };
    },
  };
}
