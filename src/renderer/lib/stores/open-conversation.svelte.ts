import type {
  Attachment,
  Conversation,
  Message,
  PathMessage,
  PunaEvent,
} from '../../../shared/contract/index.ts';
import type { Client } from '../connection.svelte.ts';

const pageSize = 100;

/** The conversation in view: its branch as far as it is loaded, and what is being written to it. */
export class OpenConversation {
  readonly id: number;
  conversation = $state.raw<Conversation | null>(null);
  /** The branch in view, oldest first. */
  messages = $state.raw<PathMessage[]>([]);
  hasMore = $state(false);
  /** A message that a search found, to be shown and marked. */
  found = $state<number | null>(null);
  readonly #client: Client;
  /** Only the newest load counts: an older answer may arrive later. */
  #load = 0;

  constructor(id: number, client: Client) {
    this.id = id;
    this.#client = client;
  }

  /** Loads the end of the branch in view anew. Fails when the conversation no longer exists. */
  async reload(): Promise<void> {
    const load = ++this.#load;
    const [conversation, page] = await Promise.all([
      this.#client.conversations.get({ conversationId: this.id }),
      this.#client.messages.path({ conversationId: this.id, limit: pageSize }),
    ]);
    if (load !== this.#load) return;
    this.conversation = conversation;
    this.messages = page.messages;
    this.hasMore = page.hasMore;
  }

  /** Loads older messages of the branch. */
  async loadMore(): Promise<void> {
    const [first] = this.messages;
    if (!first || !this.hasMore) return;
    const load = this.#load;
    const page = await this.#client.messages.path({
      conversationId: this.id,
      before: first.id,
      limit: pageSize,
    });
    if (load !== this.#load || this.messages[0]?.id !== first.id) return;
    this.messages = [...page.messages, ...this.messages];
    this.hasMore = page.hasMore;
  }

  async send(text: string, attachments: Attachment[]): Promise<void> {
    const parentId = this.messages.at(-1)?.id ?? null;
    await this.#client.chat.send({ conversationId: this.id, parentId, text, attachments });
  }

  /** Sends a message again with another text, beside the old one; its files stay. */
  async edit(message: PathMessage, text: string): Promise<void> {
    const attachments = await Promise.all(
      message.attachments.map((_, index) =>
        this.#client.messages.attachment({ messageId: message.id, index }),
      ),
    );
    await this.#client.chat.send({ conversationId: this.id, parentId: message.parentId, text, attachments });
  }

  /** Shows the branch of a message, and marks the message if it was found by a search. */
  async select(messageId: number, { found = false } = {}): Promise<void> {
    this.conversation = await this.#client.messages.select({ messageId });
    await this.reload();
    this.found = found ? messageId : null;
  }

  /** Takes in what the program tells. */
  apply(event: PunaEvent): void {
    if (event.type === 'conversation' && event.conversation.id === this.id) {
      this.conversation = event.conversation;
      // Another branch came into view, here or in another window.
      if (event.conversation.leafId !== (this.messages.at(-1)?.id ?? null)) void this.reload();
    }
    if (event.type === 'message' && event.message.conversationId === this.id) this.#put(event.message);
    if (event.type === 'delta' && event.conversationId === this.id) this.#extend(event);
  }

  #put(message: Message): void {
    const at = this.messages.findIndex(({ id }) => id === message.id);
    const old = this.messages[at];
    if (old) {
      this.messages = this.messages.with(at, { ...message, siblings: old.siblings });
      return;
    }
    // The first below its parent goes to the end of the branch; a sibling is shown by the reload that the changed leaf brings.
    if (message.parentId === (this.messages.at(-1)?.id ?? null)) {
      this.messages = [...this.messages, { ...message, siblings: [message.id] }];
    }
  }

  #extend({ messageId, part, offset, piece }: Extract<PunaEvent, { type: 'delta' }>): void {
    const at = this.messages.findIndex(({ id }) => id === messageId);
    const message = this.messages[at];
    if (!message) return;
    const known = message[part];
    if (offset > known.length) {
      // Something was missed.
      void this.reload();
      return;
    }
    this.messages = this.messages.with(at, { ...message, [part]: known.slice(0, offset) + piece });
  }
}
