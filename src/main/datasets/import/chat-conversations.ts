import type { DraftTurn } from '../draft.ts';
import type { ChatFound, ChatMessage } from './chat-message.ts';
import type { Found } from './importer.ts';
import { reasons } from './reasons.ts';

const minute = 60_000;

/** People write one thought in several messages; a pause of some minutes is a new thought. */
const burstMinutes = 5;
/** After a night or a working day without a word, people begin anew, and what came before does not explain what comes. */
const silenceHours = 6;
/** Some thousand tokens, as much as contexts hold in training: what a longer conversation has beyond would be cut off. */
const maxConversationCharacters = 12_000;
/** Beyond it, a message is a document that was pasted. */
const maxMessageCharacters = 1_000_000;

interface Speaker {
  /** Whose messages become the assistant's. */
  isMe(sender: string): boolean;
  /** Whether more than one other person speaks in a chat, so that their names tell the messages apart. */
  isGroup(chat: string): boolean;
}

/** Makes conversations of messages: bursts are joined, and a long silence begins a new conversation. */
export async function* conversationsOf(
  messages: AsyncIterable<ChatFound>,
  speaker: Speaker,
): AsyncGenerator<Found> {
  let held: Conversation | null = null;
  for await (const found of messages) {
    if (found.kind === 'skipped') yield found;
    if (found.kind !== 'message') continue;
    const reason = reasonToSkip(found);
    if (reason) {
      yield { kind: 'skipped', reason, where: found.where };
      continue;
    }
    if (held && !held.takes(found)) {
      yield held.end();
      held = null;
    }
    held ??= new Conversation(speaker, found);
    held.add(found);
  }
  if (held) yield held.end();
}

function reasonToSkip({ text }: ChatMessage): string | null {
  if (text.length > maxMessageCharacters) return reasons.tooLong;
  return text.includes('\ufffd') ? reasons.brokenCharacters : null;
}

class Conversation {
  readonly #speaker: Speaker;
  readonly #chat: string;
  readonly #where: string;
  readonly #turns: DraftTurn[] = [];
  #last: ChatMessage | null = null;
  #characters = 0;

  constructor(speaker: Speaker, { chat, where }: ChatMessage) {
    this.#speaker = speaker;
    this.#chat = chat;
    this.#where = where;
  }

  takes(message: ChatMessage): boolean {
    if (message.chat !== this.#chat) return false;
    if (this.#minutesTo(message) >= silenceHours * 60) return false;
    if (this.#characters < maxConversationCharacters) return true;
    // A reply stays with what it answers, unless nobody ever replies.
    const isCut = this.#last !== null && this.#isMe(this.#last) && !this.#isMe(message);
    return !isCut && this.#characters < 10 * maxConversationCharacters;
  }

  add(message: ChatMessage): void {
    const turn = this.#turns.at(-1);
    this.#characters += message.text.length;
    if (turn && this.#last?.sender === message.sender && this.#minutesTo(message) < burstMinutes) {
      turn.text += `\n${message.text}`;
    } else if (this.#isMe(message)) this.#turns.push({ role: 'assistant', text: message.text });
    else {
      const named = this.#speaker.isGroup(this.#chat) ? `${message.name}: ${message.text}` : message.text;
      this.#turns.push({ role: 'user', text: named });
    }
    this.#last = message;
  }

  end(): Found {
    return { kind: 'draft', draft: { kind: 'conversation', turns: this.#turns }, where: this.#where };
  }

  #isMe({ sender }: ChatMessage): boolean {
    return this.#speaker.isMe(sender);
  }

  /** Clocks of phones are set back at times, so that a message may come before the one above it. */
  #minutesTo({ at }: ChatMessage): number {
    const before = this.#last?.at ?? null;
    return at === null || before === null ? 0 : Math.abs(at - before) / minute;
  }
}
