import type { ExampleContent } from '../../../../shared/contract/index.ts';

/** A question and its answer, as a person edits them. */
export interface Exchange {
  question: string;
  reply: string;
  learnt: boolean;
}

/** An example while a person edits it: whatever they leave, its turns alternate. */
export interface ExampleDraft {
  kind: ExampleContent['kind'];
  system: string;
  exchanges: Exchange[];
  text: string;
}

export function emptyExchange(): Exchange {
  return { question: '', reply: '', learnt: true };
}

export function emptyDraft(): ExampleDraft {
  return { kind: 'conversation', system: '', exchanges: [emptyExchange()], text: '' };
}

export function draftOf(content: ExampleContent): ExampleDraft {
  if (content.kind === 'text') return { ...emptyDraft(), kind: 'text', text: content.text };
  const { system, turns } = content;
  const exchanges = turns.flatMap((turn, at): Exchange[] => {
    const reply = turns[at + 1];
    if (turn.role !== 'user' || !reply) return [];
    return [{ question: turn.text, reply: reply.text, learnt: reply.learnt }];
  });
  return { ...emptyDraft(), system, exchanges };
}

/** Null: something is empty that must not be, or nothing of it would be learnt. */
export function contentOf({ kind, system, exchanges, text }: ExampleDraft): ExampleContent | null {
  if (kind === 'text') return text.trim() === '' ? null : { kind, text };
  const blank = exchanges.some(({ question, reply }) => question.trim() === '' || reply.trim() === '');
  if (blank || !exchanges.some(({ learnt }) => learnt)) return null;
  const turns = exchanges.flatMap(({ question, reply, learnt }) => [
    { role: 'user' as const, text: question, learnt: true },
    { role: 'assistant' as const, text: reply, learnt },
  ]);
  return { kind, system, turns };
}
