import type { NewExample } from '../../dataset-engine/messages.ts';
import type { Turn } from '../../inference/messages.ts';

/** A conversation as a dataset has it; what the assistant says is learnt. */
export function conversation(turns: readonly Turn[], source: string): NewExample {
  const learnt = turns.map((turn) => ({ ...turn, learnt: true }));
  return { content: { kind: 'conversation', system: '', turns: learnt }, source };
}

/** A question and its answer. */
export function exchange(question: string, answer: string, source: string): NewExample {
  const turns: Turn[] = [
    { role: 'user', text: question },
    { role: 'assistant', text: answer },
  ];
  return conversation(turns, source);
}

/** What an example asks first; nothing where it is a text. */
export function questionOf({ content }: NewExample): string {
  return content.kind === 'conversation' ? (content.turns[0]?.text ?? '') : '';
}
