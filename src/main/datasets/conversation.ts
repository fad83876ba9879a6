import type { Draft, DraftTurn } from './draft.ts';
import type { Example, ExampleTurn } from './example.ts';
import type { Tally } from './tally.ts';

const paragraphBreak = '\n\n';

/** The example of a draft without what cannot be learnt from; null when nothing is left. */
export function finished(draft: Draft, tally: Tally): Example | null {
  if (draft.kind === 'conversation') return conversation(draft.turns, tally);
  if (!isEmpty(draft.text)) return draft;
  tally.skip('empty texts');
  return null;
}

function conversation(drafts: DraftTurn[], tally: Tally): Example | null {
  // The text alone would teach the model to talk about pictures that it does not see.
  if (drafts.some(({ beyondText }) => beyondText)) {
    tally.skip('conversations with parts that are not text');
    return null;
  }
  const system: string[] = [];
  const turns: ExampleTurn[] = [];
  for (const { role, text, learnt } of drafts) {
    if (role === 'tool') tally.skip('messages of tools');
    else if (role === 'other') tally.skip('messages of unknown roles');
    else if (isEmpty(text)) tally.skip('empty messages');
    else if (role === 'system') system.push(text);
    else if (role === 'assistant' && turns.length === 0) {
      tally.skip('assistant turns before the first user turn');
    } else turns.push({ role, text, ...(role === 'assistant' && learnt === false && { learnt }) });
  }
  const joined = joinNeighbours(turns);
  if (joined.at(-1)?.role === 'user') {
    joined.pop();
    if (joined.length > 0) tally.skip('user turns at the end, without a reply');
  }
  if (joined.length > 0) return { kind: 'conversation', system: system.join(paragraphBreak), turns: joined };
  tally.skip('conversations without a reply to a user turn');
  return null;
}

/** Chat templates want the roles to alternate. What is joined is learnt if any of it is. */
function joinNeighbours(turns: ExampleTurn[]): ExampleTurn[] {
  const groups: ExampleTurn[][] = [];
  for (const turn of turns) {
    const last = groups.at(-1);
    if (last?.[0]?.role === turn.role) last.push(turn);
    else groups.push([turn]);
  }
  return groups.flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const text = group.map((turn) => turn.text).join(paragraphBreak);
    const isRead = group.every(({ learnt }) => learnt === false);
    return [{ role: first.role, text, ...(isRead && { learnt: false }) }];
  });
}

function isEmpty(text: string): boolean {
  return text.trim() === '';
}
