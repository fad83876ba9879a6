import { z } from 'zod';
import type { DraftTurn } from '../draft.ts';
import { conversationImporter } from './conversation-importer.ts';
import type { Found } from './importer.ts';
import { reasons } from './reasons.ts';

const contentSchema = z.looseObject({
  content_type: z.string(),
  parts: z.array(z.unknown()).nullish(),
  text: z.string().nullish(),
});

const nodeSchema = z.object({
  parent: z.string().nullish(),
  children: z.array(z.string()).nullish(),
  message: z
    .object({
      author: z.object({ role: z.string() }),
      content: contentSchema.nullish(),
      recipient: z.string().nullish(),
      metadata: z.looseObject({ is_visually_hidden_from_conversation: z.boolean().nullish() }).nullish(),
    })
    .nullish(),
});
type Node = z.infer<typeof nodeSchema>;

const conversationSchema = z.object({
  mapping: z.record(z.string(), nodeSchema),
  current_node: z.string().nullish(),
});

/**
 * What ChatGPT exports: `conversations.json`, or `conversations-000.json` and so on, alone or in its ZIP archive. Of each conversation
 * the branch that was shown last is read.
 */
export const chatgpt = conversationImporter({
  name: 'chatgpt',
  recognises: ({ text }) =>
    text !== null &&
    /^\s*[[{]/.test(text) &&
    /"mapping"\s*:\s*\{/.test(text) &&
    /"(?:parent|children)"\s*:/.test(text),
  schema: conversationSchema,
  read: found,
});

function* found(conversation: z.infer<typeof conversationSchema>, where: string): Generator<Found> {
  const turns: DraftTurn[] = [];
  for (const { message } of branch(conversation)) {
    const content = message?.content;
    if (!message || !content) continue;
    const { role } = message.author;
    const said = textOf(content);
    const skipped = reasonToSkip(message, said);
    if (skipped) yield { kind: 'skipped', reason: skipped, where };
    else if (said === null) {
      // What follows speaks of what the model would not see.
      yield { kind: 'skipped', reason: reasons.afterMedia, where };
      break;
    } else if (said.trim() !== '') turns.push({ role: role === 'user' ? 'user' : 'assistant', text: said });
  }
  yield { kind: 'draft', draft: { kind: 'conversation', turns }, where };
}

function reasonToSkip(message: NonNullable<Node['message']>, said: string | null): string | null {
  const { author, content, recipient, metadata } = message;
  if (author.role === 'tool') return reasons.tools;
  if (author.role === 'system' || metadata?.is_visually_hidden_from_conversation) {
    return said?.trim() === '' ? null : reasons.hidden;
  }
  if (author.role !== 'user' && author.role !== 'assistant') return reasons.hidden;
  if ((recipient ?? 'all') !== 'all') return reasons.tools;
  const kind = content?.content_type ?? '';
  return kind === 'text' || kind === 'multimodal_text' ? null : reasons.hidden;
}

/** From the first message to the one that was shown last. */
function branch({ mapping, current_node: current }: z.infer<typeof conversationSchema>): Node[] {
  const nodes: Node[] = [];
  const seen = new Set<string>();
  let id = current && Object.hasOwn(mapping, current) ? current : lastLeaf(mapping);
  while (id && Object.hasOwn(mapping, id) && !seen.has(id)) {
    seen.add(id);
    const node: Node | undefined = mapping[id];
    if (!node) break;
    nodes.push(node);
    id = node.parent ?? null;
  }
  return nodes.reverse();
}

/** Where nothing says what was shown, the last answers were. */
function lastLeaf(mapping: Record<string, Node>): string | null {
  let [id] = Object.entries(mapping).find(([, { parent }]) => !parent) ?? [];
  const seen = new Set<string>();
  while (id !== undefined && !seen.has(id)) {
    seen.add(id);
    const next: string | undefined = mapping[id]?.children?.at(-1);
    if (next === undefined || !Object.hasOwn(mapping, next)) break;
    id = next;
  }
  return id ?? null;
}

/** The words of a message; null where it has what is not text. */
function textOf({ parts, text }: z.infer<typeof contentSchema>): string | null {
  const words: string[] = [];
  for (const part of parts ?? [text ?? '']) {
    if (typeof part === 'string') words.push(part);
    else {
      const spoken = spokenSchema.safeParse(part);
      if (!spoken.success) {
        if (isSound(part)) continue;
        return null;
      }
      words.push(spoken.data.text);
    }
  }
  return withoutCitations(words.filter((word) => word !== '').join('\n'));
}

const spokenSchema = z.object({ content_type: z.literal('audio_transcription'), text: z.string() });

/** Sound stands beside its words. */
function isSound(part: unknown): boolean {
  const { data } = z.object({ content_type: z.string() }).safeParse(part);
  return /audio/.test(data?.content_type ?? '');
}

/** Marks that the page shows as links to sources: between characters for private use, or in brackets of CJK. */
function withoutCitations(text: string): string {
  return text.replaceAll(/\ue200[^\ue200\ue201]*\ue201/g, '').replaceAll(/【\d+(?::\d+)?†[^【】]*】/g, '');
}
