import { z } from 'zod';
import type { DraftTurn } from '../draft.ts';
import { source } from './source.ts';

const roles = new Map<string, DraftTurn['role']>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
]);

const messageSchema = z.object({
  role: z.string(),
  content: z
    .union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))])
    .nullish(),
  /** 0: a reply that is not learnt. */
  weight: z.unknown().optional(),
});

/** What OpenAI's API takes for fine-tuning, and most data sets on Hugging Face have. Calls of tools are not read. */
export const openai = source(
  [['messages']],
  z.object({ messages: z.array(messageSchema).nullish() }),
  ({ messages }) => [{ kind: 'conversation', turns: (messages ?? []).map(turn) }],
);

function turn({ role, content, weight }: z.infer<typeof messageSchema>): DraftTurn {
  const draftRole = roles.get(role) ?? 'other';
  const learnt = draftRole === 'assistant' && weight === 0 && ({ learnt: false } as const);
  if (typeof content === 'string' || !content) return { role: draftRole, text: content ?? '', ...learnt };
  return {
    role: draftRole,
    ...learnt,
    text: content.map(({ text }) => text ?? '').join(''),
    beyondText: content.some(({ type }) => type !== 'text'),
  };
}
