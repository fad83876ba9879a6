import type { Message, PathMessage, PunaEvent } from '../../shared/contract/index.ts';

/** The branch in view, oldest first: pure functions for what events do to it. Nothing is changed in place. */
export type Branch = readonly PathMessage[];

/** Takes in a message as it is now. One that belongs to another branch, or to a part that is not loaded, changes nothing. */
export function withMessage(branch: Branch, message: Message): Branch {
  const at = branch.findLastIndex(({ id }) => id === message.id);
  const old = branch[at];
  if (old) return branch.with(at, { ...message, siblings: old.siblings });
  // The first below its parent goes to the end; a sibling comes into view when the conversation says so.
  const belowLast = message.parentId === (branch.at(-1)?.id ?? null);
  return belowLast ? [...branch, { ...message, siblings: [message.id] }] : branch;
}

type Delta = Extract<PunaEvent, { type: 'delta' }>;

/** Adds a piece of a reply that is being written; null when a piece before it was missed. */
export function withPiece(branch: Branch, { messageId, part, offset, piece }: Delta): Branch | null {
  const at = branch.findLastIndex(({ id }) => id === messageId);
  const message = branch[at];
  if (!message) return branch;
  const known = message[part];
  if (offset > known.length) return null;
  return branch.with(at, { ...message, [part]: known.slice(0, offset) + piece });
}

/** What was loaded, with the pieces that came while it was on its way. */
export function withNewerPieces(loaded: PathMessage[], known: Branch): PathMessage[] {
  return loaded.map((message) => {
    if (message.status !== 'streaming') return message;
    const old = known.findLast(({ id }) => id === message.id);
    if (!old) return message;
    return {
      ...message,
      text: longer(message.text, old.text),
      thinking: longer(message.thinking, old.thinking),
    };
  });
}

function longer(loaded: string, known: string): string {
  return known.startsWith(loaded) ? known : loaded;
}
