import { z } from 'zod';
import type { DraftTurn } from '../draft.ts';
import { conversationImporter } from './conversation-importer.ts';
import type { Found } from './importer.ts';
import { reasons } from './reasons.ts';

const messageSchema = z.object({
  uuid: z.string().nullish(),
  parent_message_uuid: z.string().nullish(),
  sender: z.string(),
  text: z.string().nullish(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().nullish() })).nullish(),
  /** Texts that were pasted or attached, as they stand. */
  attachments: z.array(z.looseObject({ extracted_content: z.string().nullish() })).nullish(),
  /** Files of which the export has only the name. */
  files: z.array(z.unknown()).nullish(),
});
type Message = z.infer<typeof messageSchema>;

const conversationSchema = z.object({ chat_messages: z.array(messageSchema) });

/** What Claude exports: `conversations.json`, alone or in its ZIP archive. */
export const claude = conversationImporter({
  name: 'claude',
  recognises: ({ text }) => text !== null && /^\s*[[{]/.test(text) && /"chat_messages"\s*:\s*\[/.test(text),
  schema: conversationSchema,
  read: found,
});

function* found(conversation: z.infer<typeof conversationSchema>, where: string): Generator<Found> {
  const turns: DraftTurn[] = [];
  for (const message of branch(conversation.chat_messages)) {
    const { sender, files } = message;
    if ((files?.length ?? 0) > 0) {
      // What follows speaks of what the model would not see.
      yield { kind: 'skipped', reason: reasons.afterMedia, where };
      break;
    }
    const role = sender === 'human' ? 'user' : sender === 'assistant' ? 'assistant' : 'other';
    const text = textOf(message);
    if (text.trim() !== '') turns.push({ role, text });
    else if (message.content?.length) yield { kind: 'skipped', reason: reasons.tools, where };
  }
  yield { kind: 'draft', draft: { kind: 'conversation', turns }, where };
}

function textOf({ text, content, attachments }: Message): string {
  // Thoughts and the use of tools stand between the texts.
  const texts = content?.length
    ? content.filter(({ type }) => type === 'text').map((block) => block.text ?? '')
    : [text ?? ''];
  const attached = attachments?.map(({ extracted_content: words }) => words ?? '') ?? [];
  return [texts.join(''), ...attached].filter((words) => words.trim() !== '').join('\n\n');
}

/** Where messages tell what they answer, those that lead to the last one; otherwise all. */
function branch(messages: readonly Message[]): readonly Message[] {
  const byId = new Map(
    messages.flatMap((message) => (message.uuid ? [[message.uuid, message] as const] : [])),
  );
  if (!messages.every(({ uuid, parent_message_uuid: parent }) => uuid && parent)) return messages;
  const path: Message[] = [];
  const seen = new Set<Message>();
  let message = messages.at(-1);
  while (message && !seen.has(message)) {
    seen.add(message);
    path.push(message);
    message = byId.get(message.parent_message_uuid ?? '');
  }
  return path.reverse();
}
