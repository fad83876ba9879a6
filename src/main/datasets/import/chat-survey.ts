import type { ChatFound } from './chat-message.ts';
import type { Person } from './importer.ts';

/** Who speaks in an export, and what it says of who made it. */
export class ChatSurvey {
  /** By chat and sender; as many as there are people, whatever they have written. */
  readonly #chats = new Map<string, Map<string, number>>();
  readonly #names = new Map<string, string>();
  readonly #partners = new Map<string, string>();
  #exporter: string | null = null;

  static async of(messages: AsyncIterable<ChatFound>, signal?: AbortSignal): Promise<ChatSurvey> {
    const survey = new ChatSurvey();
    for await (const found of messages) {
      signal?.throwIfAborted();
      survey.#add(found);
    }
    return survey;
  }

  #add(found: ChatFound): void {
    if (found.kind === 'exporter') this.#exporter ??= found.sender;
    else if (found.kind === 'partner') this.#partners.set(found.chat, found.sender);
    else if (found.kind === 'message') {
      const { chat, sender, name } = found;
      const senders = this.#chats.get(chat) ?? new Map<string, number>();
      senders.set(sender, (senders.get(sender) ?? 0) + 1);
      this.#chats.set(chat, senders);
      this.#names.set(sender, name);
    }
  }

  /** Everybody, most messages first. Two who have the same name are one. */
  people(): Person[] {
    const counts = new Map<string, number>();
    for (const senders of this.#chats.values()) {
      for (const [sender, messages] of senders) {
        const name = this.#names.get(sender) ?? sender;
        counts.set(name, (counts.get(name) ?? 0) + messages);
      }
    }
    return [...counts]
      .map(([name, messages]) => ({ name, messages }))
      .sort((one, other) => other.messages - one.messages);
  }

  /** The name of whoever exported it; null: that cannot be told. */
  exporter(): string | null {
    const [sender] = this.me(null) ?? [];
    return sender === undefined ? null : (this.#names.get(sender) ?? null);
  }

  /** How many others than those speak in a chat. */
  others(chat: string, me: ReadonlySet<string>): number {
    return [...(this.#chats.get(chat)?.keys() ?? [])].filter((sender) => !me.has(sender)).length;
  }

  /** The senders that are meant by a name, or else whoever exported it. Null: nobody, or it cannot be told. */
  me(name: string | null): ReadonlySet<string> | null {
    if (name !== null) return this.#called(name);
    if (this.#exporter !== null) return new Set([this.#exporter]);
    const rest = new Set<string>();
    for (const [chat, partner] of this.#partners) {
      const senders = [...(this.#chats.get(chat)?.keys() ?? [])];
      if (senders.length !== 2 || !senders.includes(partner)) continue;
      rest.add(senders.find((sender) => sender !== partner) ?? partner);
    }
    return rest.size === 1 ? rest : null;
  }

  #called(name: string): ReadonlySet<string> | null {
    for (const same of [(one: string) => one, folded]) {
      const found = [...this.#names].filter(([sender, shown]) =>
        [sender, shown].some((known) => same(known) === same(name)),
      );
      if (found.length > 0) return new Set(found.map(([sender]) => sender));
    }
    return null;
  }
}

function folded(name: string): string {
  return name.normalize('NFC').trim().toLowerCase();
}
